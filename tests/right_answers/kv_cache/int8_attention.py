"""Right answers to kv_cache/int8_attention, each in its own style."""

from halfbits.course.authoring.contract import swap

FLOATS = """
import torch
def int8_scores(q, k):
    def codes(x):
        step = x.abs().max(dim=-1, keepdim=True).values / 127.0
        step[step == 0] = 1
        return (x / step).round(), step
    (a, s), (b, t) = codes(q), codes(k)
    return torch.einsum("qd,td->qt", a, b) * (s * t.T) * (1 / q.size(-1) ** 0.5)
"""
NUMPY = """
import numpy as np
import torch
def int8_scores(q, k):
    a, b = q.numpy().astype(np.float64), k.numpy().astype(np.float64)
    tops = [np.abs(x).max(axis=1) / 127 for x in (a, b)]
    tops = [np.where(t > 0, t, 1) for t in tops]
    ca, cb = (np.rint(x / t[:, None]).astype(np.int64) for x, t in zip((a, b), tops))
    out = (ca @ cb.T) * np.outer(*tops) / np.sqrt(a.shape[1])
    return torch.from_numpy(out.astype(np.float32))
"""
TOKENS = """
import torch
def int8_output(p, v):
    top_p, top_v = p.amax(1), v.abs().amax(0)
    s = torch.where(top_p > 0, top_p / 127, 1)
    t = torch.where(top_v > 0, top_v / 127, 1)
    a = torch.round(p / s[:, None]).to(torch.int8)
    b = torch.round(v / t).to(torch.int8)
    total = torch.zeros(len(p), v.shape[1], dtype=torch.int64)
    for token in range(len(v)):
        total += torch.outer(a[:, token].long(), b[token].long())
    return total.float() * s[:, None] * t
"""
TRANSPOSED = """
import torch
def int8_output(p, v):
    def codes(x):
        top = torch.linalg.vector_norm(x, torch.inf, dim=1, keepdim=True)
        step = torch.where(top == 0, torch.ones_like(top), top / 127)
        return torch.round(x / step).double(), step
    (a, s), (b, t) = codes(p), codes(v.T)
    return ((b @ a.T).float() * t * s.T).T
"""

RIGHT = {
    "float32 codes, einsum": FLOATS,
    "numpy in whole numbers": NUMPY,
    "int8 codes, token by token": TOKENS,
    "the transposed product in float64": TRANSPOSED,
    "the scales multiplied first": swap(
        "int8_output",
        "(p_codes @ v_codes) * p_scale * v_scale",
        "(p_scale * v_scale) * (p_codes @ v_codes)",
    ),
}
