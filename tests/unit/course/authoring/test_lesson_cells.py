"""A lesson's page is made from the parts of its cells, with every output and every name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from halfbits.course.authoring.sphinx.lesson_cells import cells_of_page, joined
from halfbits.folders import find_root

LESSONS = sorted((find_root() / "notebooks").glob("[!.]*.ipynb"))
PRINTED = {"output_type": "stream", "name": "stdout"}
GLUED = {"output_type": "display_data", "metadata": {"scrapbook": {"name": "x"}}, "data": {}}


def code(source: str) -> dict[str, Any]:
    return {"cell_type": "code", "id": "a", "metadata": {}, "source": [source], "outputs": [GLUED]}


def test_the_method_keeps_the_name_and_the_last_part_the_outputs() -> None:
    source = "import torch\nx = torch.ones(1)\nprint(x)\nprint(x)\nassert x"
    made = list(cells_of_page([code(source)]))
    assert [cell["id"] for cell in made] == ["a-before", "a", "a-after"]
    assert [len(cell["outputs"]) for cell in made] == [0, 0, 1]
    assert ["hide-input" in cell["metadata"].get("tags", []) for cell in made] == [
        True,
        False,
        True,
    ]


def test_a_cell_of_bookkeeping_alone_keeps_its_name() -> None:
    [made] = cells_of_page([code("assert x")])
    assert made["id"] == "a" and "1 assertion" in made["metadata"]["mystnb"]["code_prompt_show"]


def test_prints_with_glued_numbers_between_become_one_block() -> None:
    outputs = [{**PRINTED, "text": ["a\n"]}, GLUED, {**PRINTED, "text": ["b\n"]}]
    assert joined(outputs) == [{**PRINTED, "text": ["a\n", "b\n"]}, GLUED]


def test_a_figure_between_two_prints_stays_between_them() -> None:
    figure = {"output_type": "display_data", "metadata": {}, "data": {"image/png": ""}}
    outputs = [{**PRINTED, "text": ["a\n"]}, figure, {**PRINTED, "text": ["b\n"]}]
    assert joined(outputs) == outputs


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_the_page_of_a_lesson_has_names_that_differ(path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    names = [cell["id"] for cell in cells_of_page(cells)]
    assert len(names) == len(set(names)) and {cell["id"] for cell in cells} <= set(names)
