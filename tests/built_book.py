"""The book that one step of the tests built, kept for the steps after it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from halfbits.course.authoring.book import Site


def keep(site: Site) -> None:
    """Copy the pages and their stamp to where the runner of all steps wants them, if it does."""
    if wanted := os.environ.get("HALFBITS_BUILT_BOOK"):
        copy(site, Path(wanted))


def kept() -> Path | None:
    """The folder of a book that a step before this one kept."""
    folder = Path(os.environ.get("HALFBITS_BUILT_BOOK") or "/nowhere")
    return folder if (folder / "stamp.json").is_file() else None


def copy(site: Site, folder: Path) -> None:
    """Copy a site's pages, and at last the stamp that says what they were built from."""
    shutil.copytree(site.pages, folder / "html", dirs_exist_ok=True)
    shutil.copy(site.stamp, folder)
