"""The questions as Anki decks."""
