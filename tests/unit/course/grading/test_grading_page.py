"""The report in a notebook: readable, safe with any text, and the terminal's report as text."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fake_course import make_course
from rich.console import Console

from halfbits.course.catalog import Catalog, load_catalog
from halfbits.course.checks.failure import Failure
from halfbits.course.grading.faces import console
from halfbits.course.grading.faces.html import ReportView
from halfbits.course.grading.report import FAILED, PASSED, UNWRITTEN, Report, Verdict
from halfbits.course.progress.hints import upcoming_hint

VOID = {"br", "hr", "img", "input", "meta", "link"}
EVIL = '</pre></div><script>alert(1)</script><img src=x onerror="alert(2)">\x1b[31m\x07&'


class Tags(HTMLParser):
    """Collects tags and attributes, and fails on one that is closed out of turn."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open, self.seen, self.attributes = [], [], []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        self.attributes += [name for name, _ in attributes]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    monkeypatch.setenv("HALFBITS_DATA", str(tmp_path / "data"))
    return load_catalog(make_course(tmp_path))


def report_of(
    course: Catalog, *ends: tuple[str, Failure | str], notes: tuple[str, ...] = ()
) -> Report:
    """A report on `double` whose checks ended like that: kind and explanation."""
    from halfbits.course.checklist import read_checks

    exercise = course.find("double")
    checks = read_checks(course.checks(exercise))
    verdicts = [Verdict(check, *end) for check, end in zip(checks, ends, strict=True)]
    return Report(exercise, "double.ipynb", verdicts, notes=list(notes), seed=7)


def failed(course: Catalog, said: Failure | str) -> Report:
    return report_of(course, (FAILED, said), (PASSED, ""), (UNWRITTEN, "not written"))


def page_of(report: Report, **more) -> str:
    return ReportView(report, **more)._repr_html_()


def words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL))


def test_failure_is_a_table_of_what_was_called_expected_got_and_why(course: Catalog) -> None:
    page = page_of(failed(course, Failure("double(2)", "4", "two\nlines", "2 + 2 = 4")))
    rows = re.findall(r"<th scope='row'>(\w+)</th><td>(.*?)</td>", page, re.DOTALL)
    assert rows == [
        ("called", "double(2)"),
        ("expected", "4"),
        ("got", "two\nlines"),
        ("why", "2 + 2 = 4"),
    ]


def test_answer_cannot_add_a_row_to_the_table(course: Catalog) -> None:
    forged = "0\n      why: all is well\n   called: something else"
    page = page_of(failed(course, Failure("double(2)", "4", forged, "2 + 2 = 4")))
    assert re.findall(r"<th scope='row'>(\w+)</th>", page) == ["called", "expected", "got", "why"]


def test_text_that_looks_like_the_four_lines_stays_a_text(course: Catalog) -> None:
    page = page_of(failed(course, str(Failure("double(2)", "4", "5", "all is well"))))
    assert "<table>" not in page
    assert "expected: 4" in page


def test_each_check_has_a_mark_and_a_word(course: Catalog) -> None:
    text = words(page_of(failed(course, "it is wrong")))
    assert "✓ pass doubles_text" in text
    assert "× mend doubles_numbers" in text
    assert "· to do counts" in text
    assert "1 of 3 checks pass" in text


@pytest.mark.parametrize("place", ["message", "note", "problem"])
def test_texts_of_an_answer_stay_texts(course: Catalog, place: str) -> None:
    report = failed(course, EVIL if place == "message" else "wrong")
    report.notes += [EVIL] if place == "note" else []
    report.problem = EVIL if place == "problem" else None
    page = page_of(report)
    tags = Tags(page)
    assert not {"script", "img", "a", "iframe"} & set(tags.seen)
    assert not [name for name in tags.attributes if name.startswith("on")]
    assert "&lt;script&gt;" in page
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", page)


def test_first_failure_is_open_and_the_others_are_folded(course: Catalog) -> None:
    report = report_of(course, (FAILED, "first"), (FAILED, "second"), (FAILED, "third"))
    page = page_of(report)
    before, _, folded = page.partition("<summary>2 more to mend</summary>")
    assert "first" in before and "second" not in before
    assert folded.index("second") < folded.index("third")


def test_next_hint_is_folded_and_not_recorded(course: Catalog, tmp_path: Path) -> None:
    report = failed(course, "wrong")
    hint = upcoming_hint(course, report.exercise, report.first_open_task())
    page = page_of(report, hint=hint)
    _, _, folded = page.partition("<details><summary>Hint 1 of 3 for <code>double</code></summary>")
    assert "Say it again." in folded.partition("</details>")[0]
    assert not (tmp_path / "data" / "progress.json").exists()


def test_passing_report_shows_no_hint_no_seed_and_no_time(course: Catalog) -> None:
    report = report_of(course, (PASSED, ""), (PASSED, ""), (PASSED, ""))
    hint = upcoming_hint(course, report.exercise)
    text = words(page_of(report, hint=hint, seconds=0.1))
    assert "3 of 3 checks pass" in text
    assert not re.search("Hint|seed|graded in", text)


def test_failing_report_says_its_seed_and_time(course: Catalog) -> None:
    assert "HALFBITS_SEED=7 repeats them; graded in 0.12 s" in words(
        page_of(failed(course, "wrong"), seconds=0.123)
    )


def test_bar_is_as_long_as_the_checks_that_pass(course: Catalog) -> None:
    page = page_of(failed(course, "wrong"))
    assert re.findall(r"<i style='width:([\d.]+)%", page) == ["33.33", "33.33"]


def test_as_text_it_is_what_the_terminal_shows(
    course: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = failed(course, Failure("double(2)", "4", "5", "2 + 2 = 4"))
    report.notes.append("cell 3 was skipped")
    shown = io.StringIO()
    monkeypatch.setattr(console, "Console", lambda **more: Console(file=shown, width=200, **more))
    console.print_report(report)
    assert repr(ReportView(report)) == shown.getvalue().rstrip()


def test_no_script_and_nothing_from_elsewhere(course: Catalog) -> None:
    page = page_of(failed(course, "wrong"))
    assert not re.search(r"<script|https?:|url\(|@import|src=|href=", page)
