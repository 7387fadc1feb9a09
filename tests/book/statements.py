"""What the code cells of a notebook state, and where it holds: their tags against their code.

A cell that asserts carries `holds-anywhere`; one whose output belongs to a machine `this-machine`;
one that reads a record of book/data `recorded`. Times are followed by name through the cells, so
that no assertion is about speed and no time is shown without its machine.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

ANYWHERE, MACHINE, RECORDED = KINDS = ("holds-anywhere", "this-machine", "recorded")
TIMERS = {"paired_ratio", "median_seconds", "seconds", "perf_counter", "monotonic", "timeit"}
READERS = {"records.load", "records.machine"}
NAMES_THE_MACHINE = "this_machine"


def problems(path: Path) -> list[str]:
    """One line for each cell of the notebook whose tag and code disagree; empty when none does."""
    timed: set[str] = set()
    found = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            tags = cell["metadata"].get("tags", [])
            code = "".join(cell["source"])
            found += [f"{path.stem}#{cell['id']}: {what}" for what in _of_cell(code, tags, timed)]
    return found


def _of_cell(code: str, tags: list[str], timed: set[str]) -> Iterator[str]:
    tree = ast.parse(code)
    kinds = [kind for kind in KINDS if kind in tags]
    if len(kinds) > 1:
        yield f"has the tags {' and '.join(kinds)}"
    if any(isinstance(node, ast.Assert) for node in ast.walk(tree)) != (ANYWHERE in kinds):
        yield f"asserts without the tag {ANYWHERE}, or has the tag and asserts nothing"
    if _reads_a_record(tree) != (RECORDED in kinds):
        yield f"reads a record without the tag {RECORDED}, or has the tag and reads none"
    if "book/data" in code or "bench_" in code:
        yield "reads book/data by path; halfbits.perf.records has it by name"
    if MACHINE in kinds and NAMES_THE_MACHINE not in _names(tree):
        yield f"shows what belongs to a machine and does not print {NAMES_THE_MACHINE}()"
    shows_time = False
    for statement in _statements(tree.body):
        is_timed = _is_timed(statement, timed)
        if isinstance(statement, ast.Assert) and is_timed:
            yield f"line {statement.lineno} asserts a time: {ast.unparse(statement)}"
        shows_time |= is_timed and not isinstance(statement, ast.FunctionDef)
        _follow(statement, is_timed, timed)
    if shows_time and MACHINE not in kinds:
        yield f"uses a time without the tag {MACHINE}"


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements in the order of the text: those in loops and branches, not in functions."""
    for statement in body:
        yield statement
        if not isinstance(statement, ast.FunctionDef | ast.ClassDef):
            for block in ("body", "handlers", "orelse", "finalbody"):
                yield from _statements(getattr(statement, block, []))


def _is_timed(statement: ast.stmt, timed: set[str]) -> bool:
    """Whether what the statement reads, without the blocks in it, holds a timer or a time."""
    read: ast.AST | None = statement
    if isinstance(statement, ast.With | ast.Try | ast.ClassDef | ast.Import | ast.ImportFrom):
        return False
    if isinstance(statement, ast.For):
        read = statement.iter
    elif isinstance(statement, ast.If | ast.While):
        read = statement.test
    elif isinstance(statement, ast.Assign | ast.AnnAssign):
        read = statement.value
    return read is not None and bool(_names(read) & (TIMERS | timed))


def _follow(statement: ast.stmt, is_timed: bool, timed: set[str]) -> None:
    """Add the names that the statement gives a time to `timed`, and take out those it does not."""
    targets: list[ast.expr] = []
    if isinstance(statement, ast.FunctionDef):
        targets = [ast.Name(statement.name)]
    elif isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign | ast.AugAssign | ast.For):
        targets = [statement.target]
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        targets = [statement.value.func] if is_timed else []  # times.append(seconds(run))
    for target in targets:
        new = {root for part in _parts(target) if (root := _root(part))}
        whole = {part.id for part in _parts(target) if isinstance(part, ast.Name)}
        timed |= (new - {"print", "glue"}) if is_timed else set()
        timed -= set() if is_timed else whole


def _parts(target: ast.expr) -> list[ast.expr]:
    if isinstance(target, ast.Tuple | ast.List):
        return [part for element in target.elts for part in _parts(element)]
    return [target]


def _root(target: ast.expr) -> str:
    """The name that a target such as `a`, `a[0]` or `a.b` begins with."""
    while isinstance(target, ast.Subscript | ast.Attribute | ast.Starred):
        target = target.value
    return target.id if isinstance(target, ast.Name) else ""


def _names(tree: ast.AST) -> set[str]:
    """The names that are used, and `time.perf_counter` by its last part; no other attribute, for
    a prediction's `machine.seconds(work)` takes no time."""
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return names | (attributes & (TIMERS - {"seconds"}))


def _reads_a_record(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.Call) and ast.unparse(node.func) in READERS for node in ast.walk(tree)
    )
