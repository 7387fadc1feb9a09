"""Runs the Triton kernels in Triton's interpreter and prints, as JSON, how far they are off.

A script of its own, since Triton reads TRITON_INTERPRET when it is imported. The interpreter of
Triton 3.6 multiplies no bfloat16 matrices; those products are checked on a GPU.
"""

from __future__ import annotations

import json
import os
import sys

os.environ["TRITON_INTERPRET"] = "1"

import torch

from halfbits.kernels.launch import Plan, matmul
from halfbits.kernels.packed import error_bound, pack, reference
from halfbits.quantize import quantize_affine, quantize_symmetric

FORMATS = {
    "int8": lambda w: quantize_symmetric(w, 8),
    "int4 g128": lambda w: quantize_symmetric(w, 4, 128),
    "int4 g32 zero": lambda w: quantize_affine(w, 4, 32),
}
# One row, a few and many go through different kernels.
CASES = ((1, torch.float16), (3, torch.float32), (3, torch.float16), (11, torch.float16))
PLANS = {8: Plan(16, 128, 4), 4: Plan(16, 64, 4)}


def shares(seed: int) -> dict[str, float]:
    """Largest error over its bound, by format, batch and dtype; the sizes leave tails."""
    torch.manual_seed(seed)
    found = {}
    for name, quantizer in FORMATS.items():
        inputs, outputs = 128 * int(torch.randint(1, 4, ())), int(torch.randint(17, 40, ()))
        packed = pack(quantizer(torch.randn(outputs, inputs)))
        for batch, dtype in CASES:
            x = torch.randn(inputs, batch).to(dtype).T
            y = matmul(x, packed, PLANS[packed.bits])
            assert y.dtype == dtype and y.shape == (batch, outputs)
            off = (y.double() - reference(x, packed)).abs() / error_bound(x, packed, dtype)
            found[f"{name}, batch {batch}, {str(dtype)[6:]}"] = off.max().item()
    return found


if __name__ == "__main__":
    print(json.dumps(shares(int(sys.argv[1]))))
