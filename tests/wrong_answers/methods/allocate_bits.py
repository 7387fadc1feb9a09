"""Wrong answers to methods/allocate_bits: each is one misconception."""

MEMORY = "sum(width * size for width, size in zip(widths, sizes, strict=True))"
LOSS = "sum(layer[width] for layer, width in zip(errors, widths, strict=True))"
FITS = "memory(widths) <= budget"
RESULT = "return list(min(fitting, key=loss))"

NUMPY = "import itertools\n\nimport numpy as np"
REFUSED = 'raise ValueError(f"no choice of widths fits into {budget} bits")'
PRODUCT = "lambda w: math.prod(e[b] for e, b in zip(errors, w))"

MEMORY_OF = "return sum(width * size for width, size in zip(widths, sizes{}))"
LOSS_OF = "return sum(layer[width] for layer, width in zip(errors, widths{}))"
EQUIVALENT = {
    MEMORY_OF.format(""): "both are as long as there are layers",
    MEMORY_OF.format(", strict=False"): "both are as long as there are layers",
    LOSS_OF.format(""): "both are as long as there are layers",
    LOSS_OF.format(", strict=False"): "both are as long as there are layers",
    "pass": "the minimum of nothing is a ValueError by itself",
}

GREEDY = """
def allocate_bits(errors, sizes, budget):
    chosen = [min(layer) for layer in errors]
    left = budget - sum(b * s for b, s in zip(chosen, sizes))
    if left < 0:
        raise ValueError("too small")
    for i in sorted(range(len(errors)), key=lambda i: -errors[i][min(errors[i])]):
        for width in sorted(errors[i], reverse=True):
            if (width - chosen[i]) * sizes[i] <= left:
                left -= (width - chosen[i]) * sizes[i]
                chosen[i] = width
                break
    return chosen
"""
SAME = """
def allocate_bits(errors, sizes, budget):
    widths = [w for w in errors[0] if w * sum(sizes) <= budget]
    if not widths:
        raise ValueError("too small")
    return [max(widths)] * len(errors)
"""

WRONG = {
    "test_errors_add_up_to_the_least": [
        (
            "removes widths that do not fit",
            "left as it was",
            "fitting = ",
            "for layer, size in zip(errors, sizes, strict=True):\n"
            "        for width in [w for w in layer if w * size > 2 * sum(sizes)]:\n"
            "            del layer[width]\n    fitting = ",
        ),
        (
            "uses the sizes up",
            "left as it was",
            RESULT,
            "sizes.clear()\n    return list(fitting[0])",
        ),
        ("the same width for all", "are not the best", SAME),
        ("the most sensitive first", "are not the best", GREEDY),
        ("the most error", "are not the best", RESULT, RESULT.replace("min", "max")),
        ("the largest error counts", "are not the best", LOSS, LOSS.replace("sum(", "max(")),
        (
            "errors weighed by size",
            "are not the best",
            LOSS,
            "sum(e[w] * s for e, w, s in zip(errors, widths, sizes, strict=True))",
        ),
        (
            "as much memory as possible",
            "are not the best",
            RESULT,
            "return list(max(fitting, key=memory))",
        ),
        ("the least memory", "are not the best", RESULT, "return list(min(fitting, key=memory))"),
        (
            "a product of errors",
            "are not the best",
            RESULT,
            "import math\n    return list(min(fitting, key=PRODUCT))".replace("PRODUCT", PRODUCT),
        ),
    ],
    "test_size_of_a_layer_counts": [
        (
            "a mean of widths",
            "takes more error off",
            FITS,
            "sum(widths) * sum(sizes) <= budget * len(sizes)",
        ),
        ("the widths alone", "expected", MEMORY, "sum(widths) * (sum(sizes) // len(sizes))"),
    ],
    "test_budget_may_be_used_up": [
        ("has to stay below", "a bound", FITS, "memory(widths) < budget"),
        ("has to be used up", "budget", FITS, "memory(widths) == budget"),
        ("a budget of bytes", "expected", FITS, "memory(widths) <= 8 * budget"),
    ],
    "test_layers_may_differ_in_their_widths": [
        (
            "the widths of the first layer",
            "raised",
            "itertools.product(*errors)",
            "itertools.product(errors[0], repeat=len(errors))",
        ),
        (
            "the widest that fits, layer by layer",
            "More bits are not always",
            RESULT,
            "return list(max(fitting))",
        ),
    ],
    "test_budget_that_is_too_small_is_refused": [
        (
            "the smallest widths instead",
            "must not be returned",
            REFUSED,
            "return [min(layer) for layer in errors]",
        ),
        (
            "None",
            "must not be returned",
            'raise ValueError(f"no choice of widths fits into {budget} bits")',
            "return None",
        ),
    ],
    "test_error_of_zero_is_the_least_there_is": [
        ("0 for unknown", "not", LOSS, f"{LOSS} or float('inf')"),
    ],
    "test_large_models_are_counted_exactly": [
        ("in float32", "expected", MEMORY, f"np.float32({MEMORY})", "import itertools", NUMPY),
        ("in gigabits", "expected", FITS, "memory(widths) // 10**9 <= budget // 10**9"),
        ("in float64", "expected", FITS, "float(memory(widths)) <= float(budget)"),
    ],
    "test_width_that_ruins_a_layer_is_taken_last": [
        (
            "infinities are 0",
            "expected",
            LOSS,
            LOSS.replace("layer[width] for", "min(layer[width], 1e9) % 1e9 for"),
        ),
        (
            "infinities are left out",
            "raised",
            "if memory(widths) <= budget",
            "if memory(widths) <= budget and loss(widths) < float('inf')",
        ),
    ],
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers by id",
            "is used again",
            RESULT,
            RESULT.replace("return ", "return allocate_bits.__dict__.setdefault(id(errors), ")
            + ")",
        ),
    ],
}
