"""Claims of the interview bank on data: starved experts, folded scales, distillation, releases."""

from __future__ import annotations

import math

import pytest
import torch
from interview_draws import draw
from torch import Tensor
from torch.nn import functional as F

from halfbits.perf.architecture.published import model
from halfbits.perf.architecture.schemes import scheme
from halfbits.quantize import quantize_nvfp4


def test_128_sequences_give_an_expert_of_deepseek_v3_hardly_more_tokens_than_inputs() -> None:
    config = model("DeepSeek-V3").config
    experts, chosen, inputs = (
        config[name] for name in ("n_routed_experts", "num_experts_per_tok", "hidden_size")
    )
    tokens = 128 * 2048 * chosen // experts
    assert (experts, chosen, inputs, tokens) == (256, 8, 7168, 8192)


def test_a_second_moment_from_fewer_tokens_than_inputs_has_no_inverse() -> None:
    x = draw(0, 12, 32)
    assert torch.linalg.matrix_rank(x.T @ x) == 12
    assert torch.linalg.matrix_rank(draw(0, 64, 32).T @ draw(0, 64, 32)) == 32


def swiglu(gate: Tensor, up: Tensor, x: Tensor) -> Tensor:
    return F.silu(x @ gate.T) * (x @ up.T)


def test_two_halves_with_one_tensor_scale_need_their_block_scales_moved() -> None:
    """NVFP4 stores code * block scale * tensor scale; a fused kernel has one tensor scale."""
    x, gate, up = draw(0, 64, 32), draw(1, 16, 32), draw(2, 16, 32) / 1.9
    exact = swiglu(gate, up, x)
    halves = [quantize_nvfp4(w.float()).dequantize().double() for w in (gate, up)]
    ratio = (gate.abs().max() / up.abs().max()).item()

    def error(second: Tensor) -> float:
        return ((swiglu(halves[0], second, x) - exact).norm() / exact.norm()).item()

    moved = halves[1]  # block scales times own / common, then the common scale: nothing changes
    assert error(moved) < 0.25 < 0.5 < error(halves[1] * ratio)
    wrong = swiglu(halves[0], halves[1] * ratio, x)
    assert torch.cosine_similarity(wrong.flatten(), exact.flatten(), 0) > 0.97


def norm(x: Tensor) -> Tensor:
    return x / (x.square().mean(-1, keepdim=True) + 1e-6).sqrt()


def test_dividing_the_stored_gain_is_wrong_where_the_layer_adds_one_to_it() -> None:
    x, w, stored = draw(0, 16, 32), draw(1, 8, 32), 0.3 * draw(2, 32)
    s = (draw(3, 32).abs() + 0.5) * 2
    exact = (norm(x) * (1 + stored)) @ w.T
    folded = {"stored": stored / s, "effective": (1 + stored) / s - 1}
    errors = {
        name: (((norm(x) * (1 + gain)) @ (w * s).T - exact).norm() / exact.norm()).item()
        for name, gain in folded.items()
    }
    assert errors["effective"] < 1e-12 and errors["stored"] > 0.3


def test_the_gradient_of_distillation_is_the_difference_of_two_distributions() -> None:
    teacher, student = draw(0, 50), draw(1, 50).requires_grad_()
    F.kl_div(student.log_softmax(0), teacher.softmax(0), reduction="sum").backward()
    assert student.grad is not None
    torch.testing.assert_close(student.grad, student.detach().softmax(0) - teacher.softmax(0))


def test_a_temperature_divides_the_gradient_by_its_square_at_large_temperatures() -> None:
    teacher = draw(0, 50)
    sizes = []
    for t in (8.0, 16.0):
        student = draw(1, 50).requires_grad_()
        loss = F.kl_div((student / t).log_softmax(0), (teacher / t).softmax(0), reduction="sum")
        loss.backward()
        assert student.grad is not None
        sizes.append(student.grad.norm().item())
    assert sizes[0] / sizes[1] == pytest.approx(4, rel=0.2)


def test_forward_kl_covers_both_modes_and_reverse_kl_chooses_one() -> None:
    places = torch.arange(41).double()

    def bump(center: float, width: float) -> Tensor:
        return F.softmax(-((places - center) ** 2) / (2 * width**2), 0)

    teacher = 0.5 * bump(10, 2) + 0.5 * bump(30, 2)
    students = {(c, w): bump(c, w) for c in range(5, 36) for w in (2, 3, 4, 6, 8, 10, 12)}

    def kl(p: Tensor, q: Tensor) -> float:
        return (p * (p.clamp(min=1e-300).log() - q.clamp(min=1e-300).log())).sum().item()

    forward = min(students, key=lambda key: kl(teacher, students[key]))
    reverse = min(students, key=lambda key: kl(students[key], teacher))
    assert forward[0] == 20 and forward[1] >= 8  # wide, over both
    assert reverse[0] in (10, 30) and reverse[1] <= 3


def test_an_int4_release_of_a_trillion_parameters_takes_4_63_bits_each() -> None:
    kimi = model("Kimi-K2-Thinking")
    assert kimi.stored is not None and kimi.checkpoint_bytes is not None
    assert 8 * kimi.checkpoint_bytes / kimi.stored == pytest.approx(4.631, abs=1e-3)
    assert scheme(kimi.released).nbytes(kimi.sizes.parts) == pytest.approx(
        kimi.checkpoint_bytes, rel=1e-3
    )
    experts = kimi.sizes.parts["experts"]
    assert experts / kimi.sizes.total == pytest.approx(0.9886, abs=1e-3)
    assert math.isclose(kimi.sizes.total, kimi.stored, rel_tol=1e-6)
