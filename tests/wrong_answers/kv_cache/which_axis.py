"""Wrong and right answers to kv_cache/which_axis: each wrong one is one misconception."""

from halfbits.course.authoring.contract import RightAnswer, swap

AXES = '(("token", 1), ("channel", 0))'
SCALE = "k.abs().amax(axis, keepdim=True) / top"
GUARD = "scale = torch.where(scale == 0, 1.0, scale)"
KEYS = "scale * torch.round(k / scale)"
ATTENTION = "torch.softmax(q @ keys.T / keys.shape[1] ** 0.5, dim=1) @ v"
ERROR = "((got - exact).norm() / exact.norm()).item()"
ROW = "(error(keys, k), error(attention(keys), attention(k)))"

EQUIVALENT = {
    "scale = torch.where(scale == 0, 2.0, scale)": "zeros are zeros with any scale",
}

WRONG = {
    "test_errors_of_the_keys": [
        (
            "the axes exchanged",
            "a maximum over its channels",
            AXES,
            '(("token", 0), ("channel", 1))',
        ),
        ("one scale for all", "a maximum over", SCALE, "k.abs().amax().reshape(1, 1) / top"),
        ("a level too many", "expected", SCALE, SCALE.replace("top", "(top + 1)")),
        ("as many levels as codes", "expected", "2 ** (bits - 1) - 1", "2**bits - 1"),
        ("truncated", "expected", KEYS, "scale * torch.trunc(k / scale)"),
        ("codes without their scale", "expected", KEYS, "torch.round(k / scale)"),
        (
            "mean squares",
            "expected",
            ERROR,
            "((got - exact).square().sum() / exact.square().sum()).item()",
        ),
        ("not relative", "expected", ERROR, "(got - exact).norm().item()"),
        ("tensors", "types of", ERROR, "(got - exact).norm() / exact.norm()"),
    ],
    "test_errors_of_the_outputs": [
        ("the keys twice", "counts", ROW, "(error(keys, k), error(keys, k))"),
        ("no root of d", "counts", ATTENTION, "torch.softmax(q @ keys.T, dim=1) @ v"),
        ("a softmax over the queries", "counts", ATTENTION, ATTENTION.replace("dim=1", "dim=0")),
        ("the weights alone", "counts", ATTENTION, ATTENTION.replace(" @ v", "")),
        ("the scores alone", "counts", ATTENTION, "q @ keys.T / keys.shape[1] ** 0.5"),
        (
            "values are rounded too",
            "counts",
            ATTENTION,
            ATTENTION.replace("@ v", "@ (v if keys is k else (v * 4).round() / 4)"),
        ),
    ],
    "test_loud_channels_favor_a_scale_for_each_channel": [
        (
            "the names exchanged",
            "the axis is the other one",
            AXES,
            '(("channel", 1), ("token", 0))',
        ),
    ],
    "test_zeros_are_no_nan": [
        ("no guard", "NaN", GUARD, "pass"),
        ("a guard for the whole", "NaN", GUARD, "scale = scale if scale.any() else scale + 1"),
    ],
    "test_inputs_are_left_as_they_were": [
        ("quantizes in place", "left as it was", KEYS, "k.copy_(scale * torch.round(k / scale))"),
    ],
}

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

RIGHT = [
    RightAnswer("einsum, the softmax by hand, a transposed matrix for the channels", EINSUM),
    RightAnswer("numpy in float64", NUMPY),
    RightAnswer("PyTorch's attention, the norm of infinity", BUILT_IN),
    RightAnswer(
        "the root inside",
        swap(
            "axis_table",
            ATTENTION,
            "torch.softmax((q / keys.shape[1] ** 0.5) @ keys.T, dim=-1) @ v",
        ),
    ),
]
