"""Right answers to methods/outlier_columns, each in its own style."""

from halfbits.course.authoring.contract import swap

CODES = "torch.round(rest / scale).double()"
CUT = """
import torch
def mixed_product(x, w, threshold):
    loud = torch.nonzero((x.abs() >= threshold).any(dim=0)).flatten()
    kept = torch.nonzero((x.abs() < threshold).all(dim=0)).flatten()
    out = x[:, loud] @ w[:, loud].T
    if len(kept):
        a, b = x[:, kept], w[:, kept]
        sa, sb = ((m.abs().max(dim=1).values / 127).clamp(min=1e-30) for m in (a, b))
        ca = torch.round(a / sa[:, None]).to(torch.int32)
        cb = torch.round(b / sb[:, None]).to(torch.int32)
        out = out + (ca @ cb.T) * sa[:, None] * sb[None, :]
    return out
"""
NUMPY = """
import numpy as np
import torch
def mixed_product(x, w, threshold):
    a, b = x.numpy(), w.numpy()
    loud = np.abs(a).max(axis=0) >= threshold
    def coded(m):
        m = np.where(loud, np.float32(0), m)
        scale = np.abs(m).max(axis=1, keepdims=True) / np.float32(127)
        return np.rint(m / np.where(scale > 0, scale, 1)).astype(np.int64), scale
    (p, s), (q, t) = coded(a), coded(b)
    out = a[:, loud] @ b[:, loud].T + (p @ q.T) * s * t.T
    return torch.from_numpy(out.astype(np.float32))
"""
DEQUANTIZED = """
import torch
def mixed_product(x, w, threshold):
    loud = (x.abs().amax(0) >= threshold).to(x.dtype)
    def near(m):
        rest = m * (1 - loud)
        scale = torch.linalg.vector_norm(rest, ord=torch.inf, dim=1, keepdim=True) / 127
        return torch.nan_to_num((rest / scale).round()).double() * scale.double()
    exact = (x * loud).double() @ (w * loud).double().T
    return (exact + near(x) @ near(w).T).float()
"""

RIGHT = {
    "columns cut out, int32": CUT,
    "numpy": NUMPY,
    "values in place of codes, float64": DEQUANTIZED,
    "float32 codes": swap("mixed_product", CODES, "torch.round(rest / scale)"),
}
