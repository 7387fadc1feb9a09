"""The workflow that publishes a fork's book sends the folder that the build writes."""

from __future__ import annotations

from pathlib import Path

import yaml

from halfbits.course.authoring.book import Site

ROOT = Path(__file__).parents[4]


def test_the_folder_that_is_published_is_the_one_that_is_built() -> None:
    text = (ROOT / ".github" / "workflows" / "pages.yml").read_text(encoding="utf-8")
    steps = yaml.safe_load(text)["jobs"]["publish"]["steps"]
    commands = [step["run"] for step in steps if "run" in step]
    [sent] = [step["with"]["path"] for step in steps if "upload-pages" in step.get("uses", "")]
    assert commands == ["python course.py book"]
    assert ROOT / sent == Site(ROOT, ROOT / "_build").pages
