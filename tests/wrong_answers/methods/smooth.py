"""Wrong answers to methods/smooth: each is one misconception."""

WMAX = "torch.stack([w.abs().amax(0) for w in weights]).amax(0)"
DEAD = "dead = (amax == 0) | (wmax == 0)"
FORMULA = "amax**alpha / wmax ** (1 - alpha)"
RESULT = "return gain / s, [w * s for w in weights]"
OWN = "return gain / s, [w * amax**alpha / w.abs().amax(0) ** (1 - alpha) for w in weights]"

EQUIVALENT = {}

WRONG = {
    "test_function_stays_the_same": [
        (
            "128 channels at most",
            "Nothing is quantized yet",
            RESULT,
            RESULT.replace("gain / s", "(gain / s if len(gain) < 129 else gain)"),
        ),
        (
            "both multiplied",
            "Nothing is quantized yet",
            RESULT,
            RESULT.replace("gain / s", "gain * s"),
        ),
        ("the gain alone", "Nothing is quantized yet", RESULT, "return gain / s, list(weights)"),
        (
            "the weights alone",
            "Nothing is quantized yet",
            RESULT,
            RESULT.replace("gain / s", "gain"),
        ),
        (
            "the first reader alone",
            "Nothing is quantized yet",
            RESULT,
            "return gain / s, [weights[0] * s, *weights[1:]]",
        ),
        ("each reader its own factor", "Nothing is quantized yet", RESULT, OWN),
    ],
    "test_factor_follows_the_formula": [
        (
            "weights in place",
            "left as it was",
            RESULT,
            "return gain / s, [w.mul_(s) for w in weights]",
        ),
        ("gain in place", "left as it was", RESULT, RESULT.replace("gain / s", "gain.div_(s)")),
        (
            "the caller's list",
            "left as it was",
            RESULT,
            "weights[:] = [w * s for w in weights]\n    return gain / s, weights",
        ),
        (
            "the inverse factor",
            "With alpha = 1",
            RESULT,
            "return gain * s, [w / s for w in weights]",
        ),
        ("alpha the other way", "expected", FORMULA, "amax ** (1 - alpha) / wmax**alpha"),
        ("a product of the powers", "expected", FORMULA, "amax**alpha * wmax ** (1 - alpha)"),
        ("without a root", "expected", FORMULA, "amax / wmax"),
        ("the activation alone", "expected", FORMULA, "amax**alpha"),
        ("one factor for all channels", "expected", FORMULA, f"({FORMULA}).amax()"),
        ("signed maxima", "expected", WMAX, WMAX.replace(".abs()", "")),
    ],
    "test_all_readers_share_one_factor": [
        ("wmax of the first", "read the same activation", WMAX, "weights[0].abs().amax(0)"),
        ("wmax of the last", "read the same activation", WMAX, "weights[-1].abs().amax(0)"),
        ("the mean of the maxima", "expected", WMAX, WMAX.replace("]).amax(0)", "]).mean(0)")),
    ],
    "test_dead_channels_are_left_alone": [
        (
            "the caller's tensors where nothing changes",
            "left as it was",
            RESULT,
            "return (gain, weights) if bool((s == 1).all()) else "
            + RESULT.replace("return ", "(")
            + ")",
        ),
        ("no guard", "NaN", DEAD, "dead = amax < 0"),
        ("a guard for the activation alone", "expected", DEAD, "dead = amax == 0"),
        ("a guard for the weights alone", "NaN", DEAD, "dead = wmax == 0"),
        (
            "a floor for both",
            "expected",
            FORMULA,
            "amax.clamp(min=1e-5) ** alpha / wmax.clamp(min=1e-5) ** (1 - alpha)",
            DEAD,
            "dead = amax < 0",
        ),
    ],
    "test_gains_of_zero_and_below_are_divided_too": [
        ("a gain of 0 counts as dead", "expected", DEAD, f"{DEAD} | (gain == 0)"),
        ("the size of the gain", "expected", RESULT, RESULT.replace("gain /", "gain.abs() /")),
    ],
    "test_extreme_channels_are_smoothed_too": [
        (
            "a floor of 1e-8",
            "expected",
            FORMULA,
            FORMULA.replace("amax**", "amax.clamp(min=1e-8) ** "),
        ),
        (
            "a floor for the weights",
            "expected",
            FORMULA,
            FORMULA.replace("wmax **", "wmax.clamp(min=1e-5) **"),
        ),
        ("at most a million", "expected", FORMULA, f"({FORMULA}).clamp(max=1e4)"),
    ],
    "test_again_reads_views_like_their_copies": [
        (
            "needs one block of memory",
            "raised",
            RESULT,
            "return gain / s, [w.view(-1).view(w.shape) * s for w in weights]",
        ),
    ],
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers by id",
            "is used again",
            WMAX,
            f"smooth.__dict__.setdefault(id(weights), {WMAX})",
        ),
    ],
}
