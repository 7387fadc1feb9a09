"""All faces grade through one object: it records, looks ahead and leaves an idle worker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_course import COUNTER, DOUBLE, HALVE, make_course, notebook, write

from halfbits.course.catalog import Catalog, load_catalog
from halfbits.course.grading.grader import Grader
from halfbits.course.grading.process.spawn_pool import SpawnPool
from halfbits.course.grading.submission import Submission, named, submission_of
from halfbits.course.progress.progress import read_progress


class Spy(SpawnPool):
    """A pool that notes what it is asked to start ahead, and to leave."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead: list[tuple[str, ...]] = []
        self.left = 0

    def prepare(self, preload: tuple[str, ...]) -> None:
        self.ahead.append(preload)

    def leave_idle(self) -> None:
        self.left += 1


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    monkeypatch.setenv("HALFBITS_DATA", str(tmp_path / "data"))
    course = load_catalog(make_course(tmp_path / "course"))
    write(course.notebook(course.find("double")), notebook(DOUBLE, COUNTER))
    write(course.notebook(course.find("halve")), notebook(HALVE))
    return course


def own(course: Catalog, slug: str) -> Submission:
    return submission_of(course, course.find(slug), course.own_folder)


def test_what_lies_in_the_learners_own_folder_becomes_progress(course: Catalog) -> None:
    with Grader(Spy()) as grader:
        assert grader.grade(own(course, "double")).all_pass
        assert read_progress() == {}
    assert read_progress()["numbers/double"].tries == 1


def test_what_lies_elsewhere_does_not(course: Catalog, tmp_path: Path) -> None:
    write(tmp_path / "other" / "numbers" / "double.ipynb", notebook(DOUBLE, COUNTER))
    with Grader(Spy()) as grader:
        assert grader.grade(submission_of(course, course.find("double"), tmp_path / "other"))
    assert read_progress() == {}


def test_own_folder_is_known_through_a_link_and_from_a_path(
    course: Catalog, tmp_path: Path
) -> None:
    link = tmp_path / "link"
    link.symlink_to(course.own_folder, target_is_directory=True)
    double = course.find("double")
    assert submission_of(course, double, link).is_learners
    assert named(course, str(link / "numbers" / "double.ipynb"), course.own_folder).is_learners
    assert not submission_of(course, double, course.root / "solutions").is_learners


def test_next_one_that_needs_a_worker_gets_it_and_no_further_answer_is_read(
    course: Catalog,
) -> None:
    read: list[str] = []

    def later() -> Iterator[Submission]:
        for slug in ("double", "halve", "halve"):
            read.append(slug)
            one = own(course, slug)
            one.stubs = {"double"} if slug == "double" else set()
            one.checks = [check for check in one.checks if check.task == slug]
            yield one

    pool = Spy()
    grader = Grader(pool)
    grader.grade(own(course, "double"), later())
    assert pool.ahead == [own(course, "halve").preload]
    assert read == ["double", "halve"]


def test_verdict_that_is_forgotten_is_no_try(course: Catalog) -> None:
    grader = Grader(Spy())
    grader.grade(own(course, "double"))
    grader.forget()
    grader.record()
    assert read_progress() == {}


def test_record_that_fails_is_one_sentence_and_is_tried_again(
    course: Catalog, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    in_the_way = tmp_path / "data" / "progress.json"
    in_the_way.mkdir(parents=True)
    pool = Spy()
    with Grader(pool) as grader:
        assert grader.grade(own(course, "double")).all_pass
        grader.grade(own(course, "halve"))
    assert capsys.readouterr().err.count("halfbits: ") == 1
    assert pool.left == 1
    in_the_way.rmdir()
    grader.record()
    assert read_progress().keys() == {"numbers/double", "numbers/halve"}
