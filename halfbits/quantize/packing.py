"""Codes of any width as a stream of bits, and back."""

from __future__ import annotations

import torch
from torch import Tensor


def pack_codes(codes: Tensor, bits: int) -> Tensor:
    """Unsigned codes below 2^bits, in any shape, as bits in uint8 [ceil(n bits / 8)], the lowest
    bit of each code first.
    """
    places = torch.arange(bits)
    stream = (codes.flatten().long()[:, None] >> places & 1).flatten()
    stream = torch.nn.functional.pad(stream, (0, -len(stream) % 8)).view(-1, 8)
    return (stream << torch.arange(8)).sum(1).to(torch.uint8)


def unpack_codes(packed: Tensor, bits: int, count: int) -> Tensor:
    """The first `count` codes, uint8 [count], of a stream made by `pack_codes`."""
    stream = (packed.long()[:, None] >> torch.arange(8) & 1).flatten()[: count * bits]
    return (stream.view(count, bits) << torch.arange(bits)).sum(1).to(torch.uint8)
