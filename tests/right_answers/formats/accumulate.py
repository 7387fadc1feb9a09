"""Right answers to formats/accumulate, each in its own style."""

from halfbits.course.authoring.contract import swap

STEP = "(partial.float() + product).to(narrow)"
COUNTED = """
import torch
def accumulate(a, b, narrow, every):
    total = part = 0.0
    for i in range(a.numel()):
        product = torch.mul(a[i], b[i]).item()
        part = torch.tensor(part + product, dtype=torch.float32).to(narrow).item()
        if i % every == every - 1 or i == a.numel() - 1:
            total = torch.tensor(total + part, dtype=torch.float32).item()
            part = 0.0
    return torch.tensor(total)
"""
NUMPY = """
import ml_dtypes
import numpy as np
import torch
def accumulate(a, b, narrow, every):
    kind = {torch.float16: np.float16, torch.bfloat16: ml_dtypes.bfloat16}[narrow]
    products = a.numpy() * b.numpy()
    total = np.float32(0)
    with np.errstate(over="ignore"):
        for start in range(0, products.size, every):
            part = kind(0)
            for p in products[start : start + every]:
                part = kind(np.float32(part) + p)
            total += np.float32(part)
    return torch.tensor(total)
"""
SIDE_BY_SIDE = """
import torch
def accumulate(a, b, narrow, every):
    products = torch.nn.functional.pad(a * b, (0, -len(a) % every)).view(-1, every)
    parts = torch.zeros(len(products), dtype=narrow)
    for column in products.t():
        parts = (parts + column).to(narrow)
    total = torch.tensor(0.0)
    for part in parts:
        total += part
    return total
"""

RIGHT = {
    "one index, Python floats between the roundings": COUNTED,
    "numpy and ml_dtypes": NUMPY,
    "all stretches side by side": SIDE_BY_SIDE,
    "a sum without .float()": swap("accumulate", STEP, "(partial + product).to(narrow)"),
}
