"""Right answers to kv_cache/cache_bytes, each in its own style."""

from halfbits.course.authoring.contract import swap

MATCHED = """
def elements_per_token(layer):
    match layer:
        case {"kind": "latent", "rank": rank, "rope_dim": rope}:
            return rope + rank
        case {"kind": "full" | "window", "kv_heads": count, "head_dim": width}:
            keys = values = count * width
            return keys + values
    raise ValueError(layer)
"""
TABLE = """
RULES = {
    "full": lambda s: s["kv_heads"] * s["head_dim"] * 2,
    "window": lambda s: RULES["full"](s),
    "latent": lambda s: sum(s[name] for name in ("rank", "rope_dim")),
}
def elements_per_token(layer):
    if layer["kind"] not in RULES:
        raise ValueError("unknown kind")
    return RULES[layer["kind"]](layer)
"""
NUMPY = """
import numpy as np
def cache_bytes(layers, lengths, bits):
    tokens = np.asarray(lengths, dtype=np.int64)
    total = 0
    for layer in layers:
        held = np.minimum(tokens, layer["window"]) if "window" in layer else tokens
        total += int(held.sum()) * elements_per_token(layer)
    return total * bits // 8
"""
REQUESTS = """
def cache_bytes(layers, lengths, bits):
    def one(length):
        return sum(elements_per_token(x) * min(length, x.get("window", 10**12)) for x in layers)
    return int(sum(map(one, lengths)) * (bits / 8))
"""

RIGHT = {
    "patterns": MATCHED,
    "a table of rules": TABLE,
    "numpy over the requests": NUMPY,
    "request by request, a float that is whole": REQUESTS,
    "divided at once": swap(
        "cache_bytes",
        "elements * bits // 8",
        "elements // (8 // bits) if bits < 8 else elements * (bits // 8)",
    ),
}
