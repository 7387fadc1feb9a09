"""The low-rank adapter that an answer of the interview bank shows, merged and not."""

from __future__ import annotations

from typing import Any

import torch
from test_interview_code import defined
from torch import Tensor, nn


def adapter(rank: int = 4) -> Any:
    torch.manual_seed(0)
    return defined("lora_and_qlora")["LoRA"](nn.Linear(64, 48, bias=False), rank, alpha=8)


def trained(rank: int = 4, size: float = 1e-3) -> Any:
    made = adapter(rank)
    with torch.no_grad():
        made.b.normal_(generator=torch.Generator().manual_seed(1)).mul_(size)
    return made


def test_the_adapter_that_the_answer_shows_begins_as_its_base_and_trains_nothing_else() -> None:
    made, x = adapter(), torch.randn(5, 64, generator=torch.Generator().manual_seed(2))
    assert torch.equal(made(x), made.base(x))
    made(x).square().sum().backward()
    moved = {name for name, p in made.named_parameters() if p.grad is not None}
    assert moved == {"a", "b"}
    assert sum(p.numel() for p in made.parameters() if p.requires_grad) == 4 * (64 + 48)


def test_a_merged_adapter_gives_the_same_outputs_without_a_second_product() -> None:
    made, x = trained(size=0.1), torch.randn(5, 64, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(x @ made.merged().T, made(x), rtol=0, atol=1e-5)
    change = made.merged() - made.base.weight
    assert torch.linalg.matrix_rank(change.double(), rtol=1e-5) == 4


def rounded(w: Tensor) -> Tensor:
    """Codes of symmetric int4 with a scale for each row."""
    return (w / (w.abs().amax(1, keepdim=True) / 7)).round()


def test_merging_into_four_bits_rounds_most_of_a_small_update_away() -> None:
    made = trained()
    before, after = rounded(made.base.weight), rounded(made.merged())
    change = (made.merged() - made.base.weight).norm() / made.base.weight.norm()
    assert 0.005 < change < 0.2  # it is there
    assert (before == after).float().mean() > 0.9
