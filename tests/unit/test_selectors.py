"""A value of a record is named by the fields of its row; anything but one match is an error."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from halfbits.selectors import SelectorError, cited, select

ROOT = Path(__file__).parents[2]
RECORD: dict[str, Any] = {
    "rows": [
        {"name": "int4 g64", "bits": 4, "seconds": {"median": 0.5}},
        {"name": "int4 g32", "bits": 4, "seconds": {"median": 0.25}},
        {"name": "int8, one kernel", "bits": 8.0, "seconds": {"median": 1.0}},
    ],
    "texts": {"a.b": {"perplexity": 3.0}, "a": 1},
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("rows[name=int4 g64].seconds.median", 0.5),
        ("rows[name=int8, one kernel].seconds.median", 1.0),
        ("rows[bits=8].name", "int8, one kernel"),
        ("rows[bits=4, name=int4 g32].seconds.median", 0.25),
        ("rows[name=int8, one kernel, bits=8].bits", 8.0),
        ("texts.a.b.perplexity", 3.0),
        ("texts.a", 1),
        ("rows[name=int4 g64]", RECORD["rows"][0]),
        ("", RECORD),
    ],
)
def test_a_path_leads_to_the_row_that_it_names(path: str, value: Any) -> None:
    assert select(RECORD, path) == value


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("rows[bits=4].name", "2 entries of rows have bits=4"),
        ("rows[name=int4 g65].name", r"0 entries of rows have name=int4 g65; name is 'int4 g64'"),
        ("rows[width=4].name", "no entry has width"),
        ("rows[int4].name", "expected field=value in the brackets"),
        ("rows.0.name", "3 entries of a list need fields in brackets, not '0.name'"),
        ("rows[0].name", "expected field=value in the brackets"),
        ("rows[name=int4 g64", "the bracket after it is not closed"),
        ("rows[name=int4 g64]seconds", "expected a dot"),
        ("texts[a=1].b", "texts is no list"),
        ("texts.c", "there is no 'c'; there is a.b, a"),
        ("texts.a.b.perplexity.more", "a plain value"),
    ],
)
def test_a_path_that_names_no_one_value_says_what_is_there(path: str, says: str) -> None:
    with pytest.raises(SelectorError, match=says):
        select(RECORD, path)


def test_a_new_row_moves_no_citation(tmp_path: Path) -> None:
    moved = {"rows": [{"name": "new"}, *RECORD["rows"]]}
    (tmp_path / "record.json").write_text(json.dumps(moved), encoding="utf-8")
    assert cited("record.json#rows[name=int4 g64].seconds.median", tmp_path) == 0.5


def test_no_file_of_the_book_cites_a_place_in_a_list() -> None:
    by_place = re.compile(r"\.json#\S*?(?:\.\d+(?:[.\s\"'`]|$)|\[\d+\])")
    pages = [path for kind in ("md", "yaml", "py") for path in (ROOT / "book").rglob(f"*.{kind}")]
    pages += (ROOT / "notebooks").glob("*.ipynb")
    found = [
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in pages
        for found in by_place.finditer(path.read_text(encoding="utf-8"))
    ]
    assert not found, "\n".join(found)
