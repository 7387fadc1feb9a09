"""General kinds of wrong answers, made from the solution of any exercise: no list to write.

`python -m halfbits.course.authoring.kinds [NAME ...]` prints those that all checks accept. Each is
the solution of one task with a habit: it remembers results, hands out one buffer, changes what it
was given, reads a view in the order of memory, or answers in another dtype.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from typing import NamedTuple

from halfbits.course.authoring.contract import Trial
from halfbits.course.catalog import load_catalog
from halfbits.course.grading.process.pool import pool_for_many
from halfbits.course.notebook import Cell
from halfbits.folders import find_root


class Kind(NamedTuple):
    """A habit: what it does around `inner`, and a pattern of the checks that are tried first.

    A task takes a tensor, or the kind says nothing; `of` is "result" where it returns one, too.
    """

    name: str
    code: str
    of: str
    noticed: str


REMEMBERS = """
key = tuple(a.data_ptr() if isinstance(a, torch.Tensor) else a if isinstance(a, (int, float, str))
            else id(a) for a in args)
if key not in kept:
    kept[key] = inner(*args, **kwargs)
return kept[key]
"""
BUFFER = """
def fill(new, at):
    if isinstance(new, (list, tuple)):
        return [fill(one, (at, i)) for i, one in enumerate(new)]
    if not isinstance(new, torch.Tensor):
        return new
    old = kept.setdefault((at, new.shape, new.dtype), new.detach().clone())
    old.copy_(new.detach())
    return old
return fill(inner(*args, **kwargs), 0)
"""
CHANGES = """
def change(a):
    if isinstance(a, (dict, list, tuple)):
        [change(one) for one in (a.values() if isinstance(a, dict) else a)]
    elif isinstance(a, torch.Tensor) and a.numel() and CONDITION:
        first = a.detach()[(0,) * a.dim()]
        first.copy_(~first if a.dtype == torch.bool else first * 0 + 3)
result = inner(*args, **kwargs)
change(args)
return result
"""
IN_ORDER = """
def straight(a):
    if isinstance(a, dict):
        return {key: straight(one) for key, one in a.items()}
    if isinstance(a, (list, tuple)):
        return [straight(one) for one in a]
    if not isinstance(a, torch.Tensor) or a.is_contiguous():
        return a
    strides = torch.empty(a.shape).stride()
    last = sum((n - 1) * s for n, s in zip(a.shape, strides)) + a.storage_offset()
    ends = a.untyped_storage().nbytes() // a.element_size()
    return a.as_strided(a.shape, strides) if last < ends else a.flip(0)
return inner(*straight(args), **kwargs)
"""
OTHER_TYPE = """
def other(new):
    if isinstance(new, (list, tuple)):
        return type(new)(map(other, new))
    if not isinstance(new, torch.Tensor):
        return new
    whole = torch.int32 if new.dtype != torch.int32 else torch.int64
    narrow = torch.float64 if new.dtype != torch.float64 else torch.float32
    return new.to(narrow if new.is_floating_point() else whole)
return other(inner(*args, **kwargs))
"""
KINDS = (
    Kind("remembers its results by place", REMEMBERS, "arguments", "reads_its_arguments"),
    Kind("hands out one buffer", BUFFER, "result", "that_is_the_callers"),
    Kind(
        "changes an argument that is a view",
        CHANGES.replace("CONDITION", "not a.is_contiguous()"),
        "arguments",
        "view|left|untouched|layout|strided|alone|shape|transposed",
    ),
    Kind(
        "changes an argument of some size",
        CHANGES.replace("CONDITION", "a.numel() > 5"),
        "arguments",
        "left|untouched|alone",
    ),
    Kind(
        "reads a view in the order of memory",
        IN_ORDER,
        "arguments",
        "view|layout|strided|shape|transposed|alone|left",
    ),
    Kind("answers in another type", OTHER_TYPE, "result", ""),
)
CELL = """import functools
import torch
def habit(inner):
    kept = {{}}
    @functools.wraps(inner)
    def outer(*args, **kwargs):
        {code}
    return outer
{task} = habit({task})
"""


class Accepted(NamedTuple):
    """A kind of wrong answer to a task that all checks accept."""

    task: str
    kind: str


def accepted(trial: Trial) -> Iterator[Accepted]:
    """The kinds of wrong answers to each task of an exercise that no check notices."""
    for task, signature in signatures(trial).items():
        names = [check.name for check in trial.checks if check.task == task]
        for kind in KINDS:
            if "Tensor" in signature["arguments"] and "Tensor" in signature[kind.of]:
                cells = [*trial.solution, with_habit(task, kind)]
                first = [name for name in names if re.search(kind.noticed, name)][:4]
                if not (_notices(trial, cells, first) or _notices(trial, cells, names)):
                    yield Accepted(task, kind.name)


def signatures(trial: Trial) -> dict[str, dict[str, str]]:
    """The annotations of each task that is a function: of its arguments and of its result."""
    tasks, found = set(trial.exercise.tasks), {}
    for cell in trial.solution:
        for node in ast.parse(cell.source).body:
            if isinstance(node, ast.FunctionDef) and node.name in tasks:
                whole = [ast.unparse(a.annotation) for a in node.args.args if a.annotation]
                returned = ast.unparse(node.returns) if node.returns else ""
                found[node.name] = {"arguments": ", ".join(whole), "result": returned}
    return found


def with_habit(task: str, kind: Kind) -> Cell:
    """The cell that gives the solution's function this habit."""
    code = kind.code.strip().replace("\n", "\n        ")
    return Cell("cell 99", CELL.format(task=task, code=code))


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
