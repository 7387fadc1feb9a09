"""The one exception whose text is for the reader."""

from __future__ import annotations


class CourseError(Exception):
    """A mistake a person can mend; its text is one sentence to show as it is."""
