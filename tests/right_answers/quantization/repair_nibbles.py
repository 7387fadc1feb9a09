"""Right answers to quantization/repair_nibbles, each in its own style."""

from halfbits.course.authoring.contract import swap

CODES = "torch.cat([low, high], dim=1)"
NUMPY = """
import numpy as np
import torch
def decode(data):
    raw = np.ascontiguousarray(data.numpy())
    scale = raw[:, :2].copy().view("<f2").astype(np.float32)
    codes = np.concatenate([raw[:, 2:] % 16, raw[:, 2:] // 16], axis=1).astype(np.float32)
    return torch.from_numpy(scale * (codes - np.float32(8)))
"""
LOOPS = """
import struct
import torch
def decode(data):
    rows = []
    for block in data.tolist():
        (scale,) = struct.unpack("<e", bytes(block[:2]))
        codes = [byte % 16 for byte in block[2:]] + [byte // 16 for byte in block[2:]]
        rows.append([scale * (code - 8) for code in codes])
    return torch.tensor(rows).reshape(-1, 32)
"""
SHIFTS = """
import torch
def decode(data):
    scale = data[:, :2].contiguous().view(torch.float16).to(torch.float32)
    shifts = torch.tensor([0, 4]).view(1, 2, 1)
    codes = (data[:, None, 2:].int() >> shifts) & 0xF
    return (scale[:, None] * (codes - 8)).flatten(1)
"""

RIGHT = {
    "numpy": NUMPY,
    "struct and lists": LOOPS,
    "both shifts at once": SHIFTS,
    "hstack": swap("decode", CODES, "torch.hstack((low, high))"),
}
