"""Models and data that live in the repository."""
