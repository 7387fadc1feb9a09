"""Right answers to quantization/integer_matmul, each in its own style."""

from halfbits.course.authoring.contract import swap

FACTORED = """
import torch
def corrected(product, x_sums, w_sums, k, x_zero, w_zero):
    left = torch.outer(x_zero, k * w_zero - w_sums)
    return (product + left - torch.outer(x_sums, w_zero)).int()
def integer_matmul(x, w, x_scale, w_scale, x_zero, w_zero):
    x = x.to(torch.int32) - x_zero.unsqueeze(1)
    w = w.to(torch.int32) - w_zero.unsqueeze(1)
    return torch.matmul(x, w.t()).float() * torch.outer(x_scale, w_scale)
"""
NUMPY = """
import numpy as np
import torch
def corrected(product, x_sums, w_sums, k, x_zero, w_zero):
    several = (product, x_sums, w_sums, x_zero, w_zero)
    p, xs, ws, xz, wz = (t.numpy().astype(np.int64) for t in several)
    p = p - xz[:, np.newaxis] * ws - xs[:, np.newaxis] * wz + k * xz[:, np.newaxis] * wz
    return torch.from_numpy(p.astype(np.int32))
def integer_matmul(x, w, x_scale, w_scale, x_zero, w_zero):
    a = x.numpy().astype(np.float64) - x_zero.numpy()[:, None]
    b = (w.numpy().astype(np.float64) - w_zero.numpy()[:, None])
    scale = np.outer(x_scale.numpy().astype(float), w_scale.numpy().astype(float))
    out = np.einsum("ik,ok->io", a, b) * scale
    return torch.from_numpy(out.astype(np.float32))
"""
LOOPS = """
import torch
def corrected(product, x_sums, w_sums, k, x_zero, w_zero):
    out = product.clone()
    for i in range(product.shape[0]):
        for o in range(product.shape[1]):
            a, b = int(x_zero[i]), int(w_zero[o])
            out[i, o] += k * a * b - a * int(w_sums[o]) - b * int(x_sums[i])
    return out
def integer_matmul(x, w, x_scale, w_scale, x_zero, w_zero):
    rows = []
    for codes, scale, zero in zip(x.long(), x_scale, x_zero):
        rows.append(((w.long() - w_zero[:, None]) @ (codes - zero)).float() * w_scale * scale)
    return torch.stack(rows)
"""

RIGHT = {
    "factored, and centered before the product": FACTORED,
    "numpy": NUMPY,
    "loops": LOOPS,
    "one scale for each result": swap(
        "integer_matmul", "* x_scale[:, None] * w_scale", "* (x_scale[:, None] * w_scale)"
    ),
}
