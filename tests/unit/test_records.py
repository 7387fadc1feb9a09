"""Records are found by name: the machines', and every other one of book/data."""

from __future__ import annotations

import pytest

from halfbits.errors import CourseError
from halfbits.perf import records


def test_a_record_that_is_no_machine_s_is_loaded_by_the_name_of_its_file() -> None:
    assert records.rows(records.load("gpu_matmul"), "products", way="fp8, fast accumulation")


def test_a_machine_has_a_short_name() -> None:
    assert records.load("h100") == records.machine("h100") == records.load("bench_h100")


def test_a_name_that_no_record_has_is_answered_with_those_that_exist() -> None:
    with pytest.raises(CourseError, match=r"no record of 'h99'; there are .*gpu_matmul.*h100"):
        records.load("h99")


def test_a_record_of_something_else_is_no_machine() -> None:
    with pytest.raises(CourseError, match=r"no record of 'ladder'; there are .*h100.* bench"):
        records.machine("ladder")
