"""General kinds of wrong answers, made from the solution of any exercise: no list to write.

`python -m halfbits.course.authoring.kinds [NAME ...]` prints those that all checks accept. Each is
the solution of one task with a habit: it remembers results, hands out one buffer, changes one of
its arguments, reads one that is a view in the order of memory, or answers in another dtype.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from typing import NamedTuple

from halfbits.course.authoring import habits
from halfbits.course.authoring.contract import Trial
from halfbits.course.catalog import load_catalog
from halfbits.course.grading.process.pool import pool_for_many
from halfbits.course.notebook import Cell
from halfbits.folders import find_root

# Annotations at whose beginning stands what the habits look for: a callable's own are another's.
TENSOR = r"(torch\.)?Tensor|(list|dict|tuple)\[.*Tensor"
CHANGED = r"(torch\.)?Tensor|list|dict|nn\.Module"
# Annotations of what has no place in memory that a program could name it by.
PLAIN = re.compile(r"(self|int|float|str|bool|torch\.dtype|Path|None|[ |])*")


class Signature(NamedTuple):
    """A function or method of a task: the annotations of its arguments and of its result."""

    task: str
    arguments: tuple[str, ...]
    result: str

    @property
    def has_places(self) -> bool:
        """Whether an argument, or a result that is handed out again, could be remembered."""
        changes = re.search("Tensor|list|dict", self.result) is not None
        return changes or not all(map(PLAIN.fullmatch, self.arguments))


class Kind(NamedTuple):
    """A habit: its code, and a pattern of the checks that are tried first.

    `arguments` matches the annotations of those that it is about, each alone if the name has a
    place for its number; `result` is found in the annotation of the result; without either it is
    about where arguments lie.
    """

    name: str
    code: str
    noticed: str
    arguments: str = ""
    result: str = ""

    def of(self, signature: Signature) -> Iterator[tuple[str, int]]:
        """The habit's names at this function, and the number of the argument that each is about."""
        if self.arguments:
            given = enumerate(signature.arguments)
            places = [place for place, one in given if re.match(self.arguments, one)]
            for place in places if "{}" in self.name else places[:1]:
                yield self.name.format(place + 1), place
        elif re.search(self.result, signature.result) if self.result else signature.has_places:
            yield self.name, 0


KINDS = (
    Kind("remembers its results by place", habits.REMEMBERS, "reads_its_arguments|is_the_callers"),
    Kind("hands out one buffer", habits.BUFFER, "is_the_callers", result="Tensor|list|dict"),
    # Every call of a check compares its arguments, so that neither one alone nor a view is tried.
    Kind("changes what it is given", habits.CHANGES, "left|untouched|alone", arguments=CHANGED),
    Kind(
        "reads argument {} in the order of memory",
        habits.IN_ORDER,
        "view|layout|strided|shape|transposed|alone|left",
        arguments=TENSOR,
    ),
    Kind("answers in another type", habits.OTHER_TYPE, "", result="Tensor|Any"),
)


class Accepted(NamedTuple):
    """A kind of wrong answer to a task that all checks accept."""

    task: str
    kind: str


def accepted(trial: Trial) -> Iterator[Accepted]:
    """The kinds of wrong answers to each task of an exercise that no check notices."""
    for signature in signatures(trial):
        task = signature.task.partition(".")[0]
        names = [c.name for c in trial.checks if c.task == task and not c.scored]
        for kind in KINDS:
            first = [name for name in names if re.search(kind.noticed, name)][:4]
            for name, place in kind.of(signature):
                cells = [*trial.solution, with_habit(signature.task, kind, place)]
                if not (_notices(trial, cells, first) or _notices(trial, cells, names)):
                    yield Accepted(signature.task, name)


def signatures(trial: Trial) -> list[Signature]:
    """Each task that is a function, and each public method of a task that is a class."""
    tasks, found = set(trial.exercise.tasks), []
    for node in (node for cell in trial.solution for node in ast.parse(cell.source).body):
        if isinstance(node, ast.FunctionDef) and node.name in tasks:
            found.append(_signature(node))
        elif isinstance(node, ast.ClassDef) and node.name in tasks:
            methods = [part for part in node.body if isinstance(part, ast.FunctionDef)]
            public = [one for one in methods if not (one.decorator_list or one.name[0] == "_")]
            found += [_signature(one, f"{node.name}.") for one in public]
    return found


def _signature(node: ast.FunctionDef, of: str = "") -> Signature:
    """Its object stands first among the arguments of a method `of` a class.

    "Any" is TensorFlow's tensor where an argument is one as well, and else says nothing.
    """
    whole = [ast.unparse(a.annotation) if a.annotation else "" for a in node.args.args]
    whole[:1] = ["self"] if of else whole[:1]
    returned = ast.unparse(node.returns) if node.returns else ""
    if "Any" in returned and "Any" not in whole:
        returned = ""
    return Signature(f"{of}{node.name}", tuple(whole), returned)


def with_habit(task: str, kind: Kind, place: int = 0) -> Cell:
    """The cell that gives the solution's function this habit."""
    code = kind.code.strip().replace("\n", "\n        ")
    return Cell("cell 99", habits.CELL.format(task=task, code=code, place=place))


def _notices(trial: Trial, cells: list[Cell], names: list[str]) -> bool:
    if not names:
        return False
    report = trial.grade(cells, checks=names)
    return report.problem is not None or bool(report.failures)


def main(arguments: list[str] | None = None) -> int:
    """Print the kinds that each exercise accepts; 1 if there are any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="exercises; all if none is named")
    catalog, workers = load_catalog(find_root()), pool_for_many()
    names = parser.parse_args(arguments).names
    chosen = [catalog.find(name) for name in names] or list(catalog.exercises)
    bad = 0
    for exercise in chosen:
        found = list(accepted(Trial(catalog, exercise, workers)))
        bad += len(found)
        print(f"{exercise.key}: {len(found)} kinds accepted", flush=True)
        for one in found:
            print(f"  {one.task} {one.kind}", flush=True)
    workers.close()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
