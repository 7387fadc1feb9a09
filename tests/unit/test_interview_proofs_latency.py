"""Claims of the interview bank on latency, and on what a multiprocessor can issue, by a record."""

from __future__ import annotations

import pytest

from halfbits.perf import records
from halfbits.perf.cost import hardware

RECORD = records.load("gpu_latency")
SECONDS = 1 / 1.98e9  # of a cycle at the highest clock


def cycles(of: str) -> float:
    [row] = records.rows(RECORD, "cycles", of=of)
    return float(row["cycles"]["median"])


def bandwidth(threads: int, width: int) -> float:
    [row] = records.rows(RECORD, "bandwidth", threads=threads, bytes=width)
    return float(row["bandwidth"]["median"])


def test_bandwidth_follows_the_bytes_in_flight_until_memory_is_full() -> None:
    """Little: a fixed latency, so twice the threads or loads of 16 bytes reach as much more."""
    for threads in (128, 256, 512):
        assert bandwidth(2 * threads, 4) / bandwidth(threads, 4) == pytest.approx(2, rel=0.1)
        assert bandwidth(threads, 16) / bandwidth(threads, 4) == pytest.approx(4, rel=0.2)
        few_wide, many_narrow = bandwidth(threads, 16), bandwidth(4 * threads, 4)
        assert few_wide == pytest.approx(many_narrow, rel=0.1)
    assert 0.9 < bandwidth(2048, 16) / hardware()["H200 SXM"].bandwidth < 1
    for threads in (128, 512):  # what is in flight, over what arrives in a second
        took = 132 * threads * 4 / bandwidth(threads, 4)
        assert 0.8 < took / (cycles("load") * SECONDS) < 1.2


def test_adding_and_multiplying_take_no_longer_for_floats_than_a_product_of_integers() -> None:
    same = ("float_add", "float_multiply", "float_multiply_add", "int_multiply", "int_multiply_add")
    assert {round(cycles(of)) for of in same} == {5}
    assert 2 < cycles("int_add") < cycles("float_add")
    assert cycles("float_divide") > 8 * cycles("float_add")
    assert cycles("int_divide") == pytest.approx(3 * cycles("float_divide"), rel=0.1)


def test_an_sm_multiplies_four_warps_in_the_time_of_one_read_of_shared_memory() -> None:
    lanes = hardware()["H100 SXM"].peak["fp32"] / (132 * 1.98e9 * 2)  # a product and a sum
    banks = 32
    assert lanes / 32 == pytest.approx(4, rel=0.01)
    reads_of_one, reads_of_64 = (
        2,
        8 + 8,
    )  # for a multiply-add, and for a tile of 8 by 8 in registers
    assert banks / reads_of_one / lanes == pytest.approx(1 / 8, rel=0.01)
    assert 64 * banks / reads_of_64 / lanes == pytest.approx(1, rel=0.01)
