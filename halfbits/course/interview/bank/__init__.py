"""The questions: read from their files, checked, their numbers computed and their proofs found."""
