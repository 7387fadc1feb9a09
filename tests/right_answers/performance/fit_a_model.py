"""Right answers to performance/fit_a_model, each in its own style."""

from halfbits.course.authoring.contract import swap

INTEGERS = """
import math
def rows_that_fit(model, card, context):
    bits = 2 * model["cache_bits"] * math.prod(model[k] for k in ("layers", "kv_heads", "head_dim"))
    coded = model["parameters"] - model["kept"]
    used = coded * model["bits"] / 8 + model["kept"] * 2
    used += coded // model["group"] * 2 if model["group"] > 0 else 0
    free = card["gib"] * 1024**3 * card["usable"] - card["workspace_gb"] * 1e9 - used
    return math.floor(free / (bits * context / 8)) if free > 0 else 0
"""
FILLING = """
def rows_that_fit(model, card, context):
    each = model["cache_bits"] / 8 * 2 * model["head_dim"] * model["kv_heads"] * model["layers"]
    total = card["gib"] * (1 << 30) * card["usable"]
    used = weight_bytes(model) + 1_000_000_000 * card["workspace_gb"]
    rows = 0
    while used + (rows + 1) * each * context <= total:
        rows += 1
    return rows
"""
TRUE_BITS = swap(
    "weight_bytes",
    'return coded * model["bits"] / 8 + 2 * scales + 2 * model["kept"]',
    'bits = model["bits"] * coded + 16 * scales + 16 * model["kept"]\n    return bits / 8',
)

RIGHT = {
    "a product of sizes": INTEGERS,
    "row by row": FILLING,
    "bits first": TRUE_BITS,
}
