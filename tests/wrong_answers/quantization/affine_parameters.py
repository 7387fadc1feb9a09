"""Wrong answers to quantization/affine_parameters: each is one misconception."""

STRETCH = "low, high = min(low, 0.0), max(high, 0.0)"
ZERO = "first - round(low / scale)"
CUT = f"min(max({ZERO}, first), last)"

OTHER_SCALE = "any scale serves where there is no range"
EQUIVALENT = {"scale = (high - low) / (last - first) or 2.0": OTHER_SCALE}

WRONG = {
    "test_range_on_both_sides_of_zero": [
        ("as many steps as codes", "As many steps", "(last - first)", "(last - first + 1)"),
        ("the first code taken for 0", "not always 0", ZERO, "-round(low / scale)"),
        ("the sign turned round", "not always 0", ZERO, "first + round(low / scale)"),
        ("a zero point that is no code", "an int from", ZERO, "first - low / scale"),
        ("cut off, not rounded", "within 0.5", ZERO, "first - int(low / scale)"),
        ("symmetric", "scale", STRETCH, "high = max(abs(low), abs(high)); low = -high"),
        ("the center", "zero_point", ZERO, "(first + last) // 2"),
    ],
    "test_range_above_zero_is_stretched_down_to_it": [
        ("a zero point beyond the codes", "every padded place", "min(low, 0.0), ", "low, "),
        ("cut off to the codes", "every padded place", "min(low, 0.0), ", "low, ", ZERO, CUT),
    ],
    "test_range_below_zero_is_stretched_up_to_it": [
        ("a zero point beyond the codes", "the same care", "max(high, 0.0)", "high"),
        ("cut off to the codes", "the same care", "max(high, 0.0)", "high", ZERO, CUT),
    ],
    "test_a_single_value_still_has_a_range": [
        ("a range of 1", "scale", STRETCH, f"if low == high: return 1.0, first\n    {STRETCH}"),
    ],
    "test_an_end_at_zero_is_the_first_or_last_code": [
        (
            "one-sided means symmetric",
            "a ReLU",
            STRETCH,
            f"{STRETCH}\n    if low == 0: low = -high",
        ),
    ],
    "test_nothing_but_zeros_gives_a_usable_scale": [
        ("divides by zero", "raised ZeroDivisionError", " or 1.0", ""),
        (
            "a scale of zero",
            "finite and above 0",
            STRETCH,
            f"if low == high == 0: return 0.0, first\n    {STRETCH}",
        ),
    ],
    "test_tiny_and_huge_ranges_are_like_any_other": [
        ("a floor of 1e-8", "scale", "or 1.0", "or 1.0; scale = max(scale, 1e-8)"),
    ],
    "test_zero_point_near_a_tie_is_the_nearer_code": [
        (
            "in float32",
            "zero_point",
            ZERO,
            "first - round((f := __import__('numpy').float32)(low) / f(scale))",
        ),
    ],
}
