"""Wrong and right answers to methods/gptq_step: each wrong one is one misconception."""

from halfbits.course.authoring.contract import RightAnswer, swap

COLUMN = "scale * torch.round(old / scale).clamp(-7, 7)"
ERROR = "(old - w[:, j]) / row[j]"
MOVE = "w[:, j + 1 :] -= torch.outer(error, row[j + 1 :])"
LEFT = "inverse - torch.outer(row, row) / row[j]"
GONE = "left[j], left[:, j] = 0.0, 0.0"
COPY = "w, row = w.clone(), inverse[j]"

EQUIVALENT = {}

WRONG = {
    "test_column_is_rounded_to_codes": [
        ("codes without their scale", "expected", COLUMN, "torch.round(old / scale).clamp(-7, 7)"),
        ("not clamped", "holds no more", COLUMN, "scale * torch.round(old / scale)"),
        (
            "one scale for all rows",
            "expected",
            COLUMN,
            COLUMN.replace("old / scale", "old / scale[0]"),
        ),
        ("truncated", "expected", COLUMN, COLUMN.replace("round", "trunc")),
        ("one code more below", "holds no more", COLUMN, COLUMN.replace("-7", "-8")),
    ],
    "test_later_columns_make_up_for_the_error": [
        ("the other way", "least-squares", MOVE, MOVE.replace("-=", "+=")),
        ("not divided by the diagonal", "least-squares", ERROR, "old - w[:, j]"),
        ("divided by its root", "least-squares", ERROR, "(old - w[:, j]) / row[j].sqrt()"),
        ("nothing is made up for", "least-squares", MOVE, "pass"),
        (
            "the Hessian for its inverse",
            "least-squares",
            MOVE,
            "row = torch.linalg.pinv(inverse)[j]\n    " + MOVE,
        ),
        ("all rows by the mean error", "expected", ERROR, f"({ERROR}).mean() * torch.ones(len(w))"),
        ("the next column alone", "expected", MOVE, MOVE.replace("j + 1 :", "j + 1 : j + 2")),
        (
            "the error of the next rounding",
            "expected",
            ERROR,
            "(w[:, j] - scale * torch.round(w[:, j] / scale)) / row[j]",
        ),
    ],
    "test_earlier_columns_stay": [
        (
            "rounded again on another grid",
            "moved off their levels",
            MOVE,
            MOVE + "\n    w[:, :j] = (w[:, :j] * 16).round() / 16",
        ),
        (
            "they share the error",
            "moved off their levels",
            MOVE,
            MOVE + "\n    w[:, :j] -= 0.01 * error[:, None]",
        ),
    ],
    "test_inverse_loses_the_column": [
        ("the old inverse", "count on it", LEFT, "inverse.clone()", GONE, "pass"),
        ("zeros alone", "count on it", LEFT, "inverse.clone()"),
        ("not divided", "expected", LEFT, "inverse - torch.outer(row, row)"),
        ("added", "expected", LEFT, LEFT.replace("inverse -", "inverse +")),
        (
            "the row alone is cleared",
            "row and column j",
            LEFT,
            "inverse - torch.outer(row, row) / row[j] * (1 - 1e-14)",
            GONE,
            "left[j] = 0.0",
        ),
    ],
    "test_inputs_are_left_as_they_were": [
        ("w in place", "left as it was", COPY, "row = inverse[j]"),
        (
            "the inverse in place",
            "left as it was",
            LEFT,
            "inverse.sub_(torch.outer(row, row) / row[j])",
        ),
    ],
}

LOOPS = """
import torch
def gptq_step(w, inverse, j, scale):
    new = w.clone()
    for r in range(w.shape[0]):
        code = max(-7, min(7, round(float(w[r, j] / scale[r]))))
        new[r, j] = scale[r] * code
        error = float(w[r, j]) - float(new[r, j])
        for k in range(j + 1, w.shape[1]):
            new[r, k] -= error * inverse[j, k] / inverse[j, j]
    out = inverse.clone()
    for k in range(j + 1, w.shape[1]):
        out[k] -= inverse[j] * inverse[k, j] / inverse[j, j]
    out[:, j] = 0
    out[j, :] = 0
    return new, out
"""
INVERTED = """
import torch
def gptq_step(w, inverse, j, scale):
    q = scale * torch.clip((w[:, j] / scale).round(), -7, 7)
    rest = slice(j + 1, None)
    hessian = torch.linalg.inv(inverse[j:, j:])
    part, cross = hessian[1:, 1:], hessian[1:, 0]
    later = w[:, rest] + (w[:, j] - q)[:, None] * torch.linalg.solve(part, cross)[None]
    out = torch.zeros_like(inverse)
    out[rest, rest] = torch.linalg.inv(part)
    return torch.cat([w[:, :j], q[:, None], later], 1), out
"""
NUMPY = """
import numpy as np
import torch
def gptq_step(w, inverse, j, scale):
    v, h, s = w.numpy().copy(), inverse.numpy().copy(), scale.numpy()
    q = np.clip(np.rint(v[:, j] / s), -7, 7) * s
    v[:, j:] -= ((v[:, j] - q) / h[j, j])[:, None] * h[None, j, j:]
    v[:, j] = q
    h -= np.outer(h[:, j], h[j]) / h[j, j]
    h[j] = h[:, j] = 0
    return [torch.from_numpy(v), torch.from_numpy(h)]
"""

RIGHT = [
    RightAnswer("loops over rows and columns", LOOPS),
    RightAnswer("by the Hessian of what is free", INVERTED),
    RightAnswer("numpy, the column itself moved too", NUMPY),
    RightAnswer(
        "einsum",
        swap("gptq_step", MOVE, 'w[:, j + 1 :] -= torch.einsum("r,k->rk", error, row[j + 1 :])'),
    ),
]
