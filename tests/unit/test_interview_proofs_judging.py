"""Claims of the interview bank on judging a quantized model: margins, bisection, importance."""

from __future__ import annotations

import copy
import math
import unicodedata
from collections import Counter
from statistics import NormalDist

import pytest
import torch
from torch import Tensor

from halfbits.models.llama import Llama
from halfbits.models.surgery import block_linears
from halfbits.models.tiny_lm import load_text, load_tiny_lm

Z = NormalDist().inv_cdf


def upper(difference: float, error: float, alpha: float = 0.05) -> float:
    """The end of the one-sided 1 - alpha interval of a loss."""
    return difference + Z(1 - alpha) * error


def test_a_wide_interval_is_no_difference_and_no_proof_of_equality_either() -> None:
    drop, error, margin = 0.005, 0.006, 0.01
    assert drop < 1.96 * error  # "not significant"
    assert upper(drop, error) > margin  # and not shown to be harmless


def items(discordant: float, margin: float, alpha: float = 0.05, power: float = 0.8) -> int:
    """Items that show non-inferiority of equal models: (z_alpha + z_power)^2 d / margin^2."""
    return math.ceil((Z(1 - alpha) + Z(power)) ** 2 * discordant / margin**2)


def test_a_margin_of_one_point_needs_3092_items_when_five_percent_are_discordant() -> None:
    assert items(0.05, 0.01) == 3092
    assert items(0.05, 0.005) == pytest.approx(4 * items(0.05, 0.01), rel=0.001)


def test_the_number_of_items_for_a_margin_shows_it_in_eight_of_ten_trials() -> None:
    n, draw = items(0.05, 0.01), torch.Generator().manual_seed(0)
    change = torch.rand(2000, n, generator=draw)
    lost, won = (change < 0.025), (change > 0.975)  # equal models that differ on 5% of the items
    d = lost.double() - won.double()
    ends = d.mean(1) + Z(0.95) * d.std(1) / n**0.5
    assert 0.75 < (ends < 0.01).double().mean() < 0.85


@pytest.fixture(scope="module")
def broken() -> tuple[Llama, Llama, Tensor, str]:
    """The tiny LM, a copy with one matrix damaged, some text, and the matrix's name."""
    lm = load_tiny_lm()
    ids = lm.encode(load_text("heldout"))[:128].view(2, 64)
    damaged, name = copy.deepcopy(lm.model), "layers.3.self_attn.v_proj"
    layer = dict(block_linears(damaged))[name]
    with torch.no_grad():
        layer.weight.copy_(layer.weight.roll(1, 0))
    return lm.model, damaged, ids, name


@torch.no_grad()
def test_bisection_over_42_matrices_finds_the_broken_one_in_six_comparisons(
    broken: tuple[Llama, Llama, Tensor, str],
) -> None:
    base, damaged, ids, wanted = broken
    names = [name for name, _ in block_linears(base)]
    exact, sources = base(ids).log_softmax(-1), dict(block_linears(damaged))

    def loss(swapped: list[str]) -> float:
        mixed = copy.deepcopy(base)
        for name, layer in block_linears(mixed):
            if name in swapped:
                layer.weight.copy_(sources[name].weight)
        other = mixed(ids).log_softmax(-1)
        return (exact.exp() * (exact - other)).sum(-1).mean().item()

    suspects, comparisons = names, 0
    while len(suspects) > 1:
        half = suspects[: len(suspects) // 2]
        comparisons += 1
        suspects = half if loss(half) > 0.01 else suspects[len(half) :]
    assert suspects == [wanted] and comparisons <= 6
    assert len(names) == 42 <= 2**6


@torch.no_grad()
def test_the_first_block_whose_output_is_off_holds_the_broken_matrix(
    broken: tuple[Llama, Llama, Tensor, str],
) -> None:
    base, damaged, ids, wanted = broken
    outputs: list[list[Tensor]] = []
    for model in (base, damaged):
        seen: list[Tensor] = []
        hooks = [
            b.register_forward_hook(lambda _, __, out, s=seen: s.append(out))
            for b in model.blocks()
        ]
        model(ids)
        for hook in hooks:
            hook.remove()
        outputs.append([out[0] if isinstance(out, tuple) else out for out in seen])
    off = [not torch.equal(a, b) for a, b in zip(*outputs, strict=True)]
    assert off.index(True) == int(wanted.split(".")[1]) and all(off[off.index(True) :])


PROBABILITIES = torch.tensor([[0.50, 0.30, 0.15, 0.05], [0.60, 0.30, 0.08, 0.02]]).double()
REWARD = torch.tensor([1.0, 0.0, 2.0, 5.0]).double()


def test_an_importance_ratio_undoes_the_wrong_sampler_and_a_truncated_one_nearly() -> None:
    trainer, server = PROBABILITIES
    ratio = trainer / server
    wanted = (trainer * REWARD).sum()
    plain = (server * REWARD).sum()
    whole = (server * ratio * REWARD).sum()
    cut = (server * ratio.clamp(max=2) * REWARD).sum()
    assert whole == pytest.approx(wanted.item())
    assert abs(cut - wanted) < abs(plain - wanted) / 3

    def variance(weights: Tensor) -> Tensor:
        mean = (server * weights * REWARD).sum()
        return (server * (weights * REWARD - mean).square()).sum()

    assert variance(ratio.clamp(max=2)) < variance(ratio)


def test_ratios_of_tokens_multiply_so_an_answers_spread_grows_with_the_root_of_its_length() -> None:
    draws = 0.05 * torch.randn(4000, 400, generator=torch.Generator().manual_seed(0))
    spread = [draws[:, :n].sum(1).std().item() for n in (100, 400)]
    assert spread[1] / spread[0] == pytest.approx(2, rel=0.05)
    assert spread[1] == pytest.approx(1, rel=0.05)


def preferred(gap: Tensor, place: float, length: float) -> Tensor:
    """Verdicts for the first model: 1, or 0 for the second; `gap` is what it is better by."""
    return (gap + place + length > 0).double()


def test_both_orders_cancel_a_taste_for_the_first_answer_and_keep_one_for_the_longer() -> None:
    gap = torch.randn(20_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    one_order = preferred(gap, place=0.5, length=0).mean().item()
    both = (preferred(gap, 0.5, 0) + preferred(gap, -0.5, 0)).mean().item() / 2
    longer = (preferred(gap, 0.5, 0.5) + preferred(gap, -0.5, 0.5)).mean().item() / 2
    assert one_order == pytest.approx(NormalDist().cdf(0.5), abs=0.015)  # 0.69 of equal models
    assert both == pytest.approx(0.5, abs=0.015)
    assert longer > 0.65


def f1(answer: list[str], reference: list[str]) -> float:
    """Harmonic mean of precision and recall over shared pieces, as SQuAD scores answers."""
    shared = sum((Counter(answer) & Counter(reference)).values())
    return 2 * shared / (len(answer) + len(reference))


def test_f1_over_words_between_spaces_is_all_or_nothing_in_chinese() -> None:
    answer, reference = "北京大学位于北京市海淀区", "北京大学在北京市海淀区"
    assert f1(answer.split(), reference.split()) == 0
    assert f1(list(answer), list(reference)) == pytest.approx(20 / 23)


def test_nfkc_makes_full_width_digits_and_signs_equal_and_leaves_chinese_numerals() -> None:
    assert unicodedata.normalize("NFKC", "１２．５％（Ａ）") == "12.5%(A)"
    assert unicodedata.normalize("NFKC", "，：") == ",:"
    assert unicodedata.normalize("NFKC", "三百。、") == "三百。、"
