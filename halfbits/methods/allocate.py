"""Bits for each matrix under a budget of bytes: a knapsack (Martello and Toth, 1990).

Choose one width b_m for every matrix m:

    minimize sum_m cost_m(b_m)      with sum_m bytes_m(b_m) <= B.

The sum takes the costs of single matrices to add up. `knapsack` solves it exactly by dynamic
programming over bytes in units of their greatest common divisor. `greedy` starts with the fewest
bits and always buys the step that saves the most cost, or the most cost a byte: a good step may
leave no room for two better ones, and a matrix that gains only at its second step is passed over.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from halfbits.methods.rtn import round_to_nearest
from halfbits.methods.sensitivity import fisher_diagonal
from halfbits.models.llama import Llama
from halfbits.models.quantized import rounded_by_name
from halfbits.models.surgery import block_linears

Table = dict[str, dict[int, float]]  # name -> width -> cost or bytes
Widths = dict[str, int]


@torch.no_grad()
def quantize(
    model: Llama,
    calibration: Tensor,
    average: float = 3.5,
    widths: Sequence[int] = (2, 3, 4, 5, 6),
    group: int = 64,
) -> tuple[Llama, float]:
    """Round to nearest with the widths that the Fisher diagonal allots; `average` bits a code."""
    costs = fisher_costs(model, calibration, widths, group)
    sizes = code_bytes(model, widths)
    budget = sum(layer.weight.numel() for _, layer in block_linears(model)) * average / 8
    return rounded(model, knapsack(costs, sizes, budget), group)


def rounded(model: Llama, chosen: Widths, group: int = 64) -> tuple[Llama, float]:
    """Every matrix rounded to nearest, best clip, in its own width; and the model's true bytes."""
    return rounded_by_name(model, lambda name, w: round_to_nearest(w, chosen[name], group))


def fisher_costs(
    model: Llama, calibration: Tensor, widths: Sequence[int], group: int = 64
) -> Table:
    """1/2 sum F_ii d_i^2 in nats a token of every matrix, rounded anew in every width.

    `calibration` is int64 [sequences, tokens].
    """
    with torch.enable_grad():
        diagonal = fisher_diagonal(model, calibration)
    table: Table = {}
    for name, layer in block_linears(model):
        w = layer.weight.detach()
        lost = {b: (round_to_nearest(w, b, group).dequantize() - w).double() for b in widths}
        table[name] = {b: 0.5 * (diagonal[name] * d.square()).sum().item() for b, d in lost.items()}
    return table


def code_bytes(model: Llama, widths: Sequence[int]) -> Table:
    """Bytes of the codes; scales take the same in every width."""
    return {
        name: {b: layer.weight.numel() * b / 8 for b in widths}
        for name, layer in block_linears(model)
    }


def knapsack(costs: Table, sizes: Table, budget: float) -> Widths:
    """The widths with the least total cost of all that fit, exactly.

    best_m[u] is the least cost of the first m matrices in u units of bytes. Raises ValueError when
    not even the smallest widths fit.
    """
    least = {name: min(table.values()) for name, table in sizes.items()}
    unit = _unit([size - least[name] for name, table in sizes.items() for size in table.values()])
    room = math.floor((budget - sum(least.values())) / unit + 1e-9)
    if room < 0:
        raise ValueError(
            f"the smallest widths take {sum(least.values()):.0f} bytes of {budget:.0f}"
        )
    best = torch.zeros(room + 1, dtype=torch.float64)
    picks: list[tuple[list[int], list[int], Tensor]] = []
    for name, table in costs.items():
        widths = list(table)
        steps = [round((sizes[name][b] - least[name]) / unit) for b in widths]
        after = torch.full((len(widths), room + 1), torch.inf, dtype=torch.float64)
        for row, b, step in zip(after, widths, steps, strict=True):
            row[step:] = best[: max(0, room + 1 - step)] + table[b]
        best, choice = after.min(0)
        picks.append((widths, steps, choice))
    chosen: Widths = {}
    for name, (widths, steps, choice) in reversed(list(zip(costs, picks, strict=True))):
        pick = int(choice[room])
        chosen[name], room = widths[pick], room - steps[pick]
    return {name: chosen[name] for name in costs}


def greedy(costs: Table, sizes: Table, budget: float, per_byte: bool = True) -> Widths:
    """From the fewest bits, one step at a time: the one that saves most, a byte or at all."""
    chosen = {name: min(table) for name, table in sizes.items()}
    while True:
        used = sum(sizes[name][b] for name, b in chosen.items())
        steps = []
        for name, b in chosen.items():
            higher = min((width for width in costs[name] if width > b), default=b)
            extra = sizes[name][higher] - sizes[name][b]
            saved = costs[name][b] - costs[name][higher]
            if extra > 0 and saved > 0 and used + extra <= budget + 1e-9:
                steps.append((saved / (extra if per_byte else 1), name, higher))
        if not steps:
            return chosen
        _, name, higher = max(steps)
        chosen[name] = higher


def _unit(sizes: list[float]) -> int:
    """The greatest common divisor of sizes in whole bytes, at least 1. ValueError for fractions."""
    if any(size != int(size) for size in sizes):
        raise ValueError("widths of one matrix have to differ by whole bytes")
    return max(1, math.gcd(*(int(size) for size in sizes)))
