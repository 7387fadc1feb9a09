"""Interactive figures: web components that run in the book and in JupyterLab."""
