"""The learner's notebook, made from the solution: same cells, with the answers left to write.

In a repair the broken program takes the place of the answer.
"""

from __future__ import annotations

import ast
import hashlib
import io
import json
import tokenize
from pathlib import Path
from typing import Any

from halfbits.course.catalog import Catalog, Exercise, load_catalog
from halfbits.course.lessons import before, load_lessons
from halfbits.course.notebook import BROKEN, cells_of, read_json
from halfbits.course.rules import rules_of
from halfbits.course.sources import DEFINES, defined_names
from halfbits.errors import CourseError

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
MOST_LESSONS = 3
SOLUTION_LINK = """<details><summary>Solution (try first)</summary>

[Open the reference solution](../../solutions/{topic}/{slug}.ipynb)

</details>"""
RULES = """<details><summary>All rules that the checks hold your answer to</summary>

{rules}

</details>"""


def make_exercise(catalog: Catalog, exercise: Exercise) -> dict[str, Any]:
    """The exercise notebook as JSON, from its solution and its checks; raises CourseError."""
    solution = read_json(catalog.notebook(exercise, "solutions"))
    hidden = {"solution-only", *(["answer"] if exercise.kind == "repair" else [])}
    cells = [
        _exercise_cell(raw, exercise) for raw in solution["cells"] if hidden.isdisjoint(_tags(raw))
    ]
    cells.insert(_grading(cells), _rules(catalog, exercise))
    cells[1:1] = _lessons(catalog, exercise)
    cells = [one for cell in cells for one in (cell, *_grade_below(cell, exercise))]
    cells.append(_link(exercise))
    metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    notebook = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    metadata["halfbits"] = {"stub": digest(notebook)}
    return notebook


def stub_text(solution: Path) -> str:
    """The text of the exercise notebook of solutions/<topic>/<slug>.ipynb; raises CourseError."""
    catalog = load_catalog(solution.resolve().parents[2])
    return as_text(make_exercise(catalog, catalog.find(solution.stem)))


def digest(notebook: dict[str, Any]) -> str:
    """A hash of the cells' kinds and sources, by which a learner's change is noticed."""
    cells = [(cell.kind, cell.source.rstrip()) for cell in cells_of(notebook)]
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()[:16]


def is_pristine(notebook: dict[str, Any]) -> bool:
    """Whether a generated notebook still has the sources it was generated with."""
    made: Any = notebook
    for key in ("metadata", "halfbits", "stub"):
        made = made.get(key) if isinstance(made, dict) else None
    return made == digest(notebook)


