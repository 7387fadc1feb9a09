"""Wrong answers to formats/accumulate: each is one misconception."""

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

WIDER = "total = total.double() + partial.double()"
REMEMBERED = """seen = accumulate.__dict__.setdefault(a.data_ptr(), a.clone())
    a, total = seen, torch.zeros(())"""
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
            "denormal sums are flushed",
            "expected",
            "partial = (partial.float() + product).to(narrow)",
            "partial = (partial.float() + product).to(narrow)\n"
            "            partial *= partial.abs() >= torch.finfo(narrow).smallest_normal",
        ),
        (
            "zeros are left out",
            "expected",
            "(a * b).split(every)",
            "[*filter(len, (a * b)[a * b != 0].split(every))]",
        ),
        (
            "products in the narrow type",
            "other last bits",
            STEP,
            STEP.replace("product", "product.to(narrow)"),
        ),
        ("backwards", "other last bits", "in stretch:", "in stretch.flip(0):"),
        (
            "partial sums added at once",
            "other last bits",
            "total = torch.zeros(())",
            "parts = []",
            TOTAL,
            "parts.append(partial.float())",
            "return total",
            "return torch.stack(parts).sum() if parts else torch.zeros(())",
        ),
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
    "test_each_step_has_the_type_of_the_rule": [
        ("products in float64", "off by", SPLIT, "(a.double() * b.double()).split(every)"),
        ("the total in float64", "off by", TOTAL, WIDER, "return total", "return total.float()"),
    ],
    "test_again_reads_its_arguments_at_every_call": [
        ("remembers by address", "is used again", "total = torch.zeros(())", REMEMBERED),
    ],
}
