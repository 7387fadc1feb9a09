"""Where a grade is asked for and shown: a notebook, pytest, the command line."""
