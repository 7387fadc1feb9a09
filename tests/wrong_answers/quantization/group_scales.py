"""Wrong and right answers to quantization/group_scales: each wrong one is one misconception."""

from halfbits.course.authoring.contract import RightAnswer, swap

GROUPS = "F.pad(w, (0, -columns % group_size)).reshape(rows, -1, group_size)"
AMAX = "groups.abs().amax(2) / 7"
GUARD = "torch.where(scale == 0, 1.0, scale)"
ROUND = "torch.round(groups / scale[:, :, None])"
FLAT = """
import torch
def group_scales(w, group_size):
    rows, columns = w.shape
    count = -(-columns // group_size)
    flat = torch.nn.functional.pad(w.reshape(-1), (0, rows * count * group_size - w.numel()))
    groups = flat.reshape(rows * count, group_size)
    scale = (groups.abs().amax(1, keepdim=True) / 7).clamp(min=1e-20)
    codes = torch.round(groups / scale).to(torch.int8).reshape(-1)[: w.numel()]
    return codes.reshape(rows, columns), scale.reshape(rows, count)
"""
INPUTS = f"{AMAX}; scale = scale.amax(0, keepdim=True).repeat(rows, 1)"
LEFT = "F.pad(w, (-columns % group_size, 0)).reshape(rows, -1, group_size)"

SMALL = "zeros are zeros with any scale"
EQUIVALENT = {"scale = torch.where(scale == 0, 2.0, scale)": SMALL}

WRONG = {
    "test_each_group_has_its_own_scale": [
        ("one scale a row", "scale", AMAX, f"{AMAX}; scale[:] = scale.amax(1, keepdim=True)"),
        ("a group is shared by all rows", "scale", AMAX, INPUTS),
        ("8 for 7", "scale", AMAX, AMAX.replace("7", "8")),
        ("the largest, not the largest magnitude", "scale", ".abs()", ""),
        ("every n-th column", "scale", "rows, -1, group_size)", "rows, group_size, -1).mT"),
        ("truncates", "at most 0.5", ROUND, "(groups / scale[:, :, None])"),
        ("codes as floats", "tensor float32", ".to(torch.int8)", ""),
    ],
    "test_groups_never_cross_rows": [
        ("all weights in one line", "its own row", FLAT),
        ("the rest is dropped", "tensor int8", GROUPS, "w.unfold(1, group_size, group_size)"),
        ("the short group comes first", "scale", GROUPS, LEFT),
    ],
    "test_loud_weight_hurts_only_its_group": [
        ("one scale a row", "other groups", AMAX, f"{AMAX}; scale[:] = scale.amax(1)[:, None]"),
        ("all weights in one line", "other groups", FLAT),
    ],
    "test_rounds_half_to_even": [
        ("halves up", "Halves are exact", ROUND, "torch.floor(groups / scale[:, :, None] + 0.5)"),
    ],
    "test_group_of_zeros_gives_zeros": [
        ("no guard", "finite and above 0", GUARD, "scale"),
        ("NaN", "finite and above 0", GUARD, "scale * scale / scale"),
    ],
    "test_views_are_read_as_they_are_and_left_alone": [
        ("rounds in place", "left as it was", GROUPS, f"{GROUPS}; w.round_()"),
        (
            "reads a view as if contiguous",
            "scale",
            GROUPS,
            GROUPS.replace("w,", "w.as_strided(w.shape, (w.shape[1], 1)),"),
        ),
    ],
}

LOOPS = """
import torch
def group_scales(w, group_size):
    codes = torch.zeros(w.shape, dtype=torch.int8)
    scales = []
    for r, row in enumerate(w):
        scales.append([])
        for start in range(0, len(row), group_size):
            part = row[start : start + group_size]
            step = max(abs(v) for v in part.tolist()) / 7 or 1.0
            scales[-1].append(step)
            rounded = [round(v / step) for v in part.tolist()]
            codes[r, start : start + group_size] = torch.tensor(rounded)
    return codes, torch.tensor(scales)
"""
SPLIT = """
import torch
def group_scales(w, group_size):
    scales, codes = [], []
    for part in w.split(group_size, dim=1):
        s = part.abs().max(dim=1, keepdim=True).values.mul(1 / 7).clamp_min(1e-12)
        scales.append(s)
        codes.append((part / s).round().clamp(-7, 7))
    return torch.hstack(codes).type(torch.int8), torch.hstack(scales)
"""
NUMPY = """
import numpy as np
import torch
def group_scales(w, group_size):
    x = w.numpy()
    starts = np.arange(0, x.shape[1], group_size)
    scale = np.maximum.reduceat(np.abs(x), starts, axis=1) / np.float32(7)
    scale[scale == 0] = 1
    codes = np.rint(x / scale[:, np.arange(x.shape[1]) // group_size]).astype(np.int8)
    return [torch.from_numpy(codes), torch.from_numpy(scale)]
"""

RIGHT = [
    RightAnswer("two loops and Python floats", LOOPS),
    RightAnswer("split, and the reciprocal of 7", SPLIT),
    RightAnswer("numpy's reduceat, as a list", NUMPY),
    RightAnswer("a clamp for the zeros", swap("group_scales", GUARD, "scale.clamp(min=2**-126)")),
]
