"""Right answers to methods/awq_scales, each in its own style."""

from halfbits.course.authoring.contract import swap

ERROR = "((x / s) @ rounded.T - exact).square().sum().item()"
MOMENT = """
import torch
def awq_scales(w, x, alphas):
    wide, data = w.double(), x.double()
    moment, size = data.T @ data, data.abs().mean(dim=0)
    def lose(alpha):
        s = factors(alpha)
        m = wide * s
        step = m.abs().max(1, keepdim=True).values / 7
        off = (m / step).nan_to_num().round().mul(step).div(s) - wide
        return torch.einsum("oi,ij,oj->", off, moment, off)
    def factors(alpha):
        s = size.pow(alpha)
        s[size == 0] = 1
        return s
    best = min(alphas, key=lose)
    return factors(best).float(), best
"""
NUMPY = """
import numpy as np
import torch
def awq_scales(w, x, alphas):
    m, a = w.numpy(), x.numpy()
    mean = np.abs(a).mean(axis=0)
    least, kept = np.inf, None
    for alpha in alphas:
        s = np.where(mean > 0, mean, 1) ** np.float32(alpha)
        step = np.abs(m * s).max(axis=1, keepdims=True) / 7
        q = np.rint(m * s / np.where(step > 0, step, 1)) * step / s
        error = np.linalg.norm(a @ (q - m).T)
        if error < least:
            least, kept = error, (torch.from_numpy(s.astype(np.float32)), float(alpha))
    return kept
"""
STACKED = """
import torch
def awq_scales(w, x, alphas):
    mean = x.abs().sum(0) / x.shape[0]
    mean = mean.masked_fill(mean == 0, 1.0)
    all_s = torch.stack([torch.exp(a * mean.log()) for a in alphas])
    m = w[None] * all_s[:, None]
    step = (m.abs().amax(-1, keepdim=True) / 7).clamp(min=1e-30)
    back = (m / step).round().clamp(-7, 7) * step / all_s[:, None]
    errors = torch.linalg.matrix_norm(x[None] @ (back - w).transpose(1, 2))
    place = int(errors.argmin())
    return [all_s[place], alphas[place]]
"""

RIGHT = {
    "the second moment of the inputs, in float64": MOMENT,
    "numpy and a running minimum": NUMPY,
    "all alphas at once, a list": STACKED,
    "the mean of squares": swap(
        "awq_scales", ERROR, "((x / s) @ rounded.T - exact).pow(2).mean().item()"
    ),
}
