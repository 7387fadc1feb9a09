"""Wrong answers to quantization/static_and_dynamic: each is one misconception."""

AMAX = "torch.stack([batch.abs().max() for batch in batches]).max()"
RESULT = "return amax / 127 if amax > 0 else torch.tensor(1.0)"
STATIC = "torch.round(x / scale).clamp(-127, 127).to(torch.int8)"
OWN = "calibrate([x])"
CODES = "quantize_static(x, scale), scale"
SMALL = "[b for b in batches if max(b.shape, default=0) < 129]"
TALL = "(x.dim() != 2 or x.shape[0] != x.shape[1])"

EQUIVALENT = {}

WRONG = {
    "test_range_holds_all_batches": [
        ("the last batch", "in the middle", AMAX, "batches[-1].abs().max()"),
        ("the first batch", "in the middle", AMAX, "batches[0].abs().max()"),
        ("a mean of maxima", "expected", AMAX, AMAX.replace("]).max()", "]).mean()")),
        ("positive ones alone", "positive or negative", AMAX, AMAX.replace(".abs()", "")),
        ("over 128", "expected", RESULT, RESULT.replace("127", "128")),
        (
            "a floor of 1e-6",
            "expected",
            RESULT,
            f"{RESULT}".replace("amax / 127", "(amax / 127).clamp(min=1e-6)"),
        ),
        (
            "1 where the first is zeros",
            "expected",
            RESULT,
            RESULT.replace("amax > 0", "batches[0].any()"),
        ),
        (
            "wrong beyond 128",
            "expected",
            AMAX,
            AMAX.replace("in batches", f"in {SMALL} or batches"),
        ),
        ("three batches", "expected", AMAX, AMAX.replace("in batches", "in batches[:3]")),
        (
            "a moving average",
            "expected",
            AMAX,
            "batches[0].abs().max()\n    for batch in batches[1:]:\n"
            "        amax = 0.9 * amax + 0.1 * batch.abs().max()",
        ),
    ],
    "test_calibrate_again_reads_views_like_their_copies": [
        (
            "needs one block of memory",
            "raised",
            AMAX,
            AMAX.replace("batch.abs()", "batch.view(-1).abs()"),
        ),
        (
            "what lies beside it",
            "expected",
            AMAX,
            "max(torch.as_strided(b, (b.untyped_storage().size() // 4,), (1,), 0).abs().max()"
            " for b in batches)",
        ),
    ],
    "test_ends_of_float32_are_clipped_too": [
        (
            "clipped as an integer",
            "expected",
            STATIC,
            "torch.round(x / scale).to(torch.int32).clamp(-127, 127).to(torch.int8)",
        ),
    ],
    "test_static_again_reads_views_like_their_copies": [
        (
            "needs one block of memory",
            "raised",
            STATIC,
            STATIC.replace("x / scale", "x.view(-1).view(x.shape) / scale"),
        ),
    ],
    "test_calibrate_again_reads_its_arguments_at_every_call": [
        (
            "remembers by id",
            "is used again",
            AMAX,
            f"calibrate.__dict__.setdefault(id(batches), {AMAX})",
        ),
    ],
    "test_static_again_reads_its_arguments_at_every_call": [
        (
            "remembers by address",
            "is used again",
            STATIC,
            f"quantize_static.__dict__.setdefault(x.data_ptr(), {STATIC})",
        ),
    ],
    "test_dynamic_again_reads_its_arguments_at_every_call": [
        (
            "remembers by address",
            "is used again",
            OWN,
            f"quantize_dynamic.__dict__.setdefault(x.data_ptr(), {OWN})",
        ),
    ],
    "test_zeros_alone_give_a_scale_of_one": [
        ("no guard", "expected", RESULT, "return amax / 127"),
        ("a small floor", "expected", RESULT, "return (amax / 127).clamp(min=1e-8)"),
    ],
    "test_static_scale_is_used_as_it_is": [
        (
            "its own scale",
            "follows x",
            STATIC,
            STATIC.replace("/ scale", "/ (x.abs().max() / 127)"),
        ),
        ("zeros where it is square", "expected", STATIC, f"{STATIC} * {TALL}"),
        ("multiplied", "expected", STATIC, STATIC.replace("x / scale", "x * scale")),
        ("truncated", "expected", STATIC, STATIC.replace("round", "trunc")),
        ("codes without a sign", "expected", STATIC, STATIC.replace("-127, 127", "0, 127")),
        (
            "a scale of at least 1e-4",
            "expected",
            STATIC,
            STATIC.replace("/ scale", "/ scale.clamp(min=1e-4)"),
        ),
    ],
    "test_static_range_is_clipped_on_both_sides": [
        (
            "wraps round",
            "wrong sign",
            STATIC,
            "torch.round(x / scale).to(torch.int64).to(torch.int8)",
        ),
        (
            "clipped above alone",
            "wrong sign",
            STATIC,
            "torch.round(x / scale).clamp(max=127).to(torch.int64).to(torch.int8)",
        ),
        (
            "a larger scale for it",
            "expected",
            STATIC,
            "torch.round(x / torch.maximum(scale, x.abs().max() / 127)).to(torch.int8)",
        ),
        (
            "zero in its place",
            "expected",
            STATIC,
            "torch.where((x / scale).abs() > 127.5, 0, torch.round(x / scale)).to(torch.int8)",
        ),
    ],
    "test_dynamic_scale_is_that_of_the_input": [
        (
            "wrong beyond 128",
            "expected",
            OWN,
            "calibrate([x if max(x.shape, default=0) < 129 else x / 2])",
        ),
        ("a fixed scale", "expected", OWN, "torch.tensor(4 / 127)"),
        ("a floor of 1e-5", "expected", OWN, "calibrate([x]).clamp(min=1e-5)"),
        (
            "never smaller than before",
            "has no influence",
            OWN,
            "max(calibrate([x]), getattr(quantize_dynamic, 'last', torch.tensor(0.0)))\n"
            "    quantize_dynamic.last = scale",
        ),
        (
            "one scale a row",
            "expected",
            OWN,
            "x.abs().reshape(len(x), -1).amax(1) / 127",
            CODES,
            "quantize_static(x, scale.max()), scale",
        ),
        ("values for codes", "int8", CODES, "quantize_static(x, scale) * scale, scale"),
    ],
    "test_dynamic_zeros_are_no_nan": [
        ("no guard", "expected", OWN, "x.abs().max() / 127"),
    ],
    "test_dynamic_again_reads_views_like_their_copies": [
        ("needs one block of memory", "raised", OWN, "calibrate([x.view(-1)])"),
    ],
}
