"""Grading: from a saved notebook to a verdict with a reason."""