def as_text(notebook: dict[str, Any]) -> str:
    """The notebook's JSON as Jupyter writes it, so that a save changes little."""
    return json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def write_notebook(path: Path, notebook: dict[str, Any]) -> None:
    """Write through a neighbor file, so that no reader meets half a notebook."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(as_text(notebook), encoding="utf-8", newline="\n")
    fresh.replace(path)


def stub_source(source: str, tasks: tuple[str, ...]) -> str:
    """The answer cell's stub: signature and docstring kept, the body left to write.

    Kept before it: `from __future__` lines, and the imports and constants its signature needs.
    Raises CourseError unless the cell defines exactly one task.
    """
    tree = ast.parse(source)
    defined = [node for node in tree.body if isinstance(node, DEFINES) and node.name in tasks]
    if len(defined) != 1:
        names = [node.name for node in defined] or "none"
        raise CourseError(f"an answer cell must define exactly one task of {tasks}, not {names}.")
    task = defined[0]
    helpers = [node for node in tree.body if isinstance(node, DEFINES) and node is not task]
    extra = sum(_code_lines(source, helper) for helper in helpers)
    if isinstance(task, ast.ClassDef):
        text = _class_stub(source, task, extra)
    else:
        text = _function_stub(source, task, task.name, extra)
    kept = _needed(source, tree, _signature_names(task))
    return "\n".join(kept) + ("\n\n\n" if kept else "") + text


def _exercise_cell(raw: dict[str, Any], exercise: Exercise) -> dict[str, Any]:
    source, tags = "".join(raw["source"]), _tags(raw)
    if BROKEN in tags:
        return _cell("code", raw["id"], source, ["answer"])
    if "answer" in tags:
        try:
            source = stub_source(source, exercise.tasks)
        except (CourseError, SyntaxError) as error:
            where = f"solutions/{exercise.key}.ipynb, cell {raw.get('id')!r}"
            raise CourseError(f"{where}: {error}") from error
    return _cell(raw["cell_type"], raw["id"], source, tags)


def _cell(kind: str, id: str, source: str, tags: list[str]) -> dict[str, Any]:
    cell = {
        "cell_type": kind,
        "id": id,
        "metadata": {"tags": tags} if tags else {},
        "source": source.rstrip("\n").splitlines(keepends=True),
    }
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def _link(exercise: Exercise) -> dict[str, Any]:
    text = SOLUTION_LINK.format(topic=exercise.topic, slug=exercise.slug)
    return _cell("markdown", "solution-link", text, [])


def _grade_below(cell: dict[str, Any], exercise: Exercise) -> list[dict[str, Any]]:
    """A cell that grades the task of an answer cell, where one writes it; a repair is run first."""
    if "answer" not in _tags(cell) or exercise.kind == "repair":
        return []
    task = next((t for t in exercise.tasks if t in defined_names("".join(cell["source"]))), None)
    if task is None:
        return []
    chosen = f', task="{task}"' if len(exercise.tasks) > 1 else ""
    source = f'from halfbits import grade\n\ngrade("{exercise.key}"{chosen})'
    return [_cell("code", f"grade-{task}".lower().replace("_", "-"), source, ["grade"])]


def _lessons(catalog: Catalog, exercise: Exercise) -> list[dict[str, Any]]:
    """A cell with the first lessons that lead to the exercise, those of its part of the book."""
    leading = before(catalog.root, exercise.key, load_lessons(catalog.root).values())
    links = [f"[{one.title}](../../notebooks/{one.stem}.ipynb)" for one in leading[:MOST_LESSONS]]
    if not links:
        return []
    text = f"**The lesson{'s' * (len(links) > 1)} before it:** {' · '.join(links)}"
    return [_cell("markdown", "lessons", text, [])]


def _rules(catalog: Catalog, exercise: Exercise) -> dict[str, Any]:
    return _cell("markdown", "rules", RULES.format(rules=rules_of(catalog, exercise)), [])


def _grading(cells: list[dict[str, Any]]) -> int:
    """Where the section that grades begins: its text, or the cell that calls `grade`."""
    grade = next((i for i, cell in enumerate(cells) if "grade" in _tags(cell)), len(cells))
    return grade - (grade > 0 and cells[grade - 1]["cell_type"] == "markdown")


def _tags(raw: dict[str, Any]) -> list[str]:
    return list(raw.get("metadata", {}).get("tags", []))


def _class_stub(source: str, node: ast.ClassDef, extra: int) -> str:
    parts = [_header(source, node)]
    lines = source.splitlines()
    for part in node.body:
        if isinstance(part, ast.AnnAssign):
            parts.append("\n".join(lines[part.lineno - 1 : part.end_lineno]))
        elif isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef)) and _is_public(part.name):
            parts.append("\n" + _function_stub(source, part, f"{node.name}.{part.name}", 0))
        elif isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef)):
            extra += _code_lines(source, part)
    return "\n".join(parts)


def _function_stub(source: str, node: Any, name: str, extra: int) -> str:
    count = max(1, _code_lines(source, node, body_only=True) + extra)
    text = f"{name}: not written yet (about {count} line{'s' if count != 1 else ''})"
    indent = " " * (node.col_offset + 4)
    return f'{_header(source, node)}\n{indent}raise NotImplementedError("{text}")'


def _is_public(name: str) -> bool:
    return not name.startswith("_") or (name.startswith("__") and name.endswith("__"))


def _header(source: str, node: Any) -> str:
    """The decorators, the signature and the docstring as they are written."""
    lines = source.splitlines()
    first = min([node.lineno, *(mark.lineno for mark in node.decorator_list)])
    line, column = _colon("\n".join(lines[node.lineno - 1 :]) + "\n")
    end = node.lineno - 1 + line
    head = [*lines[first - 1 : end - 1], lines[end - 1][:column]]
    if ast.get_docstring(node) is not None:
        doc = node.body[0]
        head += [" " * doc.col_offset + lines[doc.lineno - 1][doc.col_offset :]]
        head += lines[doc.lineno : doc.end_lineno]
    return "\n".join(head)


def _colon(text: str) -> tuple[int, int]:
    """Line (from 1) and column just after the colon that ends the first signature in `text`."""
    depth = 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.OP:
            continue
        depth += (token.string in "([{") - (token.string in ")]}")
        if token.string == ":" and depth == 0:
            return token.end
    raise CourseError("a definition without a colon")


def _signature_names(node: Any) -> set[str]:
    parts: list[ast.AST] = []
    for part in ast.walk(node):
        if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef)):
            parts += [part.args, *part.decorator_list, *([part.returns] if part.returns else [])]
        elif isinstance(part, ast.ClassDef):
            parts += [*part.bases, *part.decorator_list, *part.keywords]
        elif isinstance(part, ast.AnnAssign):
            parts.append(part.annotation)
    return {n.id for part in parts for n in ast.walk(part) if isinstance(n, ast.Name)}


def _needed(source: str, tree: ast.Module, names: set[str]) -> list[str]:
    kept = []
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            bound = {alias.asname or alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            bound = {n.id for target in targets for n in ast.walk(target) if hasattr(n, "id")}
        else:
            continue
        if bound & names or getattr(node, "module", "") == "__future__":
            kept.append(ast.get_source_segment(source, node) or "")
    return kept


def _code_lines(source: str, node: Any, body_only: bool = False) -> int:
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    lines = source.splitlines()
    spans = [lines[part.lineno - 1 : part.end_lineno] for part in body]
    code = [line for span in spans for line in span if line.strip(" \t") and not _is_comment(line)]
    return len(code) + (not body_only)


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")
