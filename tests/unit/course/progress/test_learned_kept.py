"""What a reader did in the book is kept: of each entry the later, and nothing twice."""

from __future__ import annotations

import pytest

from halfbits.course.progress import learned
from halfbits.errors import CourseError

EARLY, LATE = "2026-01-02T03:04:05.000Z", "2026-01-02T03:04:06.000Z"


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    monkeypatch.setenv("HALFBITS_DATA", str(tmp_path))
    return tmp_path


def read(page: str, yes: bool, at: str) -> dict:
    return {"entries": {f"read:{page}": {"yes": yes, "at": at}}}


def test_nothing_is_kept_at_first() -> None:
    assert learned.kept() == {"entries": {}, "reports": []}


@pytest.mark.parametrize("order", [(EARLY, LATE), (LATE, EARLY)])
def test_the_later_entry_counts_whichever_comes_first(order: tuple[str, str]) -> None:
    for at in order:
        learned.keep(read("one", yes=at == LATE, at=at))
    assert learned.kept()["entries"]["read:one"] == {"yes": True, "at": LATE}


def test_entries_of_two_browsers_are_both_kept() -> None:
    learned.keep(read("one", yes=True, at=EARLY))
    learned.keep(read("two", yes=True, at=EARLY))
    assert set(learned.kept()["entries"]) == {"read:one", "read:two"}


def test_a_report_is_kept_once_and_the_oldest_is_first() -> None:
    learned.keep({"reports": [{"began": LATE}]})
    learned.keep({"reports": [{"began": EARLY}, {"began": LATE}]})
    assert learned.kept()["reports"] == [{"began": EARLY}, {"began": LATE}]


@pytest.mark.parametrize(
    "content",
    [
        [],
        {"entries": []},
        {"entries": {"read:one": {"yes": True}}},
        {"entries": {"read:one": {"at": "yesterday"}}},
        {"reports": [{}]},
        {"reports": [{"began": 3}]},
    ],
)
def test_something_else_is_refused_and_changes_nothing(content) -> None:
    learned.keep(read("one", yes=True, at=EARLY))
    with pytest.raises(CourseError, match="no progress of the book"):
        learned.keep(content)
    assert set(learned.kept()["entries"]) == {"read:one"}


def test_a_file_that_cannot_be_read_is_put_aside(data) -> None:
    (data / "learned.json").write_text('{"entries": {"a": 3}}', encoding="utf-8")
    assert learned.kept() == {"entries": {}, "reports": []}
    assert list(data.glob("learned-unreadable-*.json"))
