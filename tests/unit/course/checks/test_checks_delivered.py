"""What is delivered as files: bytes, the way back, and what stays hidden from the answer."""

from __future__ import annotations

import math
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from halfbits.course.checks import decoding
from halfbits.course.checks.delivered import (
    CLOSEST,
    KEPT,
    as_lossy_as_its_size,
    bytes_in,
    deliver,
    fits,
    hides_nothing,
)
from halfbits.course.checks.expect import CheckFailed
from halfbits.course.checks.opened import WATCH
from halfbits.course.checks.whole_models import Case, plainly_rounded, small_case, tiny_case
from halfbits.models.llama import Llama, LlamaConfig

SEED = 5


def write(model: Llama, calibration: Tensor, budget: int, folder: Path) -> int:
    """The float weights themselves: a delivery that loses nothing and fits nowhere."""
    torch.save(dict(model.named_parameters()), folder / "all.pt")
    return (folder / "all.pt").stat().st_size


def read(folder: Path, config: LlamaConfig) -> Llama:
    return Llama.from_weights(config, torch.load(folder / "all.pt"))


FLOAT = SimpleNamespace(write_model=write, read_model=read)


@pytest.fixture(autouse=True)
def nothing_opened_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests of this process read the hidden text, too."""
    monkeypatch.setattr(WATCH, "opened", [])


def test_float_files_come_back_as_the_same_model() -> None:
    case = small_case(SEED)
    (made,) = deliver(FLOAT, case)
    assert made.size == made.said > case.budget
    assert case.divergence(made.model).value < 1e-6 * case.plain.value
    assert decoding.cache_error(case, made.model) < 1e-4


def test_plain_rounding_is_the_mark_and_costs_what_four_bits_cost() -> None:
    case = small_case(SEED)
    rounded = plainly_rounded(case.model)
    assert case.divergence(rounded).value == case.plain.value > 0.01
    levels = rounded.layers[0].mlp.up_proj.weight[0].unique()
    assert len(levels) <= 16


def small() -> Case:
    return small_case(SEED)


@pytest.mark.parametrize(("count", "said"), [(0, "0 files"), (17, "17 files")])
def test_number_of_files_is_bounded(tmp_path: Path, count: int, said: str) -> None:
    for number in range(count):
        (tmp_path / f"{number}").write_bytes(b"x")
    with pytest.raises(CheckFailed, match=said):
        bytes_in(tmp_path)


def test_links_and_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"123")
    assert bytes_in(tmp_path) == 3
    (tmp_path / "c").symlink_to(tmp_path / "b")
    with pytest.raises(CheckFailed, match="plain files"):
        bytes_in(tmp_path)
    (tmp_path / "c").unlink()
    (tmp_path / "names hold bytes too").mkdir()
    with pytest.raises(CheckFailed, match="plain files"):
        bytes_in(tmp_path)


def test_model_read_back_opens_its_own_files_alone(tmp_path: Path) -> None:
    weights = tmp_path / "weights.safetensors"
    save_file({"w": torch.ones(100, 100)}, weights)

    def reads_another(folder: Path, config: LlamaConfig) -> Llama:
        load_file(weights)
        return read(folder, config)

    (made,) = deliver(FLOAT, small())
    assert made.opened == []
    other = SimpleNamespace(write_model=write, read_model=reads_another)
    (made,) = deliver(other, small())
    assert made.opened == [str(weights)]
    with pytest.raises(CheckFailed, match=r"opened .*weights\.safetensors"):
        hides_nothing(made)


def test_bytes_are_those_of_the_files_and_fit_the_budget() -> None:
    (made,) = deliver(FLOAT, small())
    roomy = replace(small(), budget=made.size)
    fits(made, roomy)
    with pytest.raises(CheckFailed, match="bytes"):
        fits(made, small())
    with pytest.raises(CheckFailed, match="the bytes returned by write_model"):
        fits(replace(made, said=made.size - 1), roomy)


@pytest.mark.parametrize("ratio", [0.0, CLOSEST / 2, math.nan])
def test_model_that_is_closer_than_its_bytes_allow_is_refused(ratio: float) -> None:
    as_lossy_as_its_size(CLOSEST)
    with pytest.raises(CheckFailed, match=r"at least 0\.008"):
        as_lossy_as_its_size(ratio)


def test_what_is_remembered_by_its_place_is_out_of_date() -> None:
    seen: dict[tuple[int, int, int], int] = {}

    def remembers(model: Llama, calibration: Tensor, budget: int, folder: Path) -> int:
        key = id(model), calibration.data_ptr(), id(folder)
        if key not in seen:
            seen[key] = write(model, calibration, budget, folder)
        return seen[key]

    with pytest.raises(CheckFailed, match="0 files"):
        deliver(SimpleNamespace(write_model=remembers, read_model=read), small(), small())


def test_tokens_to_calibrate_on_are_a_view() -> None:
    layouts = []

    def looks(model: Llama, calibration: Tensor, budget: int, folder: Path) -> int:
        layouts.append((calibration.is_contiguous(), calibration.tolist()))
        return write(model, calibration, budget, folder)

    deliver(SimpleNamespace(write_model=looks, read_model=read), small())
    assert layouts == [(False, small().calibration.tolist())]


def test_what_outlives_the_call_is_found_in_any_module() -> None:
    holder = ModuleType("holder")
    sys.modules["holder"] = holder

    def keeps(model: Llama, *rest: Any) -> int:
        holder.kept = model.embed_tokens.weight.detach().numpy().copy()
        return write(model, *rest)

    answer = SimpleNamespace(write_model=keeps, read_model=read)
    (plain,) = deliver(FLOAT, small(), audited=True)
    (made,) = deliver(answer, small(), audited=True)
    del sys.modules["holder"]
    assert plain.kept <= KEPT < 4 * 256 * 64 <= made.kept
    hides_nothing(plain)
    with pytest.raises(CheckFailed, match="bytes that outlive it"):
        hides_nothing(made)


def test_windows_that_judge_are_none_that_calibrate_and_change_with_the_seed() -> None:
    case, other = tiny_case(1, 1000), tiny_case(2, 1000)
    own = {tuple(row) for row in case.calibration.tolist()}
    assert not own & {tuple(row[:128]) for row in case.hidden.tolist()}
    assert not torch.equal(case.hidden, other.hidden)


def test_speed_is_that_of_paired_runs() -> None:
    case = small()

    def slow(ids: Tensor, cache: Any = None) -> Tensor:
        time.sleep(0.02)
        return case.model(ids, cache)

    slowed = decoding.speed(case, slow)
    assert 0 < slowed < 0.7 and math.isfinite(slowed)


def test_everything_runs_on_one_thread_and_leaves_their_number() -> None:
    seen, before = [], torch.get_num_threads()

    def counts(*given: Any) -> int:
        seen.append(torch.get_num_threads())
        return write(*given)

    def logits(ids: Tensor, cache: Any = None) -> Tensor:
        seen.append(torch.get_num_threads())
        return small().model(ids, cache)

    torch.set_num_threads(2)
    deliver(SimpleNamespace(write_model=counts, read_model=read), small())
    small().divergence(logits)
    decoding.speed(small(), logits)
    decoding.cache_error(small(), logits)
    after = torch.get_num_threads()
    torch.set_num_threads(before)
    assert set(seen) == {1} and after == 2
