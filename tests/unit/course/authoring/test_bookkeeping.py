"""A lesson's code is parted into the method, which a page shows, and what it folds."""

from __future__ import annotations

import json
import re

import pytest

from halfbits.course.authoring.bookkeeping import parts, used_later
from halfbits.folders import find_root

LESSONS = sorted((find_root() / "notebooks").glob("[!.]*.ipynb"))


DEFINES = re.compile(r"^(?:def|class|@)", re.MULTILINE)


def told(source: str, *later: str) -> list[tuple[str, str]]:
    return [(part.source, part.summary) for part in parts(source, used_later([source, *later])[0])]


def test_imports_are_folded_and_the_settings_after_them_shown() -> None:
    source = "import torch\n\nfrom halfbits import plots\n\ntorch.manual_seed(0)"
    assert told(source) == [
        ("import torch\n\nfrom halfbits import plots", "imports"),
        ("torch.manual_seed(0)", ""),
    ]


def test_what_prints_glues_and_asserts_is_folded_below_the_method() -> None:
    method = "error = abs(rounded - x)"
    end = "print(error)\nglue('error', f'{error}')\nassert error < 1"
    assert told(f"{method}\n{end}") == [
        (method, ""),
        (end, "what is printed, 1 assertion, numbers for the text"),
    ]


def test_two_lines_below_a_method_stay_with_it() -> None:
    source = "y = round(x)\nprint(y)\nassert y"
    assert told(source) == [(source, "")]


def test_a_drawing_is_folded_from_its_first_line_with_all_that_prepares_it() -> None:
    source = "made, axes = plots.figure()\nx = range(9)\naxes.plot(x)\nplots.show(made, alt)"
    assert told(source, "print(x)") == [(source, "the drawing")]


def test_a_function_is_shown_also_with_its_decorator() -> None:
    source = "@njit\ndef fused(x):\n    print(x)\n    return x"
    assert told(source) == [(source, "")]


def test_a_loop_that_prints_is_folded_with_the_names_that_only_it_uses() -> None:
    loop = (
        "for name in names:\n    row = found[name]\n    text = f'{row:.2f}'\n    print(name, text)"
    )
    assert told(loop) == [(loop, "what is printed")]


@pytest.mark.parametrize(
    "loop",
    [
        "for name in names:\n    found[name] = measure(name)\n    print(found[name])",
        "for name in names:\n    found.append(measure(name))\n    print(found)",
        "for name in names:\n    last = measure(name)\n    print(last)",
    ],
)
def test_a_loop_that_keeps_what_it_measures_is_shown(loop: str) -> None:
    assert told(loop, "print(found, last)") == [(loop, "")]


def test_a_name_that_a_later_cell_gives_a_value_first_is_not_kept() -> None:
    loop = "for name in names:\n    last = measure(name)\n    print(last)"
    assert told(loop, "last = 1\nprint(last)") == [(loop, "what is printed")]


def test_a_comment_above_the_end_goes_with_it() -> None:
    end = "# Two bits are three.\nassert a\nassert b"
    assert told(f"a = b = f(x)\n{end}")[1] == (end, "2 assertions")


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_the_parts_of_a_lesson_hold_all_of_its_code_in_order(path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    codes = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    for code, used in zip(codes, used_later(codes), strict=True):
        found = parts(code, used)
        joined = [line for part in found for line in part.source.splitlines() if line]
        assert joined == [line for line in code.splitlines() if line]
        assert not any(part.summary and DEFINES.search(part.source) for part in found)
