"""Right answers to methods/hadamard, each in its own style."""

from halfbits.course.authoring.contract import swap

NORMED = "matrix / n**0.5"
BITS = """
import torch
def hadamard(n):
    signs = [[(-1.0) ** (i & j).bit_count() for j in range(n)] for i in range(n)]
    return torch.tensor(signs, dtype=torch.float64).mul(n**-0.5)
"""
KRONECKER = """
import torch
def hadamard(n):
    pair = torch.tensor([[1.0, -1.0], [1.0, 1.0]], dtype=torch.float64) / 2**0.5
    out = torch.ones(1, 1, dtype=torch.float64)
    for _ in range(n.bit_length() - 1):
        out = torch.kron(out, pair)
    return out
"""
EINSUM = """
import torch
def fold(q, w1, b1, w2):
    w2 = torch.nn.functional.linear(w2, q.t())
    return [torch.einsum("ij,ik->jk", q, w1), torch.mv(q.T, b1), w2]
"""
NUMPY = """
import numpy as np
import torch
def fold(q, w1, b1, w2):
    r = q.numpy()
    parts = (np.linalg.inv(r) @ w1.numpy(), r.T.dot(b1.numpy()), w2.numpy().dot(r))
    return tuple(torch.from_numpy(part) for part in parts)
"""

RIGHT = {
    "the parity of i & j": BITS,
    "Kronecker products of a rotation by 45 degrees": KRONECKER,
    "einsum, a matrix times a vector, and linear": EINSUM,
    "numpy with an inverse": NUMPY,
    "in another order": swap("hadamard", NORMED, "(matrix / n**0.5).flip(1)"),
}
