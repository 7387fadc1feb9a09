"""The demands under their former names, for check files that are not yet written with the kit."""

from __future__ import annotations

from typing import Any

from halfbits.course.checks import expect as demands

__all__ = [
    *("CheckFailed", "as_float64", "brief", "describe", "expect", "expect_array", "expect_close"),
    *("expect_dtype", "expect_untouched", "four_lines"),
]


def expect_array(got: Any, *, like: Any, called: str, why: str, check_dtype: bool = True) -> None:
    """Demand that `got` has the kind, the shape and (unless told not to) the dtype of `like`."""
    demands.like(got, like, check_dtype=check_dtype, called=called, why=why)
