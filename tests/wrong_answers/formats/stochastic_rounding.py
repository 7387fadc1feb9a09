"""Wrong answers to formats/stochastic_rounding: each is one misconception."""

BITS = "bits = x.view(torch.int32)"
LOW = "low = bits & 0xFFFF"
UP = "up = (u * 2**16 < low).to(torch.int32)"
ROUNDED = "rounded = (bits - low + (up << 16)).view(torch.float32)"
RESULT = "return torch.where(x.isnan(), x, rounded).to(torch.bfloat16)"

EQUIVALENT = {}

WRONG = {
    "test_goes_away_from_zero_with_the_odds_of_the_distance": [
        ("to the nearest", "for either sign", RESULT, "return x.to(torch.bfloat16)"),
        ("a coin", "for either sign", UP, "up = ((u < 0.5) & (low > 0)).to(torch.int32)"),
        ("the odds the other way", "for either sign", UP, UP.replace("u *", "(1 - u) *")),
        (
            "up, not away from zero",
            "for either sign",
            UP,
            "up = torch.where(x < 0, (1 - u) * 2**16 > low, u * 2**16 < low).to(torch.int32)",
        ),
        (
            "noise of the number's size, then to the nearest",
            "off by",
            RESULT,
            "return (x + (u - 0.5) * x.abs() * 2**-7).to(torch.bfloat16)",
        ),
        ("one u for all", "for either sign", UP, UP.replace("u *", "u.flatten()[0] *")),
        ("u of its own", "for either sign", UP, UP.replace("u *", "torch.rand_like(x) *")),
        ("float32", "tensor float32", RESULT, RESULT.replace(".to(torch.bfloat16)", "")),
    ],
    "test_average_over_all_draws_is_the_number": [
        ("cut off", "off once", UP, "up = torch.zeros_like(bits)"),
        ("always away", "off once", UP, "up = (low > 0).to(torch.int32)"),
        (
            "odds of the square",
            "off once",
            UP,
            UP.replace("u * 2**16 < low", "u * 2.0**32 < low.double() ** 2"),
        ),
    ],
    "test_odds_are_met_at_both_ends": [
        ("at most p", "is a bias in every step", UP, UP.replace("<", "<=")),
        (
            "random bits of 1 to 65,536 are added",
            "is a bias in every step",
            ROUNDED,
            "r = 2**16 - (u * 2**16).to(torch.int32)\n"
            "    rounded = ((bits + r) & ~0xFFFF).view(torch.float32)",
        ),
        ("zeros lose their sign", "the sign", RESULT, RESULT.replace("rounded)", "rounded + 0.0)")),
        ("one draw too few", "is a bias in every step", UP, UP.replace("< low", "< low - 1")),
        ("odds of 8 bits", "is a bias in every step", UP, UP.replace("< low", "< (low & 0xFF00)")),
    ],
    "test_carry_reaches_the_next_power_of_two": [
        (
            "no carry into the exponent",
            "which is where x lies",
            ROUNDED,
            "full = (bits & 0x7F0000) == 0x7F0000\n"
            "    rounded = (bits - low + torch.where(full, 0, up << 16)).view(torch.float32)",
        ),
        (
            "the spacing above the power",
            "which is where x lies",
            UP,
            "near = (bits & 0x7F0000) == 0x7F0000\n"
            "    up = (u * 2**16 < torch.where(near, low / 2, low)).to(torch.int32)",
        ),
    ],
    "test_ends_of_the_format_are_rounded_like_the_rest": [
        (
            "subnormal numbers are set to zero",
            "in all of its range",
            ROUNDED,
            f"{ROUNDED}\n    rounded = torch.where(x.abs() < 2.0**-126, 0.0, rounded)",
        ),
        (
            "saturates",
            "in all of its range",
            RESULT,
            "top = torch.finfo(torch.bfloat16).max\n"
            "    rounded = torch.where(x.isfinite(), rounded.clamp(-top, top), rounded)\n"
            f"    {RESULT}",
        ),
    ],
    "test_nan_stays_nan": [
        ("no guard", "turns into minus zero", RESULT, "return rounded.to(torch.bfloat16)"),
        (
            "NaN becomes 0",
            "NaN everywhere",
            RESULT,
            RESULT.replace("x, rounded", "0.0, rounded"),
        ),
    ],
}
