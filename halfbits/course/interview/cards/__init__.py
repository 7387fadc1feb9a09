"""Flashcards: made from the questions, scheduled, and drilled in a terminal or a notebook."""
