"""Grades a class: submissions, a journal, reports."""
