"""Puts a suite of the check kit on trial: a right answer, and a wrong one for each claim."""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any

from halfbits.course.checks import Suite, context
from halfbits.course.checks.expect import CheckFailed
from halfbits.course.grading.judge.state import State


def answer_of(source: str, *swaps: str) -> SimpleNamespace:
    """What `source` defines, with each old text, which must occur once, replaced by the next."""
    for old, new in zip(swaps[::2], swaps[1::2], strict=True):
        assert source.count(old) == 1, f"{old!r} occurs {source.count(old)} times"
        source = source.replace(old, new)
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    return SimpleNamespace(**namespace)


def claims(suite: Suite) -> list[str]:
    """The names of the suite's checks."""
    methods = inspect.getmembers(type(suite), inspect.isfunction)
    return [name for name, _ in methods if name.startswith("test_")]


def verdict(suite: Suite, claim: str, answer: SimpleNamespace, seed: int = 3) -> str:
    """The failure's text, or an empty one. An error of the answer's own counts as a failure."""
    check = getattr(suite, claim)
    context.begin(check)
    state = State()
    try:
        check(*[answer, seed][: len(inspect.signature(check).parameters)])
    except CheckFailed as failure:
        return str(failure)
    except Exception as error:
        return f"raised {type(error).__name__}: {error}"
    finally:
        state.restore()
    return ""
