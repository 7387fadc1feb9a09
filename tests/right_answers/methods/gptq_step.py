"""Right answers to methods/gptq_step, each in its own style."""

from halfbits.course.authoring.contract import swap

MOVE = "w[:, j + 1 :] -= torch.outer(error, row[j + 1 :])"
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

RIGHT = {
    "loops over rows and columns": LOOPS,
    "by the Hessian of what is free": INVERTED,
    "numpy, the column itself moved too": NUMPY,
    "einsum": swap(
        "gptq_step", MOVE, 'w[:, j + 1 :] -= torch.einsum("r,k->rk", error, row[j + 1 :])'
    ),
}
