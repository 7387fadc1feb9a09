"""Wrong and right answers to methods/smooth: each wrong one is one misconception."""

from halfbits.course.authoring.contract import RightAnswer, swap

WMAX = "torch.stack([w.abs().amax(0) for w in weights]).amax(0)"
DEAD = "dead = (amax == 0) | (wmax == 0)"
FORMULA = "amax**alpha / wmax ** (1 - alpha)"
RESULT = "return gain / s, [w * s for w in weights]"
OWN = "return gain / s, [w * amax**alpha / w.abs().amax(0) ** (1 - alpha) for w in weights]"

EQUIVALENT = {}

WRONG = {
    "test_function_stays_the_same": [
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
    "test_inputs_are_left_as_they_were": [
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
    ],
}

CONCATENATED = """
import torch
def smooth(gain, weights, amax, alpha):
    top = torch.vstack(list(weights)).abs().max(dim=0).values
    s = torch.exp(alpha * torch.log(amax) - (1 - alpha) * torch.log(top))
    s[(amax == 0) | (top == 0)] = 1
    return gain / s, tuple(w @ torch.diag(s) for w in weights)
"""
NUMPY = """
import numpy as np
import torch
def smooth(gain, weights, amax, alpha):
    a = amax.numpy().astype(np.float64)
    w = np.max([np.abs(m.numpy()).max(axis=0) for m in weights], axis=0).astype(np.float64)
    alive = (a > 0) & (w > 0)
    s = np.ones_like(a)
    s[alive] = a[alive] ** alpha * w[alive] ** (alpha - 1)
    s = torch.from_numpy(s.astype(np.float32))
    return [gain.div(s), [m.mul(s) for m in weights]]
"""
LOOPS = """
import torch
def smooth(gain, weights, amax, alpha):
    gain, weights = gain.clone(), [w.clone() for w in weights]
    for j in range(len(gain)):
        largest = max(float(w[:, j].abs().max()) for w in weights)
        if float(amax[j]) and largest:
            factor = float(amax[j]) ** alpha / largest ** (1 - alpha)
            gain[j] /= factor
            for w in weights:
                w[:, j] *= factor
    return gain, weights
"""

RIGHT = [
    RightAnswer("logarithms, and a diagonal matrix", CONCATENATED),
    RightAnswer("numpy in float64", NUMPY),
    RightAnswer("loops over copies", LOOPS),
    RightAnswer(
        "one side's inverse",
        swap("smooth", RESULT, "r = 1 / s\n    return gain * r, [w / r for w in weights]"),
    ),
]
