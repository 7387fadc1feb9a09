"""What to do on each day before an interview."""
