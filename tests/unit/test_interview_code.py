"""The Python that answers of the interview bank show runs, and does what they say of it."""

from __future__ import annotations

import contextlib
import itertools
import re
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

QUESTIONS = Path(__file__).parents[2] / "book" / "interview" / "questions"
FENCE = r"```{}\n(.*?)```"
WITH_CODE = sorted(p.stem for p in QUESTIONS.glob("*.md") if "```python" in p.read_text("utf-8"))


def shown(slug: str, language: str = "en", fence: str = "python") -> str:
    """The code of an answer; both languages show the same, comments apart."""
    english, chinese = (QUESTIONS / f"{slug}.md").read_text(encoding="utf-8").split("\n# zh: ")
    text = english if language == "en" else chinese
    return "\n".join(re.findall(FENCE.format(fence), text, re.DOTALL))


def defined(slug: str, **given: Any) -> dict[str, Any]:
    """The names that the code of an answer defines, beside those given to it."""
    names = {"torch": torch, "nn": nn, "F": F, "statistics": statistics, **given}
    exec(shown(slug), names)
    return names


@pytest.mark.parametrize("slug", WITH_CODE)
def test_both_languages_show_the_same_code(slug: str) -> None:
    english, chinese = (re.sub(r" *#.*", "", shown(slug, language)) for language in ("en", "zh"))
    assert english == chinese


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_layer_that_the_answer_shows_stores_int8_and_a_float32_bias(dtype: torch.dtype) -> None:
    linear = nn.Linear(48, 32).to(dtype)
    with torch.no_grad():
        linear.weight[3] = 0
    layer = defined("write_quantized_linear")["QuantizedLinear"].from_float(linear)
    kept = {name: (t.dtype, tuple(t.shape)) for name, t in layer.state_dict().items()}
    assert kept == {
        "codes": (torch.int8, (32, 48)),
        "scale": (torch.float32, (32,)),
        "bias": (torch.float32, (32,)),
    }
    step = layer.scale[:, None]
    error = (layer.codes.float() * step - linear.weight.detach().float()).abs()
    assert (error <= 0.5001 * step).all() and layer.codes[3].eq(0).all()
    x = torch.randn(2, 5, 48, generator=torch.Generator().manual_seed(0))
    exact = F.linear(x.double(), (layer.codes.float() * step).double(), layer.bias.double())
    torch.testing.assert_close(layer(x).double(), exact, rtol=1e-5, atol=1e-5)


def test_the_comparison_that_the_answer_shows_counts_examples_and_never_nan() -> None:
    def predictions(logits: Tensor) -> Tensor:
        return torch.where(logits.isnan().any(1), -1, logits.argmax(1))

    @contextlib.contextmanager
    def inference(*models: object) -> Iterator[None]:
        with torch.no_grad():
            yield

    code = shown("write_accuracy_report") + "    return n, right_a, right_b, same, kl\n"
    names = {"torch": torch, "predictions": predictions, "inference": inference}
    exec(code, names)
    compare: Callable[..., tuple[float, ...]] = names["compare"]  # type: ignore[assignment]
    first = torch.eye(3)[[0, 1, 2, 0]]
    broken = first.clone()
    broken[2] = torch.nan
    labels = torch.tensor([0, 1, 2, 1])
    parts = [(slice(0, 3), labels[:3]), (slice(3, 4), labels[3:])]  # the last batch is short
    n, right, right_too, same, kl = compare(first.__getitem__, first.half().__getitem__, parts)
    assert (n, right, right_too, same) == (4, 3, 3, 4) and kl == pytest.approx(0, abs=1e-12)
    assert compare(broken.__getitem__, broken.__getitem__, parts)[1:4] == (2, 2, 3)


def test_the_pairs_of_a_benchmark_take_turns_at_going_first() -> None:
    ran: list[str] = []

    def seconds(run: str) -> float:
        ran.append(run)
        return {"slow": 3.0, "fast": 1.5}[run]

    names = defined("review_a_benchmark", seconds=seconds)
    assert names["paired_ratio"]("slow", "fast", pairs=4) == [2, 2, 2]
    pairs = list(zip(ran[::2], ran[1::2], strict=True))
    assert all(set(pair) == {"slow", "fast"} for pair in pairs)
    assert all(one != other for one, other in itertools.pairwise(pairs))


def test_the_fake_quantization_that_the_answer_shows_stops_gradients_beyond_its_clip() -> None:
    fake_quantize = defined("straight_through_estimator")["fake_quantize"]
    w = torch.tensor([-3.0, -0.42, 0.2, 5.0], requires_grad=True)
    out = fake_quantize(w, 0.1, 7)
    torch.testing.assert_close(out.detach(), torch.tensor([-0.7, -0.4, 0.2, 0.7]))
    out.sum().backward()
    assert w.grad is not None and w.grad.tolist() == [0, 1, 1, 0]


def test_the_report_that_the_answer_shows_sees_the_operands_roundings_and_overflow() -> None:
    report = defined("precision_report_by_hand")["precision_report"]
    digit = report(torch.tensor([[1 + 2**-8, -1.0]]), torch.ones(2, 1))
    assert digit == {"fp32": 0, "fp16": 0, "bf16": 2**-8}
    large = 100 * torch.randn(64, 64, generator=torch.Generator().manual_seed(0))
    errors = report(large, large)
    assert errors["fp16"] == torch.inf > errors["bf16"] > errors["fp32"]
