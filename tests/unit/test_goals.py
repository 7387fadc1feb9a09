"""The goals of the GPU kernels, judged from a record and from nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from halfbits.perf import goals, records

CASE = {"batch": 1, "inputs": 8192, "outputs": 8192}
COUNTERS = {"dram": 57.0, "l2": 58.0, "l1": 17.0, "issue": 31.0, "pipe": 33.0}


def row(way: str, median: float, **more: Any) -> dict[str, Any]:
    return {"way": way, **CASE, "floor": 8.0, "seconds": {"median": median}, **more}


def test_a_share_of_the_floor_is_met_or_missed_by_its_goal() -> None:
    record = {"gemv": [row("int4 g128, ours", 10.0), row("int4 g32, ours", 10.1)]}
    found = {goal.name.split(",")[0]: goal for goal in goals.goals(record)}
    assert found["int4 g128"].met and found["int4 g128"].achieved == 0.8
    assert not found["int4 g32"].met


def test_another_kernel_of_the_same_format_is_compared_and_no_other_format() -> None:
    ways = {"int8, ours": 9.0, "int8, torchao": 10.0, "int4 g128, torchao": 1.0}
    record = {"gemv": [row(way, median) for way, median in ways.items()]}
    [peer] = [goal for goal in goals.goals(record) if goal.name.endswith("of others")]
    assert peer.achieved == pytest.approx(10 / 9)


def test_a_missed_goal_has_a_line_with_what_was_counted_and_a_met_one_has_none() -> None:
    counted = {**CASE, **COUNTERS, "stall": "loads", "stalled": 55.2}
    ways = {"int8, ours": 8.0, "int4 g128, ours": 16.0}
    profile = [{"way": way, **counted} for way in ways]
    record = {"gemv": [row(way, took) for way, took in ways.items()], "profile": profile}
    lines = [line for line in goals.table(record) if line.startswith("    memory 57 %")]
    assert len(lines) == 1 and lines[0].endswith("issue 31 %, busiest pipe 33 %, waits: loads 55 %")


def test_a_record_without_the_rows_has_no_goals() -> None:
    assert goals.goals({}) == [] and len(goals.table({})) == 1


def test_the_committed_record_has_every_goal_and_counters_of_each_missed_one() -> None:
    found = goals.goals(records.load("h200"))
    shapes, squares = 2, 2
    of_floor, of_peers = shapes * len(goals.OF_FLOOR), shapes * 2
    of_bf16, of_squares = shapes * len(goals.OF_BF16), squares * len(goals.OF_EIGHT_BITS)
    assert len(found) == of_floor + of_peers + of_bf16 + len(goals.OF_CACHE) + of_squares
    assert all(goal.limit for goal in found if not goal.met)


def test_the_best_other_way_of_a_cpu_is_the_goal_and_a_copy_of_the_weight_is_none() -> None:
    speeds = {
        "int8, ours": 2.0,
        "int8 both, ONNX Runtime": 3.0,
        "int8, converted in each call": 9.0,
    }
    base = {"level": "avx2", "threads": 1, "batch": 1}
    gemv = [{"way": way, **base, "speed": {"median": speed}} for way, speed in speeds.items()]
    record = {"gemv": gemv, "decode": []}
    assert goals.on_cpu(record)["avx2", "int8", "gemv"] == (2.0, 3.0)
    assert goals.cpu_table(record)[0].endswith("ours 2.00  best other 3.00: missed")


NCU = """==PROF== Connected
"ID","Kernel Name","Metric Name","Metric Unit","Metric Value","Rule Description"
"0","columns","DRAM Throughput","%","56.80",""
"0","columns","L2 Cache Throughput","%","58.5",""
"0","columns","","","","On average, each warp spends 5.2 cycles being stalled waiting for a \
scoreboard dependency on a L1TEX (local, global) operation. It represents about 50.2% of the total."
"1","wide","SM Busy","%","33.5",""
"""


def test_what_the_profiler_wrote_becomes_a_row_for_each_launch() -> None:
    from benchmarks.profiled import counted

    first, second = counted(NCU)
    assert (first["kernel"], first["stall"]) == ("columns", "loads")
    assert (first["dram"], first["l2"], first["stalled"]) == (56.8, 58.5, 50.2)
    assert second == {"kernel": "wide", "pipe": 33.5} and counted("no counters") == []
