"""The question bank of book/interview/questions: read, checked, and drilled."""
