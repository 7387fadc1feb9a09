"""A learner's answers in the notebook of a newer course: nothing of theirs is left behind."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from halfbits.errors import CourseError

Json = dict[str, Any]


def carried(old: Json, mine: Json, new: Json) -> Json:
    """The notebook `new` with what the learner changed in `mine` since it was `old`.

    An answer cell takes the learner's cell of the same id. Another cell of theirs, whether new or
    changed, goes below the one that it changes or follows in `mine`, and keeps its text. What
    they took out comes back. Raises CourseError where the notebooks' cells carry no ids.
    """
    before, answers = by_id(old), {id for id, cell in by_id(new).items() if is_answer(cell)}
    by_id(mine)
    made = deepcopy(new)
    cells: list[Json] = made["cells"]
    place = -1
    for cell in mine["cells"]:
        same = _place(cells, cell["id"])
        if cell["id"] in answers:
            cells[same] = deepcopy(cell)
        elif _text(cell) != _text(before.get(cell["id"])):
            place = max(place, same) + 1
            cells.insert(place, _renamed(deepcopy(cell), cells))
            continue
        place = same if same >= 0 else place
    return made


def by_id(notebook: Json) -> dict[str, Json]:
    """The cells by id; raises CourseError where one has none."""
    cells = notebook.get("cells")
    if not isinstance(cells, list) or not all(isinstance(c, dict) and c.get("id") for c in cells):
        raise CourseError("its cells have no ids")
    return {cell["id"]: cell for cell in cells}


def is_answer(cell: Json) -> bool:
    return "answer" in cell.get("metadata", {}).get("tags", [])


def _place(cells: list[Json], id: str) -> int:
    return next((i for i, cell in enumerate(cells) if cell["id"] == id), -1)


def _text(cell: Json | None) -> tuple[str, str] | None:
    if cell is None:
        return None
    return cell["cell_type"], "".join(cell["source"]).rstrip()


def _renamed(cell: Json, cells: list[Json]) -> Json:
    """The cell under an id that no other has."""
    taken = {one["id"] for one in cells}
    while cell["id"] in taken:
        cell["id"] = f"{cell['id'][:50]}-mine"
    return cell
