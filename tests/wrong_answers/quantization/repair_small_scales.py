"""Wrong answers to quantization/repair_small_scales: each is one misconception."""

WIDE = "wide = x.float()"
FLOOR = "torch.finfo(torch.float32).tiny"
AMAX = "wide.abs().amax(1, keepdim=True) / 127"
SCALE = "(wide.abs().amax(1, keepdim=True) / 127).clamp(min=smallest)"
RESULT = "return torch.round(wide / scale).to(torch.int8), scale"

EQUIVALENT = {}

WRONG = {
    "test_quiet_tokens_have_their_own_scale": [
        (
            "eps of the input",
            "flattens quiet tokens",
            FLOOR,
            "torch.finfo(x.dtype).eps",
            RESULT,
            "return torch.round(wide / scale).to(torch.int8), scale",
        ),
        ("a floor of 0.001", "flattens quiet tokens", FLOOR, "1e-3"),
        ("a floor of 1e-5", "flattens quiet tokens", FLOOR, "1e-5"),
        ("added, not a floor", "flattens quiet tokens", SCALE, f"{AMAX} + 1e-5"),
        ("a floor of 1e-6", "flattens quiet tokens", FLOOR, "1e-6"),
    ],
    "test_scale_has_the_digits_of_float32": [
        (
            "the floor alone is mended",
            "16 bits",
            WIDE,
            "wide = x",
            RESULT,
            "return torch.round(wide / scale).clamp(-127, 127).to(torch.int8), scale.float()",
        ),
        ("the scale in 16 bits", "16 bits", AMAX, "x.abs().amax(1, keepdim=True) / 127"),
        (
            "the quotient in 16 bits",
            "16 bits",
            "torch.round(wide / scale)",
            "torch.round(x / scale.to(x.dtype)).clamp(-127, 127)",
        ),
        ("over 128", "expected", AMAX, AMAX.replace("127", "128")),
        ("truncated", "expected", "torch.round(wide / scale)", "torch.trunc(wide / scale)"),
        ("a scale of 16 bits", "float32", RESULT, RESULT.replace(", scale", ", scale.to(x.dtype)")),
    ],
    "test_each_token_has_its_own_scale": [
        ("one scale for all", "expected", AMAX, "wide.abs().amax().expand(len(x), 1) / 127"),
        (
            "a scale a channel",
            "expected",
            AMAX,
            "wide.abs().amax(0).amax().expand(len(x), 1) / 127",
        ),
        (
            "one scale where there are more tokens than numbers",
            "more tokens than numbers",
            AMAX,
            f"({AMAX} if len(x) <= x.shape[1] else wide.abs().amax().expand(len(x), 1) / 127)",
        ),
        (
            "a scale a channel where it is square",
            "as many",
            AMAX,
            f"({AMAX} if len(x) != x.shape[1] else wide.abs().amax(0)[:, None] / 127)",
        ),
        (
            "rounds x itself",
            "left as it was",
            RESULT,
            "return x.copy_(torch.round(wide / scale)).to(torch.int8), scale",
        ),
    ],
    "test_token_of_zeros_is_no_nan": [
        ("no floor", "expected", SCALE, AMAX),
        ("the floor in float16", "expected", FLOOR, "torch.tensor(1e-9).half().item()"),
        (
            "a scale of 1 for all",
            "scale of the others",
            SCALE,
            f"{AMAX}\n    scale = scale if scale.all() else torch.ones_like(scale)",
        ),
    ],
    "test_largest_numbers_of_a_type_do_not_overflow": [
        (
            "multiplied first",
            "expected",
            RESULT,
            RESULT.replace("wide / scale", "wide * 127 / (scale * 127)"),
        ),
    ],
    "test_empty_batch_gives_no_codes": [
        ("by the largest of all", "raised", SCALE, f"{SCALE} * (wide.abs().max() >= 0)"),
    ],
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers by id",
            "is used again",
            SCALE,
            f"quantize_tokens.__dict__.setdefault(id(x), {SCALE})",
        ),
    ],
}
