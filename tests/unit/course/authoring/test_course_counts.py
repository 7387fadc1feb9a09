"""What the home page counts as a lesson."""

from __future__ import annotations

import json
from pathlib import Path

from halfbits.course.authoring.sphinx.course_counts import lessons


def write_notebook(root: Path, stem: str, text: str) -> None:
    cells = [{"cell_type": "markdown", "source": text}]
    path = root / "notebooks" / f"{stem}.ipynb"
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")


def test_a_lesson_stands_in_the_contents_and_says_how_long_it_takes(tmp_path: Path) -> None:
    for folder in ("book", "notebooks"):
        (tmp_path / folder).mkdir()
    write_notebook(tmp_path, "lesson", "# A\n\n**Minutes.** 30")
    write_notebook(tmp_path, "draft", "# B\n\n**Minutes.** 30")
    write_notebook(tmp_path, "listing", "# C")
    chapters = "".join(f"  - file: notebooks/{stem}\n" for stem in ("lesson", "listing"))
    (tmp_path / "book" / "_toc.yml").write_text(f"chapters:\n{chapters}", encoding="utf-8")
    assert lessons(tmp_path) == 1
