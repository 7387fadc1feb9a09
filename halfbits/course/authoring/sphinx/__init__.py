"""The pieces of Sphinx that build the book: directives, roles, and what a finished page must be."""
