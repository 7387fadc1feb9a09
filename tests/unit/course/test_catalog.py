"""The catalog finds exercises by any name a person might type."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_course import make_course, write

from halfbits.course.catalog import load_catalog
from halfbits.errors import CourseError
from halfbits.folders import CATALOG, find_root


@pytest.mark.parametrize(
    "name",
    [
        "double",
        "numbers/double",
        "exercises/numbers/double.ipynb",
        "exercises/numbers/test_double.py",
        "exercises\\numbers\\double.ipynb",
    ],
)
def test_exercise_is_found_by_key_slug_or_path(tmp_path: Path, name: str) -> None:
    assert load_catalog(make_course(tmp_path)).find(name).key == "numbers/double"


def test_unknown_name_suggests_the_nearest_or_lists_all(tmp_path: Path) -> None:
    catalog = load_catalog(make_course(tmp_path))
    with pytest.raises(CourseError, match="did you mean numbers/double"):
        catalog.find("duoble")
    with pytest.raises(CourseError, match="are numbers/double, numbers/halve"):
        catalog.find("zzzz")


def test_root_is_found_from_a_folder_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HALFBITS_ROOT", raising=False)
    root = make_course(tmp_path / "with space ü")
    assert find_root(root / "exercises" / "numbers") == root.resolve()


def test_root_that_is_no_course_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HALFBITS_ROOT", str(tmp_path))
    with pytest.raises(CourseError, match="No course found above"):
        find_root()


@pytest.mark.parametrize("text", ["[[exercise", "x = 1", '[[exercise]]\nkey = "a/b"'])
def test_broken_catalog_is_one_sentence(tmp_path: Path, text: str) -> None:
    write(tmp_path / "exercises" / "course.toml", text)
    with pytest.raises(CourseError, match="restore it with git"):
        load_catalog(tmp_path)


def test_exercise_is_to_be_written_unless_its_kind_says_otherwise(tmp_path: Path) -> None:
    root = make_course(tmp_path)
    text = (root / CATALOG).read_text()
    write(root / CATALOG, text.replace("minutes = 5", 'minutes = 5\nkind = "repair"', 1))
    assert [one.kind for one in load_catalog(root).exercises] == ["repair", "write"]


def test_unknown_kind_is_one_sentence(tmp_path: Path) -> None:
    root = make_course(tmp_path)
    write(root / CATALOG, (root / CATALOG).read_text() + 'kind = "guess"\n')
    with pytest.raises(CourseError, match="'guess', not one of write, repair, measure"):
        load_catalog(root)


def test_real_catalog_is_in_order() -> None:
    catalog = load_catalog(Path(__file__).parents[3])
    seen: set[str] = set()
    for exercise in catalog.exercises:
        assert seen.issuperset(exercise.prerequisites), exercise.key
        assert exercise.tasks
        assert 1 <= exercise.difficulty <= 3
        assert 1 <= exercise.importance <= 3
        seen.add(exercise.key)


def test_two_exercises_of_one_name_are_refused(tmp_path: Path) -> None:
    path = make_course(tmp_path) / "exercises" / "course.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("numbers/halve", "words/double"), encoding="utf-8")
    with pytest.raises(CourseError, match="numbers/double and words/double have the same name"):
        load_catalog(tmp_path)


PATH = """
[[path]]
name = "short"
title = "In a hurry"
exercises = ["numbers/double"]
"""


def with_path(folder: Path, text: str) -> Path:
    file = make_course(folder) / CATALOG
    file.write_text(file.read_text(encoding="utf-8") + text, encoding="utf-8")
    return folder


def test_path_holds_its_exercises_and_no_path_holds_all(tmp_path: Path) -> None:
    catalog = load_catalog(with_path(tmp_path, PATH))
    assert [one.slug for one in catalog.along(catalog.path("short"))] == ["double"]
    assert catalog.along(None) == catalog.exercises
    with pytest.raises(CourseError, match="no path called 'long'; the paths are short"):
        catalog.path("long")


@pytest.mark.parametrize(
    ("own", "lacks"), [("numbers/halve", "numbers/double"), ("numbers/treble", "numbers/treble")]
)
def test_path_without_a_prerequisite_or_with_an_unknown_exercise_is_refused(
    tmp_path: Path, own: str, lacks: str
) -> None:
    text = PATH.replace("numbers/double", own)
    with pytest.raises(CourseError, match=f"the path short lacks {lacks}"):
        load_catalog(with_path(tmp_path, text))


def test_real_paths_have_eight_twenty_and_all_exercises() -> None:
    catalog = load_catalog(Path(__file__).parents[3])
    sizes = {path.name: len(catalog.along(path)) for path in catalog.paths}
    every = len(catalog.exercises)
    assert sizes == {"interview": 8, "student": every, "instructor": 20, "engineer": 20}
