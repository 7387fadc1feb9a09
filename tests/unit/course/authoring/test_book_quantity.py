"""The role of the book that prints a named quantity, and when its pages are read again."""

from __future__ import annotations

from pathlib import Path

import pytest
from sphinx.testing.util import SphinxTestApp

from halfbits import quantities

ROLE = "halfbits.course.authoring.sphinx.quantity"


@pytest.fixture
def built(tmp_path: Path) -> SphinxTestApp:
    """A small book with one page that prints a quantity and one that prints none."""
    (tmp_path / "conf.py").write_text(f"extensions = ['myst_parser', '{ROLE}']\n")
    (tmp_path / "index.md").write_text("# Page\n\nIt is {quantity}`ridge_h100`.\n")
    (tmp_path / "other.md").write_text("---\norphan: true\n---\n# Other\n\nNothing.\n")
    app = SphinxTestApp(srcdir=tmp_path, freshenv=True)
    app.build()
    yield app
    app.cleanup()


def test_a_page_prints_the_number(built: SphinxTestApp) -> None:
    page = (built.outdir / "index.html").read_text(encoding="utf-8")
    assert f'It is <span class="hb-quantity">{quantities.text("ridge_h100")}</span>.' in page
    assert not built.warning.getvalue()


def test_only_a_page_whose_number_changed_is_read_again(
    built: SphinxTestApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    from halfbits.course.authoring.sphinx.quantity import changed_pages

    assert changed_pages(built, built.env) == []
    moved = quantities.fixed("ridge_h100", "moved", "", ".0f", 1.0)
    monkeypatch.setattr(f"{ROLE}.quantities", lambda: {"ridge_h100": moved})
    assert changed_pages(built, built.env) == ["index"]


def test_an_unknown_quantity_is_an_error_with_names_like_it(built: SphinxTestApp) -> None:
    (built.srcdir / "index.md").write_text("# Page\n\n{quantity}`ridge_h101`\n")
    built.build(force_all=True)
    assert "no quantity is called 'ridge_h101'; there is ridge_h100" in built.warning.getvalue()
