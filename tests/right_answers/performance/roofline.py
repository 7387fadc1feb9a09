"""Right answers to performance/roofline, each in its own style."""

from halfbits.course.authoring.contract import swap

TABLE = """
def layer_seconds(rows, layer, card):
    work = 2.0 * rows * layer["inputs"] * layer["outputs"]
    traffic = {
        "w": layer["weight_bits"] * layer["inputs"] * layer["outputs"] / 8,
        "x": 2 * rows * layer["inputs"],
        "y": 2 * rows * layer["outputs"],
    }
    by_bytes = sum(traffic.values()) / card["bandwidth"]
    by_work = work / card["peak"][layer["arithmetic"]]
    return by_bytes if by_bytes > by_work else by_work
"""
HALVING = """
def crossover_rows(layer, card):
    n, m = layer["inputs"], layer["outputs"]
    def ahead(rows):
        moved = n * m * layer["weight_bits"] / 8 + rows * (n + m) * 2
        return 2 * rows * n * m / card["peak"][layer["arithmetic"]] - moved / card["bandwidth"]
    low, high = 0.0, 1.0
    while ahead(high) < 0:
        high *= 2
        if high > 1e30:
            return float("inf")
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if ahead(middle) < 0 else (low, middle)
    return low
"""
RIDGE = swap(
    "crossover_rows",
    "return reading / (computing - moving) if computing > moving else math.inf",
    'ridge = card["peak"][layer["arithmetic"]] / card["bandwidth"]\n'
    "    size = 2 * inputs * outputs - 2 * (inputs + outputs) * ridge\n"
    '    weights = inputs * outputs * layer["weight_bits"] / 8\n'
    "    return ridge * weights / size if size > 0 else float('inf')",
)

RIGHT = {
    "a table of what is moved": TABLE,
    "an interval that is halved": HALVING,
    "by the ridge": RIDGE,
}
