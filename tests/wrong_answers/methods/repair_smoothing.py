"""Wrong answers to methods/repair_smoothing: each is one misconception."""

WMAX = "torch.stack([w.abs().amax(0) for w in readers]).amax(0)"
FORMULA = "amax**alpha / wmax ** (1 - alpha)"
GAIN = "(offset + weight) / s - offset"
READ = "[w * s for w in readers]"

EQUIVALENT = {}

WRONG = {
    "test_float_model_stays_the_same": [
        ("always an offset of 1", "has to stay right", GAIN, "(1 + weight) / s - 1"),
        ("the readers are divided", "has to stay right", READ, "[w / s for w in readers]"),
        (
            "rows where it is square",
            "has to stay right",
            READ,
            "[(w.T * s).T if len(w) == len(s) else w * s for w in readers]",
        ),
        (
            "each reader its own factor",
            "has to stay right",
            READ,
            "[w * amax**alpha / w.abs().amax(0) ** (1 - alpha) for w in readers]",
        ),
        ("what is stored is divided", "must not change the function", GAIN, "weight / s"),
        ("the gain is stored", "must not change the function", GAIN, "(offset + weight) / s"),
        ("the offset is added twice", "the function", GAIN, "(offset + weight) / s + offset"),
        ("the offset is divided as well", "the function", GAIN, "(weight - offset) / s + offset"),
        (
            "Gemma is left out, its readers not",
            "the function",
            GAIN,
            "weight if offset else weight / s",
        ),
        ("rounded to bfloat16", "expected", GAIN, f"({GAIN}).bfloat16().float()"),
    ],
    "test_channels_are_really_divided": [
        ("the weight in place", "left as it was", GAIN, "weight.add_(offset).div_(s).sub_(offset)"),
        ("the readers in place", "left as it was", READ, "[w.mul_(s) for w in readers]"),
        ("nothing is smoothed", "keeps its outliers", FORMULA, "torch.ones_like(amax)"),
        ("Gemma is not smoothed", "keeps", FORMULA, f"{FORMULA} if not offset else amax / amax"),
        ("alpha the other way", "expected", FORMULA, "amax ** (1 - alpha) / wmax**alpha"),
        ("a factor that the offset moves", "expected", FORMULA, f"({FORMULA}) + 1e-3 * offset"),
        ("wmax of the first", "expected", WMAX, "readers[0].abs().amax(0)"),
        (
            "no factor where 0 is stored",
            "expected",
            FORMULA,
            f"torch.where(weight == 0, 1.0, {FORMULA})",
        ),
    ],
    "test_gains_of_zero_and_below_are_divided_too": [
        (
            "a floor under the factors",
            "gain by weight",
            FORMULA,
            f"({FORMULA}).clamp(min=1e-5)",
        ),
        ("the size of the gain", "gain by weight", GAIN, "(offset + weight).abs() / s - offset"),
        (
            "a gain of 0 is lifted",
            "gain by weight",
            GAIN,
            "(offset + weight).clamp(min=1e-5) / s - offset",
        ),
    ],
    "test_again_reads_views_like_their_copies": [
        (
            "needs one block of memory",
            "raised",
            READ,
            "[w.view(-1).view(w.shape) * s for w in readers]",
        ),
    ],
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers s by address",
            "is used again",
            FORMULA,
            f"smooth_norm.__dict__.setdefault(amax.data_ptr(), {FORMULA})",
        ),
    ],
}
