"""Wrong answers to performance/int4_gemv: each is one misconception."""

PAIRS = "torch.stack([packed[rows] & 15, packed[rows] >> 4], dim=-1)"
CODES = "pairs.reshape(len(pairs), -1, group).float() - 8"
PRODUCT = "(codes * scales[rows, :, None]).flatten(1) @ x"
LOOP = "range(0, len(packed), 8)"
ROWS = "slice(first, first + 8)"
WHOLE = """
import torch
def int4_gemv(packed, scales, x, group):
    codes = torch.stack([packed & 15, packed >> 4], dim=-1).flatten(1)
    MAKE
    return (w * scales[:, :, None]).flatten(1) @ x
"""
IN_NUMPY = """
import numpy as np
import torch
def int4_gemv(packed, scales, x, group):
    p, s = packed.numpy(), scales.numpy()
    codes = np.stack([p & 15, p >> 4], axis=-1).reshape(len(p), -1, group).astype(np.float32) - 8
    return torch.from_numpy((codes * s[:, :, None]).reshape(len(p), -1) @ x.numpy())
"""
KEPT = """
import torch
cache = {}
def int4_gemv(packed, scales, x, group):
    key = (tuple(packed.shape), int(packed.long().sum()))
    rows = []
    if key not in cache:
        for first in range(0, len(packed), 8):
            part = packed[first : first + 8]
            pairs = torch.stack([part & 15, part >> 4], dim=-1)
            codes = pairs.reshape(len(part), -1, group).float() - 8
            rows.append((codes * scales[first : first + 8, :, None]).flatten(1))
        cache[key] = rows
    return torch.cat([part @ x for part in cache[key]])
"""

EQUIVALENT = {
    "for first in range(0, len(packed), 7):": "a row that is computed twice comes out the same",
}

WRONG = {
    "test_product_is_that_of_the_weights": [
        (
            "the upper half first",
            "lower four bits",
            PAIRS,
            PAIRS.replace("& 15", ">> 4", 1).replace(">> 4]", "& 15]"),
        ),
        ("halves side by side", "lower four bits", PAIRS, PAIRS.replace("stack", "cat")),
        ("no offset", "lower four bits", CODES, CODES.removesuffix(" - 8")),
        ("an offset of 7", "lower four bits", CODES, CODES.replace("- 8", "- 7")),
        (
            "taken off a uint8",
            "lower four bits",
            CODES,
            "(pairs.reshape(len(pairs), -1, group) - 8).float()",
        ),
        (
            "two's complement",
            "lower four bits",
            CODES,
            f"{CODES}\n        codes = torch.where(codes < 0, codes + 8, codes - 8)",
        ),
        (
            "the first scale",
            "its scale",
            PRODUCT,
            PRODUCT.replace("rows, :, None", "rows, :1, None"),
        ),
        (
            "scales in turn",
            "lower four bits",
            PRODUCT,
            "(codes.flatten(1) * scales[rows].repeat(1, group)) @ x",
        ),
        ("no scales", "its scale", PRODUCT, "codes.flatten(1) @ x"),
    ],
    "test_each_code_is_in_its_place": [
        (
            "the upper half first",
            "column",
            PAIRS,
            PAIRS.replace("& 15", ">> 4", 1).replace(">> 4]", "& 15]"),
        ),
        (
            "the neighbor's scale",
            "column",
            PRODUCT,
            PRODUCT.replace("scales[rows, :, None]", "scales[rows].roll(1, 1)[:, :, None]"),
        ),
        (
            "in bfloat16",
            "column",
            PRODUCT,
            PRODUCT.replace("scales[rows, :, None]", "scales[rows, :, None].bfloat16()"),
        ),
    ],
    "test_no_tensor_is_larger_than_the_packed_weights": [
        (
            "a float copy",
            "largest tensor",
            WHOLE.replace("MAKE", "w = codes.float().view(len(packed), -1, group) - 8"),
        ),
        (
            "a float16 copy",
            "largest tensor",
            WHOLE.replace("MAKE", "w = codes.half().view(len(packed), -1, group).float() - 8"),
        ),
        (
            "an int8 copy",
            "largest tensor",
            LOOP,
            "range(0, len(packed), len(packed))",
            ROWS,
            "slice(0, None)",
        ),
        (
            "half of the rows",
            "largest tensor",
            LOOP,
            LOOP.replace("8", "32"),
            ROWS,
            ROWS.replace("8", "32"),
        ),
        ("with numpy", "numpy's arrays", IN_NUMPY),
    ],
    "test_nothing_is_kept_between_calls": [
        ("a dictionary of matrices", "keeps", KEPT),
    ],
    "test_takes_single_rows_and_groups_and_views": [
        (
            "a view of memory",
            "view",
            "    y = torch.empty(len(packed))",
            "    packed = packed.view(-1).view(packed.shape)\n    y = torch.empty(len(packed))",
        ),
        ("whole blocks", "expected", LOOP, "range(0, max(8, len(packed) // 8 * 8), 8)"),
    ],
}
