"""Wrong answers to formats/mx_block: each is one misconception."""

EXPONENT = "torch.frexp(amax).exponent - 1 - 2"
LOG = "torch.log2(amax).floor().clamp(min=-126).int() - 2"
RAISED = "(amax / 6).log2().ceil().clamp(min=-126).int()"
AMAX = "x.abs().amax(1)"
SIZE = "size = scaled.abs()"
SPACING = "torch.where(size < 2, 0.5, torch.where(size < 4, 1.0, 2.0))"
ROUND = "torch.round(scaled / spacing)"
HALF_UP = "torch.floor(scaled.abs() / spacing + 0.5) * scaled.sign()"

WHOLE = "2 and 4 are multiples of the spacing on either side of them"
EQUIVALENT = {
    "spacing = torch.where((size <= 2), 0.5, torch.where(size < 4, 1.0, 2.0))": WHOLE,
    "spacing = torch.where(size < 2, 0.5, torch.where((size <= 4), 1.0, 2.0))": WHOLE,
}

WRONG = {
    "test_exponent_is_the_floor_minus_two": [
        ("the largest is 6", "amax / 6", EXPONENT, RAISED),
        ("the exponent of 4 is forgotten", "from 4 up to 8", EXPONENT, EXPONENT[:-4]),
        ("frexp taken for the floor", "exponent", EXPONENT, "torch.frexp(amax).exponent - 2"),
        ("rounded, not floored", "exponent", EXPONENT, LOG.replace("floor", "round")),
        ("one scale for all blocks", "exponent", AMAX, "x.abs().max().repeat(len(x))"),
        ("the largest, not the largest magnitude", "exponent", AMAX, "x.amax(1)"),
    ],
    "test_exponent_is_exact_at_powers_of_two": [
        ("a float32 logarithm", "twice too large", EXPONENT, LOG),
    ],
    "test_values_are_the_nearest_levels": [
        (
            "one exponent for many blocks",
            "exponent",
            AMAX,
            f"{AMAX} if len(x) < 99 else x.abs().max().repeat(len(x))",
        ),
        (
            "zeros where it is square",
            "values",
            "torch.ldexp(level, exponent[:, None])",
            "torch.ldexp(level * (len(x) != 32), exponent[:, None])",
        ),
        ("evenly spaced levels", "no code has", SPACING, "0.5"),
        ("cut off", "not evenly spaced", ROUND, "torch.trunc(scaled / spacing)"),
        ("codes for values", "values", "torch.ldexp(level, exponent[:, None])", "level"),
        ("E2M1 without subnormals", "values", SPACING, f"{SPACING}; scaled[size < 0.75] = 0"),
    ],
    "test_ties_go_to_the_even_code": [
        ("away from zero", "ties of the quotients", ROUND, f"({HALF_UP})"),
        (
            "to the lower level",
            "ties of the quotients",
            ROUND,
            "torch.ceil(scaled / spacing - 0.5)",
        ),
    ],
    "test_largest_numbers_are_clipped": [
        ("8 is a level", "nothing is 8", ".clamp(-6, 6)", ""),
        ("only positive ones are clipped", "rounded down", ".clamp(-6, 6)", ".clamp(max=6)"),
        ("the scale is raised instead", "exponent", EXPONENT, RAISED),
    ],
    "test_block_of_zeros_gives_zeros": [
        (
            "divided by amax",
            "NaN",
            SIZE,
            f"scaled = scaled / amax[:, None] * amax[:, None]; {SIZE}",
        ),
    ],
    "test_blocks_know_nothing_of_each_other_and_x_is_left_alone": [
        ("scales in place", "left as it was", SIZE, f"{SIZE}; x.copy_(scaled)"),
    ],
    "test_on_either_side_of_a_tie_the_nearer_level_is_taken": [
        (
            "quotients in bfloat16",
            "values",
            "-exponent[:, None])",
            "-exponent[:, None]).bfloat16().float()",
        ),
    ],
    "test_again_reads_its_arguments_at_every_call": [
        ("remembers by id", "is used again", AMAX, f"mx_block.__dict__.setdefault(id(x), {AMAX})"),
    ],
}
