"""Right answers to performance/tokens_a_second, each in its own style."""

from halfbits.course.authoring.contract import swap

STEPS = """
def tokens_a_second(model, card, rows, context):
    if not all(amount > 0 for amount in card.values()):
        raise ValueError
    m = model
    token = m["layers"] * m["kv_heads"] * m["head_dim"] * m["cache_bits"] / 4
    nbytes = m["weights"] * m["bits"] / 8 + rows * context * token
    flops = 2 * rows * (m["weights"] + 2 * m["layers"] * m["heads"] * m["head_dim"] * context)
    steps = min(card["bandwidth"] / nbytes, card["peak"] / flops)
    return dict(each=steps, all=steps * rows)
"""
SUM_OVER_USERS = """
def step_bytes(model, rows, context):
    bits = model["weights"] * model["bits"]
    for _ in range(rows):
        for tensor in ("key", "value"):
            bits += (model["layers"] * model["head_dim"] * model["kv_heads"] * context
                     * model["cache_bits"])
    return bits / 8
"""
INTENSITY = swap(
    "tokens_a_second",
    'max(moving, operations / card["peak"])',
    'moving if operations / card["peak"] < moving else operations / card["peak"]',
)

RIGHT = {
    "steps a second first": STEPS,
    "a sum over users": SUM_OVER_USERS,
    "a comparison": INTENSITY,
}
