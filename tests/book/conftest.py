"""One build of the book for all tests: from a copy of the sources with every exercise spoiled."""

from __future__ import annotations

import shutil

import built_book
import pytest
from book_sources import ROOT
from bs4 import BeautifulSoup

from halfbits.course.authoring.book import Site, build
from halfbits.course.catalog import load_catalog

SPOILED = '{"cells": [<<<<<<< a learner in the middle of a merge'


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The built book of a checkout whose learner broke every exercise notebook."""
    root = tmp_path_factory.mktemp("checkout with spaces")
    for folder in ("book", "notebooks", "solutions"):
        # With times of its own: what is dated by them is not dated by the checkout.
        shutil.copytree(ROOT / folder, root / folder, copy_function=shutil.copy)
    (root / "exercises").mkdir()
    shutil.copy(ROOT / "exercises" / "course.toml", root / "exercises")
    catalog = load_catalog(root)
    for exercise in catalog.exercises:
        path = catalog.notebook(exercise)
        path.parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / catalog.checks(exercise).relative_to(root), path.parent)
        path.write_text(SPOILED, encoding="utf-8")
    made = Site(root, root / "_build")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HALFBITS_ROOT", str(ROOT))  # as course.py does; another root is built
        status = build(root=root)
    assert status == 0, made.log.read_text(encoding="utf-8")[-4000:]
    built_book.keep(made)
    return made


@pytest.fixture(scope="session")
def pages(every_page: dict[str, BeautifulSoup]) -> dict[str, BeautifulSoup]:
    """Every page to read, by its address below the book's root."""
    return {page: soup for page, soup in every_page.items() if not leads_on(soup)}


@pytest.fixture(scope="session")
def moved(every_page: dict[str, BeautifulSoup]) -> dict[str, str]:
    """Where each page leads that only leads to another."""
    led = {page: leads_on(soup) for page, soup in every_page.items()}
    return {page: target for page, target in led.items() if target}


@pytest.fixture(scope="session")
def every_page(site: Site) -> dict[str, BeautifulSoup]:
    return {
        path.relative_to(site.pages).as_posix(): BeautifulSoup(path.read_bytes(), "html.parser")
        for path in sorted(site.pages.rglob("*.html"))
        if "_static" not in path.parts
    }


def leads_on(soup: BeautifulSoup) -> str:
    """The address that a page forwards to at once; empty for a page to read."""
    refresh = soup.select_one('meta[http-equiv="refresh"]')
    return str(refresh["content"]).partition("url=")[2] if refresh else ""
