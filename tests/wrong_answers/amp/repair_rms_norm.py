"""Wrong answers to amp/repair_rms_norm: each is one misconception."""

WIDE = "wide = x.float()"
SQUARE = "wide.square()"
MEAN = "wide.square().mean(-1, keepdim=True)"
ROOT = "torch.rsqrt(mean + eps)"
RESULT = "return (wide * torch.rsqrt(mean + eps) * gain).to(x.dtype)"
AS_IT_LIES = "gain.as_strided(gain.shape, (1,))"

EQUIVALENT = {}

WRONG = {
    "test_large_tokens_are_no_zeros": [
        ("as it came", "beyond float16", WIDE, "wide = x"),
        ("converted after the square", "beyond float16", SQUARE, "x.square().float()"),
        (
            "squares clamped to what float16 holds",
            "beyond float16",
            SQUARE,
            "x.square().clamp(max=torch.finfo(x.dtype).max).float()",
        ),
        (
            "infinities replaced in the result",
            "beyond float16",
            MEAN,
            "x.square().mean(-1, keepdim=True).nan_to_num(posinf=65504.0)",
        ),
        ("a mean in the type of x", "beyond float16", MEAN, f"{MEAN}.to(x.dtype)"),
        ("the factor in the type of x", "expected", ROOT, f"{ROOT}.to(x.dtype)"),
    ],
    "test_ordinary_tokens_keep_the_digits_of_their_type": [
        ("computed in bfloat16", "rounded to 16 bits", WIDE, "wide = x.bfloat16()"),
        ("the sum for the mean", "expected", ".mean(-1", ".sum(-1"),
        ("the variance", "expected", MEAN, "wide.var(-1, keepdim=True, correction=0)"),
    ],
    "test_small_tokens_are_exact_too": [
        ("squares in float16 when they fit", "below", SQUARE, "x.half().square().float()"),
        ("a larger eps", "eps is of their size", ROOT, "torch.rsqrt(mean + max(eps, 1e-4))"),
        (
            "scaled by its maximum, eps not",
            "eps is of their size",
            MEAN,
            "(wide / wide.abs().amax(-1, keepdim=True)).square().mean(-1, keepdim=True)",
            RESULT,
            "wide = wide / wide.abs().amax(-1, keepdim=True)\n    " + RESULT,
        ),
        ("eps outside the root", "expected", ROOT, "1 / (mean.sqrt() + eps)"),
    ],
    "test_each_token_has_its_own_mean": [
        ("one mean for the batch", "expected", MEAN, "wide.square().mean()"),
        (
            "one mean where there are more tokens than numbers",
            "more tokens than numbers",
            MEAN,
            f"({MEAN} if len(wide) <= wide.shape[-1] else wide.square().mean())",
        ),
        (
            "the mean of a column where it is square",
            "as many",
            MEAN,
            "wide.square().mean(-1 if len(set(wide.shape)) > 1 else 0, keepdim=True)",
        ),
        ("gain as it lies", "strided", RESULT, RESULT.replace("* gain", f"* {AS_IT_LIES}")),
    ],
    "test_result_has_the_type_of_x_whatever_that_of_gain": [
        ("always float32", "the type that came in", ".to(x.dtype)", ""),
        ("always float16", "the type that came in", ".to(x.dtype)", ".half()"),
        ("a gain of 16 bits", "loses its digits", "* gain)", "* gain.to(x.dtype))"),
        (
            "a gain of 16 bits where it fits",
            "loses its digits",
            "* gain)",
            "* torch.where(gain.abs() < 6e4, gain.to(x.dtype).to(gain.dtype), gain))",
        ),
        ("the type of gain", "the type that came in", ".to(x.dtype)", ".to(gain.dtype)"),
        (
            "normalizes x itself",
            "left as it was",
            RESULT,
            "return x.copy_(wide * torch.rsqrt(mean + eps) * gain)",
        ),
    ],
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers by id",
            "is used again",
            MEAN,
            f"rms_norm.__dict__.setdefault(id(x), {MEAN})",
        ),
    ],
    "test_token_that_is_broken_hurts_no_other": [
        ("NaN for 0", "the broken token", WIDE, "wide = x.float().nan_to_num()"),
        (
            "zeros in all where one is broken",
            "the other tokens",
            WIDE,
            "wide = x.float() * x.isfinite().all()",
        ),
    ],
    "test_empty_batch_gives_an_empty_result": [
        (
            "scaled by the largest of all",
            "raised",
            WIDE,
            "wide = x.float()\n    wide = wide / wide.abs().max() * wide.abs().max()",
        ),
    ],
}
