"""Timed mock interviews: drawn, held, kept and reported."""
