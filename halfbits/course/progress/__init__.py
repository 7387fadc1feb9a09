"""What one person has done: exercises, hints, and the files that keep them."""
