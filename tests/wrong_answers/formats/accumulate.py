"""Wrong and right answers to formats/accumulate: each wrong one is one misconception."""

from halfbits.course.authoring.contract import RightAnswer, swap

STEP = "(partial.float() + product).to(narrow)"
SPLIT = "(a * b).split(every)"
TOTAL = "total = total + partial.float()"
ZERO = "partial = torch.zeros((), dtype=narrow)"
ONCE = "partial = stretch.sum().to(narrow)"
LOOP = f"for product in stretch:\n            partial = {STEP}"

EQUIVALENT = {
    "partial = torch.zeros(())": "a 0 of either type is 0, and the first addition rounds",
    "partial = (partial + product).to(narrow)": "a sum with float32 is a float32 of the same value",
    "total = total + partial": "a sum with float32 is a float32 of the same value",
}

WRONG = {
    "test_sum_stops_growing_without_a_promotion": [
        ("rounded once at the end", "goes on", LOOP, ONCE),
        ("a float32 sum", "goes on", STEP, "partial + product", ZERO, "partial = torch.zeros(())"),
        ("torch's own sum", "goes on", LOOP, "partial = stretch.to(narrow).sum()"),
    ],
    "test_promotion_lets_the_total_grow": [
        (
            "a total in the narrow type",
            "never be rounded",
            TOTAL,
            "total = (total + partial).to(narrow)",
            "return total",
            "return total.float()",
        ),
        ("never promoted", "expected", SPLIT, "(a * b).split(max(len(a), 1))"),
        ("the partial sum goes on", "start again at 0", ZERO, "partial = total.to(narrow)"),
    ],
    "test_every_addition_is_rounded_in_order": [
        (
            "products in the narrow type",
            "other last bits",
            STEP,
            STEP.replace("product", "product.to(narrow)"),
        ),
        ("backwards", "other last bits", "in stretch:", "in stretch.flip(0):"),
        ("inputs in the narrow type", "last bits", "(a * b)", "(a.to(narrow).float() * b)"),
        (
            "interleaved",
            "other last bits",
            SPLIT,
            "[(a * b)[i::max(len(a) // every, 1)] for i in range(max(len(a) // every, 1))]",
        ),
    ],
    "test_last_stretch_may_be_shorter": [
        (
            "the rest is dropped",
            "single stretch",
            SPLIT,
            "(a * b)[: len(a) // every * every].split(every)",
        ),
    ],
    "test_overflow_becomes_infinite_in_float16_alone": [
        (
            "clamped",
            "Neither is clamped",
            STEP,
            "(partial.float() + product).clamp("
            "-torch.finfo(narrow).max, torch.finfo(narrow).max).to(narrow)",
        ),
        ("always float16", "expected", ZERO, f"narrow = torch.float16; {ZERO}"),
    ],
    "test_nothing_to_add_is_zero_and_inputs_are_left_alone": [
        ("multiplies in place", "left as it was", "(a * b)", "a.mul_(b)"),
        (
            "a narrow result",
            "tensor float16",
            "return total",
            "return total if len(a) else total.to(narrow)",
        ),
    ],
}

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

RIGHT = [
    RightAnswer("one index, Python floats between the roundings", COUNTED),
    RightAnswer("numpy and ml_dtypes", NUMPY),
    RightAnswer("all stretches side by side", SIDE_BY_SIDE),
    RightAnswer(
        "a sum without .float()", swap("accumulate", STEP, "(partial + product).to(narrow)")
    ),
]
