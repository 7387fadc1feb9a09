"""Every rule that can fail an exercise, as one list: made from its checks and the grader's own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from halfbits.course.catalog import Catalog, Exercise
from halfbits.course.checklist import Check, read_checks

# What holds in every check, whatever its claim. State is what judge/state.py compares.
ALWAYS = (
    "After each check these are as before it: torch's default dtype, default device, grad mode, "
    "CPU autocast and its dtype, deterministic flag, number of threads and seed; Keras's dtype "
    "policy and floatx; numpy's error state. Cells may change them: they are put back.",
    "Tensors, arrays, lists and models that a function or a method is given are as before when it "
    "returns, whatever their shape and layout, unless the task is to change them.",
    "Nothing in torch, numpy, the built-ins or the grader is replaced while a check runs.",
    "Nothing calls sys.exit or ends the process.",
    "All cells and checks together end within {limit:g} s; one alone gets two thirds of what is "
    "left. They use at most 4 GB of memory and write files of at most 64 MB.",
)


def rules_of(catalog: Catalog, exercise: Exercise) -> str:
    """The rules as Markdown: for each task the core claims, then the hardened ones."""
    checks = read_checks(catalog.checks(exercise))
    return "\n".join([*_of_tasks(exercise, checks), *_always(exercise)])


def _of_tasks(exercise: Exercise, checks: tuple[Check, ...]) -> Iterator[str]:
    for task in exercise.tasks:
        for hardened, title in ((False, f"**{task}**"), (True, f"**{task}, hardened**")):
            own = [c.claim for c in checks if c.task == task and c.hardened == hardened]
            if own:
                yield from (title, "", *(f"- {as_markdown(claim)}" for claim in own), "")


def as_markdown(claim: str) -> str:
    """A claim whose stars are multiplications and powers, not emphasis; code is left as it is."""
    return re.sub(r"(`[^`]*`)|\*", lambda part: part[1] or r"\*", claim)


def _always(exercise: Exercise) -> Iterator[str]:
    yield from ("**Always**", "")
    yield from (f"- {rule.format(limit=exercise.time_limit)}" for rule in ALWAYS)
