"""Timing and figures: what the lessons' helpers promise."""

from __future__ import annotations

import pytest

from halfbits import plots
from halfbits.perf import measure


class Clock:
    """A clock that goes only when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += seconds


def test_a_ratio_above_one_means_that_the_candidate_is_faster(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(measure.time, "perf_counter", clock)
    ratio = measure.paired_ratio(lambda: clock.pass_(0.02), lambda: clock.pass_(0.005), pairs=5)
    assert (ratio.low, ratio.median, ratio.high) == pytest.approx((4, 4, 4))


def test_too_few_pairs_are_refused():
    with pytest.raises(ValueError, match="pairs is 2"):
        measure.paired_ratio(int, int, pairs=2)


def test_the_baseline_and_the_candidate_take_turns():
    turns: list[str] = []
    measure.paired_ratio(lambda: turns.append("b"), lambda: turns.append("c"), pairs=4, warm_up=1)
    assert turns == ["b", "c"] * 5


def test_the_cpu_report_names_no_machine():
    report = measure.cpu_report()
    assert set(report) == {"machine", "capability", "isa", "threads", "native_bf16"}
    assert report["threads"] >= 1


def test_the_instruction_sets_have_the_names_that_pytorch_gives_them():
    import torch

    listed = torch.cpu.get_capabilities.__doc__ or ""
    assert not [name for name in measure._LOW_PRECISION if name not in listed]


def test_this_machine_is_one_line():
    line = measure.this_machine()
    assert "\n" not in line and "thread" in line and measure.cpu_report()["capability"] in line


def test_progress_yields_every_item_in_order():
    assert list(measure.progress("abc", "letters")) == ["a", "b", "c"]


def test_a_figure_is_a_small_picture_that_does_not_change_between_runs():
    def draw() -> bytes:
        made, axes = plots.figure()
        axes.plot([1, 2, 3], [1, 4, 9], label="squares")
        plots.label_ends(axes)
        return plots.png(made)

    picture = draw()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 60_000
    assert picture == draw()


def test_a_figure_without_a_real_text_alternative_is_refused():
    made, _ = plots.figure()
    with pytest.raises(ValueError, match="text alternative"):
        plots.show(made, "a plot")
