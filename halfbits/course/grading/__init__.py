"""Grading: from a saved notebook to a verdict with a reason.

from halfbits.course.grading import grade
grade("quantized_linear")    # as `from halfbits import grade`
grade("quantized_linear", task="quantize_weight")
"""

from __future__ import annotations

from typing import Any


def grade(name: str, task: str | None = None) -> Any:
    """Grade exercise `name`, or one `task` of it, and return a report that a notebook shows.

    Raises CourseError.
    """
    from halfbits.course.grading.faces.notebook import grade

    return grade(name, task)
