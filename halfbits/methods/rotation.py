"""Rotations (QuaRot, Ashkboos et al., 2024): outliers spread over all channels, the same function.

With an orthogonal Q, x W^T = (x Q)(W Q)^T. A Hadamard matrix has all entries +-1 / sqrt(n), so each
channel of x Q holds a share of all channels of x, and one large channel becomes n moderate ones.
Where Q can be folded into weights it costs nothing:

    residual stream   E -> E Q;  q, k, v, gate, up, head: W -> W Q;  o, down: W -> Q^T W
    values of a head  v: rows -> R^T rows;  o: columns -> columns R   (attention only adds values)

What stands in between decides where it can:

    RMSNorm   norm(x Q) = norm(x) Q, but only without its gain: diag(g) Q is not Q diag(g). The gain
              is folded into the readers first, and the head gets weights of its own.
    RoPE      turns pairs of q and k by the position: a rotation before it does not come out after
              it. q and k can be rotated online, after RoPE (`kv_cache`).
    SwiGLU    is elementwise: what goes into `down` can only be rotated online, x -> x R, W -> W R.

A Hadamard matrix is signs that follow a rule: it takes no bytes.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from halfbits.methods import gptq, rtn
from halfbits.methods.activations import round_inputs
from halfbits.models.llama import Llama
from halfbits.models.surgery import norms_and_readers
from halfbits.quantize import Granularity


def quantize(
    model: Llama,
    calibration: Tensor | None = None,
    bits: int = 4,
    activation_bits: int = 4,
    granularity: Granularity = 64,
    clip: float | str = "mse",
    down: int | None = 0,
    seed: int = 0,
) -> tuple[Llama, float]:
    """Rotated, then weights by GPTQ on `calibration` (None: round to nearest), inputs per token.

    `down` is the size of the Hadamard blocks for the input of down_proj: 0 for one over all of
    it, None for no rotation there.
    """
    rotated = rotate(model, seed, down)
    if calibration is None:
        lossy, nbytes = rtn.quantize(rotated, None, bits, granularity, clip)
    else:
        lossy, nbytes = gptq.quantize(rotated, calibration, bits, granularity, clip)
    return round_inputs(lossy, activation_bits, "_proj"), nbytes


def hadamard(size: int) -> Tensor:
    """Orthogonal [size, size], float64, with entries +-1 / sqrt(size).

    H_2n = [[H, H], [H, -H]] (Sylvester) doubles; the start is 1 or Paley's matrix of order q + 1
    for a prime q with q mod 4 = 3: I + S, where S borders chi(i - j), the quadratic character.
    704 = 16 * (43 + 1). Raises ValueError for an order that this does not reach.
    """
    start = 1 if size.bit_count() == 1 else size
    while start > 1 and not _is_paley(start):
        if start % 2:
            raise ValueError(f"no Hadamard matrix of order {size} by doubling 1 or q + 1")
        start //= 2
    matrix = torch.ones(1, 1, dtype=torch.float64) if start == 1 else _paley(start - 1)
    pair = torch.tensor([[1.0, 1], [1, -1]], dtype=torch.float64)
    while len(matrix) < size:
        matrix = torch.kron(pair, matrix)
    return matrix / size**0.5


def random_hadamard(size: int, seed: int = 0) -> Tensor:
    """diag(random signs) H [size, size]: Hadamard matrices whose channels differ by the seed."""
    draw = torch.Generator().manual_seed(seed)
    signs = torch.randint(2, (size, 1), generator=draw).double() * 2 - 1
    return signs * hadamard(size)


@torch.no_grad()
def fold_gains(model: Llama) -> Llama:
    """A copy with the same logits whose norms have gain 1, and a head of its own: it grows."""
    folded = copy.deepcopy(model)
    folded.lm_head.weight = nn.Parameter(folded.lm_head.weight * folded.norm.weight)
    for _, norm, readers in norms_and_readers(folded):
        for layer in readers:
            layer.weight.mul_(norm.weight)
        norm.weight.fill_(1)
    folded.norm.weight.fill_(1)
    return folded.requires_grad_(False)


@torch.no_grad()
def rotate(model: Llama, seed: int = 0, down: int | None = 0) -> Llama:
    """A copy with the same logits, rotated everywhere; `down` as in `quantize`."""
    rotated = fold_gains(model)
    q = random_hadamard(model.config.hidden_size, seed)
    r = hadamard(model.config.head_dim)
    readers = [layer for _, _, group in norms_and_readers(rotated) for layer in group]
    tables: list[nn.Linear | nn.Embedding] = [rotated.embed_tokens, rotated.lm_head]
    for matrix in tables + readers:
        _set(matrix, matrix.weight.double() @ q)
    for block in rotated.blocks():
        attention, mlp = block.self_attn, block.mlp
        _set(attention.v_proj, blockwise(attention.v_proj.weight.double().T, r).T)
        _set(attention.o_proj, q.T @ blockwise(attention.o_proj.weight.double(), r))
        _set(mlp.down_proj, q.T @ mlp.down_proj.weight.double())
        if down is not None:
            block.mlp.down_proj = RotatedInput(mlp.down_proj, down)  # type: ignore[assignment]
    return rotated


class RotatedInput(nn.Module):
    """y = linear(x R), x [..., in]: the online rotation; R is folded into `linear` as well.

    R has Hadamard blocks of `size` on its diagonal, 0 for one block. The product with R costs
    n size multiplications a token here; the fast transform takes n log2(size) additions.
    """

    rotation: Tensor

    def __init__(self, linear: nn.Linear, size: int = 0) -> None:
        super().__init__()
        rotation = hadamard(size or linear.in_features)
        _set(linear, blockwise(linear.weight.double(), rotation))
        self.linear = linear
        self.register_buffer("rotation", rotation.to(linear.weight.dtype), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(blockwise(x, self.rotation))


def blockwise(x: Tensor, rotation: Tensor) -> Tensor:
    """x [..., n] times a block-diagonal matrix that repeats `rotation` [size, size]."""
    return (x.unflatten(-1, (-1, len(rotation))) @ rotation).flatten(-2)


@torch.no_grad()
def _set(layer: nn.Linear | nn.Embedding, weight: Tensor) -> None:
    layer.weight.copy_(weight)


def _is_paley(order: int) -> bool:
    q = order - 1
    return q % 4 == 3 and all(q % divisor for divisor in range(2, int(q**0.5) + 1))


def _paley(q: int) -> Tensor:
    squares = {i * i % q for i in range(1, q)}
    chi = torch.tensor([0.0, *(1.0 if i in squares else -1.0 for i in range(1, q))])
    places = torch.arange(q)
    skew = torch.zeros(q + 1, q + 1, dtype=torch.float64)
    skew[0, 1:], skew[1:, 0] = 1, -1
    skew[1:, 1:] = chi[(places[:, None] - places) % q]
    return skew + torch.eye(q + 1, dtype=torch.float64)
