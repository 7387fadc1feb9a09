"""Right answers to kv_cache/which_axis, each in its own style."""

from halfbits.course.authoring.contract import swap

ATTENTION = "torch.softmax(q @ keys.T / keys.shape[1] ** 0.5, dim=1) @ v"
EINSUM = """
import math
import torch
def axis_table(q, k, v, bits):
    top = 2 ** (bits - 1) - 1
    def out(keys):
        scores = torch.einsum("qd,td->qt", q, keys) / math.sqrt(q.size(1))
        weights = (scores - scores.amax(-1, True)).exp()
        return torch.einsum("qt,tw->qw", weights / weights.sum(-1, True), v)
    def rounded(x):
        step = (x.abs().max(dim=1)[0] / top).clamp(min=1e-20)[:, None]
        return (x / step).round().clamp(-top, top) * step
    by = {"channel": rounded(k.T).T, "token": rounded(k)}
    def off(a, b):
        return float(torch.linalg.norm(a - b)) / float(torch.linalg.norm(b))
    return {name: [off(keys, k), off(out(keys), out(k))] for name, keys in by.items()}
"""
NUMPY = """
import numpy as np
def axis_table(q, k, v, bits):
    a, b, c = (t.numpy().astype(np.float64) for t in (q, k, v))
    def attention(keys):
        s = a @ keys.T / np.sqrt(a.shape[1])
        w = np.exp(s - s.max(axis=1, keepdims=True))
        return w / w.sum(axis=1, keepdims=True) @ c
    found = {}
    for axis, name in enumerate(["channel", "token"]):
        scale = np.abs(b).max(axis=axis, keepdims=True) / (2 ** (bits - 1) - 1)
        keys = np.rint(b / np.where(scale > 0, scale, 1)) * scale
        pairs = ((keys, b), (attention(keys), attention(b)))
        found[name] = tuple(float(np.linalg.norm(x - y) / np.linalg.norm(y)) for x, y in pairs)
    return found
"""
BUILT_IN = """
import torch
import torch.nn.functional as F
def axis_table(q, k, v, bits):
    top = float(2 ** (bits - 1) - 1)
    def attend(keys):
        return F.scaled_dot_product_attention(q[None], keys[None], v[None])[0]
    table = {}
    for name, dim in {"token": -1, "channel": -2}.items():
        limit = torch.linalg.vector_norm(k, ord=torch.inf, dim=dim, keepdim=True)
        keys = torch.nan_to_num((k / limit * top).round() / top * limit)
        errors = [(x - y).square().sum().sqrt() / y.square().sum().sqrt()
                  for x, y in ((keys, k), (attend(keys), attend(k)))]
        table[name] = tuple(map(float, errors))
    return table
"""

RIGHT = {
    "einsum, the softmax by hand, a transposed matrix for the channels": EINSUM,
    "numpy in float64": NUMPY,
    "PyTorch's attention, the norm of infinity": BUILT_IN,
    "the root inside": swap(
        "axis_table",
        ATTENTION,
        "torch.softmax((q / keys.shape[1] ** 0.5) @ keys.T, dim=-1) @ v",
    ),
}
