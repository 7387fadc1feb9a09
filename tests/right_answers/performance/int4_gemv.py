"""Right answers to performance/int4_gemv, each in its own style."""

GROUPS = """
import torch
def int4_gemv(packed, scales, x, group):
    n = group // 2
    total = torch.zeros(packed.shape[0], dtype=torch.float64)
    for first in range(0, len(packed), 8):
        for g in range(scales.shape[1]):
            part = packed[first : first + 8, g * n : (g + 1) * n]
            low, high = (part & 0x0F).double() - 8, (part >> 4).double() - 8
            piece = x[g * group : (g + 1) * group].double()
            sums = low @ piece[::2] + high @ piece[1::2]
            total[first : first + 8] += scales[first : first + 8, g].double() * sums
    return total.float()
"""
ROWS = """
import torch
def int4_gemv(packed, scales, x, group):
    out = []
    for row, scale in zip(packed, scales):
        w = torch.empty(len(x))
        w[0::2], w[1::2] = (row % 16).float(), (row // 16).float()
        out.append((((w - 8) * x).reshape(-1, group).sum(1) * scale).sum())
    return torch.stack(out)
"""
NUMPY = """
import numpy as np
import torch
def int4_gemv(packed, scales, x, group):
    p, s, v = packed.numpy(), scales.numpy(), x.numpy()
    y = np.empty(len(p), dtype=np.float32)
    for i in range(len(p)):
        w = np.empty(len(v), dtype=np.float32)
        w[0::2], w[1::2] = p[i] & 15, p[i] >> 4
        y[i] = ((w - 8) * np.repeat(s[i], group)) @ v
    return torch.from_numpy(y)
"""

RIGHT = {
    "blocks of rows and groups, in float64": GROUPS,
    "a row at a time": ROWS,
    "numpy": NUMPY,
}
