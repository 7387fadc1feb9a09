"""Every statement of a lesson says where it holds: anywhere, on the machine named, or recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from book_sources import ROOT
from statements import problems

NOTEBOOKS = sorted((ROOT / "notebooks").glob("[!.]*.ipynb"))
NOT_YET = Path(__file__).with_name("untagged_notebooks.txt")


def untagged() -> set[str]:
    lines = NOT_YET.read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and line[0] != "#"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_tags_of_cells_agree_with_their_code(path: Path) -> None:
    found = problems(path)
    if path.stem in untagged():
        assert found, f"{path.stem} keeps the contract now: remove it from {NOT_YET.name}"
    else:
        assert not found, "\n".join(found)


def test_only_notebooks_that_exist_are_waited_for() -> None:
    assert untagged() <= {path.stem for path in NOTEBOOKS}


def written(folder: Path, *cells: tuple[str, list[str]]) -> Path:
    path = folder / "lesson.ipynb"
    made = [
        {"cell_type": "code", "id": f"c{i}", "source": [code], "metadata": {"tags": tags}}
        for i, (code, tags) in enumerate(cells)
    ]
    path.write_text(json.dumps({"cells": made}), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("code", "tag"),
    [
        ("assert 1 + 1 == 2", "holds-anywhere"),
        ("ratio = paired_ratio(f, g)\nprint(this_machine(), ratio)", "this-machine"),
        ("record = records.load('h100')", "recorded"),
        ("print(1 + 1)", "remove-nothing"),
    ],
)
def test_a_cell_with_its_tag_is_right_and_wrong_without_it(
    tmp_path: Path, code: str, tag: str
) -> None:
    assert not problems(written(tmp_path, (code, [tag])))
    assert bool(problems(written(tmp_path, (code, [])))) == (tag != "remove-nothing")


@pytest.mark.parametrize(
    ("second", "tags", "words"),
    [
        ("assert ratio > 0", ["holds-anywhere"], "asserts a time"),
        ("assert all(0 < r < 1000 for r in found.values())", ["holds-anywhere"], "asserts a time"),
        ("print(found)", [], "uses a time"),
        ("for key, value in found.items():\n    print(value)", [], "uses a time"),
        ("print(found)", ["this-machine"], "does not print"),
        ("assert 1\nprint(this_machine())", ["holds-anywhere", "this-machine"], "has the tags"),
        ("print(1)", ["holds-anywhere"], "asserts nothing"),
        ("open('../book/data/x.json')", [], "by path"),
    ],
)
def test_a_cell_that_says_too_much_is_found(
    tmp_path: Path, second: str, tags: list[str], words: str
) -> None:
    first = "ratio = paired_ratio(f, g)\nfound = {'way': ratio}\nprint(this_machine())"
    found = problems(written(tmp_path, (first, ["this-machine"]), (second, tags)))
    assert any(words in line for line in found), found


def test_a_name_that_no_longer_holds_a_time_is_free(tmp_path: Path) -> None:
    first = ("took = seconds(f)\nprint(this_machine(), took)", ["this-machine"])
    assert not problems(
        written(tmp_path, first, ("took = 3\nassert took == 3", ["holds-anywhere"]))
    )


def test_a_predicted_time_is_no_measured_one(tmp_path: Path) -> None:
    code = "assert machine.seconds(work) > 0"
    assert not problems(written(tmp_path, (code, ["holds-anywhere"])))
    found = problems(written(tmp_path, ("took = time.perf_counter()\nprint(took)", [])))
    assert any("uses a time" in line for line in found)


def test_a_function_that_takes_the_time_is_a_timer(tmp_path: Path) -> None:
    first = ("def least(run):\n    return min(seconds(run) for _ in range(7))", [])
    assert not problems(written(tmp_path, first))
    found = problems(written(tmp_path, first, ("print(least(f))", [])))
    assert any("uses a time" in line for line in found)
