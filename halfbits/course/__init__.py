"""The machinery of the course: exercises, grading, drills, the book, the server, the commands."""
