"""Layers that work on each token alone: dense ones, and mixtures of experts."""

from __future__ import annotations

from dataclasses import dataclass

from halfbits.perf.architecture.fields import Fields


@dataclass(frozen=True)
class FeedForward:
    """Parameters: of a dense layer, of all routed experts, of those that one token visits, of
    experts that every token visits, of the router; `others` are biases."""

    dense: int = 0
    experts: int = 0
    active: int = 0
    shared: int = 0
    router: int = 0
    others: int = 0
    active_others: int = 0


def dense(hidden: int, inner: int, matrices: int = 3, bias: bool = False) -> FeedForward:
    """down(act(gate x) * up x): 3 hidden inner weights; 2 without a gate."""
    biases = ((matrices - 1) * inner + hidden) * bias
    return FeedForward(matrices * hidden * inner, others=biases, active_others=biases)


def mixture(
    f: Fields, inner: int, matrices: int = 3, bias: bool = False, shared: int = 0
) -> FeedForward:
    """E experts of which each token visits k, perhaps some shared ones, and a router [E, hidden].

    With `moe_latent_size` the experts work between two projections to that width, counted dense.

    Shared experts have their own width in `moe_shared_expert_intermediate_size` or
    `shared_intermediate_size`, or are `n_shared_experts` (`shared` without that field) of the
    routed kind.
    """
    experts = f.number("n_routed_experts", "num_local_experts", "num_experts")
    visited = f.number("num_experts_per_tok", "num_experts_per_token", "experts_per_token")
    latent = f.get("moe_latent_size")
    one = matrices * (latent or f.hidden) * inner
    biases = ((matrices - 1) * inner + f.hidden) * bias
    return FeedForward(
        experts=experts * one,
        active=visited * one,
        shared=matrices * f.hidden * _shared_width(f, inner, shared),
        dense=2 * f.hidden * latent if latent else 0,
        router=experts * f.hidden + (f.hidden if f.get("shared_expert_intermediate_size") else 0),
        others=experts * (biases + bias),
        active_others=visited * biases + experts * bias,
    )


def _shared_width(f: Fields, inner: int, usual: int) -> int:
    own = ("moe_shared_expert_intermediate_size", "shared_expert_intermediate_size")
    if width := f.get(*own, "shared_intermediate_size"):
        return int(width)
    count = f.get("n_shared_experts", "num_shared_experts", default=usual)
    return int(count) * inner
