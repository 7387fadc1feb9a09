"""Wrong answers to quantization/nf4: each is one misconception."""

GROUPS = "w.detach().float().reshape(len(w), -1, 64)"
SCALE = "groups.abs().amax(2, keepdim=True)"
GUARD = "scale = torch.where(scale == 0, 1.0, scale)\n    # The"
CODES = "(groups / scale)[..., None].sub(LEVELS).abs().argmin(3)"
MEAN = "scale.mean()"
STEP = "blocks.abs().amax(1) / 127"
ROUNDED = "torch.round(blocks / torch.where(step == 0, 1.0, step)[:, None])"

CAST = "0 / 0 is NaN, and the cast of a NaN to int8 is 0 on the machines that run this"
BLOCKS = "codes = torch.round(blocks / torch.where(step == {}, {}, step)[:, None])"
EQUIVALENT = {
    "scale = torch.where(scale == 0, 2.0, scale)": "zeros may have any positive scale",
    "return codes.reshape(w.shape).to(torch.uint8), scale[:, :, -1]": "an axis of length 1",
    BLOCKS.format("1", "1.0"): CAST,
    BLOCKS.format("-1", "1.0"): CAST,
    BLOCKS.format("0", "2.0"): "zeros are zeros with any step",
}

WRONG = {
    "test_nf4_takes_the_nearest_level": [
        ("evenly spaced", "finds the nearest", CODES, "((groups / scale + 1) * 7.5).round()"),
        (
            "the level below",
            "finds the nearest",
            CODES,
            "torch.bucketize(groups / scale, LEVELS, right=True).sub(1)",
        ),
        (
            "quotients in float16",
            "finds the nearest",
            CODES,
            CODES.replace("groups / scale", "(groups / scale).half()"),
        ),
        ("the level above", "finds the nearest", CODES, "torch.bucketize(groups / scale, LEVELS)"),
        (
            "rounded, then looked up",
            "finds the nearest",
            CODES,
            CODES.replace("groups / scale", "(groups / scale * 7).round() / 7"),
        ),
    ],
    "test_nf4_scale_is_amax_over_the_largest_level": [
        ("largest without the sign", "expected", SCALE, SCALE.replace(".abs()", "")),
        (
            "one scale a row",
            "expected",
            SCALE,
            "groups.abs().amax((1, 2), keepdim=True).expand(-1, groups.shape[1], 1)",
        ),
        (
            "one scale where rows exceed columns",
            "tall",
            SCALE,
            f"({SCALE} if len(w) <= w.shape[1] else groups.abs().amax().expand(len(w), 1, 1))",
        ),
        ("over 7", "expected", SCALE, f"{SCALE} / 7"),
        ("the standard deviation", "expected", SCALE, "groups.std(2, keepdim=True)"),
        ("a floor of 1e-4", "expected", SCALE, f"{SCALE}.clamp(min=1e-4)"),
    ],
    "test_nf4_zero_group_gives_zeros": [
        ("no guard", "expected", GUARD, "# The"),
    ],
    "test_nf4_half_precision_is_computed_in_float32": [
        (
            "in the type of w",
            "expected",
            GROUPS,
            GROUPS.replace(".float()", ""),
            "scale[:, :, 0]",
            "scale[:, :, 0].float()",
        ),
    ],
    "test_offset_is_the_mean": [
        ("no offset", "waste a bit", MEAN, "scale.mean() * 0"),
        ("the smallest scale", "waste a bit", MEAN, "scale.amin()"),
        (
            "the mean of each block",
            "float32",
            MEAN,
            "scale.reshape(-1, 256).mean(1).repeat_interleave(256)",
        ),
        ("in bfloat16", "expected", MEAN, "scale.mean().bfloat16().float()"),
    ],
    "test_each_block_has_its_own_step": [
        (
            "one step for all",
            "because of another",
            STEP,
            "blocks.abs().amax().expand(len(blocks)) / 127",
        ),
        ("over 128", "expected", STEP, STEP.replace("127", "128")),
        ("blocks across", "expected", "reshape(-1, 256)", "reshape(256, -1).T"),
        ("signed maxima", "expected", STEP, STEP.replace(".abs()", "")),
    ],
    "test_scales_come_back_within_half_a_step": [
        ("centers in place", "left as it was", "(scale - offset)", "scale.sub_(offset)"),
        ("truncated", "steps", ROUNDED, ROUNDED.replace("round", "trunc")),
        (
            "without its offset",
            "expected",
            ROUNDED,
            "torch.round(scale.reshape(-1, 256) / step[:, None]).clamp(-127, 127)",
        ),
    ],
    "test_equal_scales_are_no_nan": [
        ("a smallest step", "expected", STEP, f"({STEP}).clamp(min=1e-8)"),
    ],
    "test_nf4_denormal_groups_stay_finite": [
        ("a small floor", "expected", SCALE, f"{SCALE} + 1e-36"),
    ],
    "test_nf4_huge_values_do_not_overflow": [
        ("counted in sevenths", "expected", SCALE, f"({SCALE} * 7) / 7"),
    ],
    "test_scales_of_any_size_come_back": [
        (
            "a floor for the division",
            "expected",
            ROUNDED,
            ROUNDED.replace("torch.where(step == 0, 1.0, step)", "step.clamp(min=1e-12)"),
        ),
    ],
    "test_double_again_reads_views_like_their_copies": [
        (
            "the order of memory",
            "expected",
            MEAN,
            "(scale := scale.as_strided(scale.shape, (1,))).mean()",
        ),
    ],
    "test_nf4_again_reads_its_arguments_at_every_call": [
        (
            "remembers by id",
            "is used again",
            SCALE,
            f"nf4_quantize.__dict__.setdefault(id(w), {SCALE})",
        ),
    ],
    "test_double_again_reads_its_arguments_at_every_call": [
        (
            "remembers the mean by address",
            "is used again",
            MEAN,
            f"double_quantize.__dict__.setdefault(scale.data_ptr(), {MEAN})",
        ),
    ],
}
