"""Grades each notebook as it is saved, in a window of its own."""
