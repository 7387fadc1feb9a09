"""The course's one server: JupyterLab and the book on the same loopback address."""
