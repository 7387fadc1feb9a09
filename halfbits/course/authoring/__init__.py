"""For authors: exercises from solutions, their contract, lessons, the book, the tests."""
