"""The HTML pages of a class run, from the templates beside this file."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from halfbits.course.grading.report import clean


@cache
def _templates() -> Any:
    from jinja2 import Environment, FileSystemLoader

    folder = FileSystemLoader(Path(__file__).with_name("templates"))
    return Environment(
        loader=folder, autoescape=True, trim_blocks=True, lstrip_blocks=True, finalize=_shown
    )


def _shown(value: Any) -> Any:
    """Texts of students without control characters; what a macro made stays."""
    return clean(value) if type(value) is str else value


def render(name: str, **content: Any) -> str:
    """The page of the template `name`; every text in `content` is escaped."""
    return str(_templates().get_template(name).render(content)) + "\n"
