"""Wrong answers to amp/repair_rope: each is one misconception."""

FREQUENCY = "base ** (-torch.arange(half, dtype=torch.float32) / half)"
POSITION = "positions.float()[:, None]"
ANGLE = "angle.cos().to(x.dtype), angle.sin().to(x.dtype)"
RESULT = "torch.cat([a * cos - b * sin, b * cos + a * sin], dim=1)"

EQUIVALENT = {
    "frequency = base ** (-torch.arange(half) / half)": "a quotient of integers is a float32",
    "frequency = base ** (-torch.arange(half, dtype=torch.float64) / half)": "more exact",
    "angle = positions[:, None] * frequency": "an integer times a float32 is a float32",
}

WRONG = {
    "test_product_depends_on_the_distance_alone": [
        (
            "as it came",
            "breaks it",
            FREQUENCY,
            FREQUENCY.replace("torch.float32", "x.dtype"),
            POSITION,
            "positions.to(x.dtype)[:, None]",
        ),
        ("rounded positions", "breaks it", POSITION, "positions.to(x.dtype)[:, None].float()"),
        (
            "rounded angles",
            "breaks it",
            ANGLE,
            "angle.to(x.dtype).cos(), angle.to(x.dtype).sin()",
        ),
        ("float16 instead", "breaks it", POSITION, "positions.half()[:, None]"),
    ],
    "test_every_position_has_its_angles": [
        ("rounded frequencies", "expected", FREQUENCY, f"({FREQUENCY}).to(x.dtype).float()"),
        ("positions that start again at 256", "expected", POSITION, "(positions % 256)[:, None]"),
        ("not beyond 128 channels", "expected", POSITION, f"{POSITION} * (half <= 64)"),
        ("positions clamped", "expected", POSITION, "positions.clamp(max=2048)[:, None]"),
        ("from the first position on", "expected", POSITION, "(positions - positions[0])[:, None]"),
    ],
    "test_short_prompts_stay_as_they_were": [
        ("a float32 result", "float32", ANGLE, "angle.cos(), angle.sin()"),
        ("rotates in place", "left as it was", RESULT, f"x.copy_({RESULT})"),
        (
            "rotated the other way",
            "has to stay right",
            RESULT,
            RESULT.replace("- b", "+ b").replace("+ a", "- a"),
        ),
        (
            "neighbors as pairs",
            "has to stay right",
            "x[:, :half], x[:, half:]",
            "x[:, ::2], x[:, 1::2]",
        ),
        ("twice the frequency", "has to stay right", "/ half)", "/ (2 * half))"),
        (
            "the index for the position",
            "has to stay right",
            POSITION,
            "torch.arange(len(x))[:, None]",
        ),
    ],
    "test_base_sets_the_frequencies": [
        ("always 10000", "models differ", FREQUENCY, FREQUENCY.replace("base", "10000.0")),
    ],
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers its table by the address of the positions",
            "is used again",
            ANGLE,
            f"*rotary.__dict__.setdefault(positions.data_ptr(), ({ANGLE})),",
        ),
    ],
    "test_views_and_empty_batches_are_rotated_too": [
        (
            "needs one block of memory",
            "raised",
            "x[:, :half], x[:, half:]",
            "x.view(-1).view(x.shape)[:, :half], x[:, half:]",
        ),
    ],
}
