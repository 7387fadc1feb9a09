"""Where the time of the course's kernels goes: their floor, the kernel without decoding, all of it.

Without decoding the words go into the products as they are: wrong numbers, the same reads, the same
products. What decoding costs is the difference to the whole; what the floor lacks is the rest.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import torch

from benchmarks.gpu_matmul import ROTATED_BYTES, sampled, spread
from benchmarks.implementations import OURS
from benchmarks.products import Shape, drawn, floor_of
from halfbits.kernels.launch import run
from halfbits.kernels.packed import pack
from halfbits.kernels.plans import plan_for
from halfbits.kernels.tiles import arrange

BATCHES = (1, 16)
IMPLEMENTATIONS = ("int8, ours", "int4 g128, ours", "int4 g32, ours")


def rows(shapes: list[Shape], device: torch.device) -> Iterator[dict[str, Any]]:
    """A row for each format, shape and batch: seconds `undecoded` and in all."""
    for name in IMPLEMENTATIONS:
        quantizer = OURS[name]
        for inputs, outputs in shapes:
            packed = pack(quantizer(drawn(inputs, outputs, device)))
            sets = [arrange(packed) for _ in range(max(2, -(-ROTATED_BYTES // packed.nbytes)))]
            for batch in BATCHES:
                x = torch.randn(batch, inputs, device=device).bfloat16()
                y = torch.empty(batch, outputs, device=device, dtype=x.dtype)
                plan = plan_for(sets[0], batch, device)
                row: dict[str, Any] = {"way": name, "batch": batch}
                row |= {"inputs": inputs, "outputs": outputs}
                row |= floor_of(sets[0].nbytes, device)
                for part, decode in {"undecoded": False, "seconds": True}.items():
                    calls = [
                        lambda t=t, d=decode, x=x, y=y, p=plan: run(x, t, y, p, d) for t in sets
                    ]
                    row[part] = spread(sampled(calls, device))
                print(json.dumps(row), flush=True)
                yield row
