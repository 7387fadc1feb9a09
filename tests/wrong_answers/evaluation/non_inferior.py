"""Wrong answers to evaluation/non_inferior: each is one misconception."""

HALF = "half = 1.645 * differences.std().item() / math.sqrt(n)"
BELOW = "if mean + half < margin:"
ABOVE = '"inferior" if mean - half > margin else "undecided"'
REFUSED = "if n < 2 or not margin > 0 or differences.isnan().any():"
NO_SPREAD = "mean = differences.mean().item()"

NO_ITEM = "a tensor of one number is a number, too"
EQUIVALENT = {
    "mean = differences.mean()": NO_ITEM,
    "half = 1.645 * differences.std() / math.sqrt(n)": NO_ITEM,
}

WRONG = {
    "test_upper_bound_is_one_sided": [
        ("two-sided", "belongs to a two-sided", HALF, HALF.replace("1.645", "1.96")),
        ("no root of n", "off by", HALF, HALF.replace(" / math.sqrt(n)", "")),
        ("n in place of its root", "off by", HALF, HALF.replace("math.sqrt(n)", "n")),
        ("the variance", "off by", HALF, HALF.replace("std()", "var()")),
        ("divided by n", "off by", HALF, HALF.replace("std()", "std(unbiased=False)")),
        ("a standard error without a quantile", "off by", HALF, HALF.replace("1.645 * ", "")),
        ("a median", "off by", NO_SPREAD, NO_SPREAD.replace("mean()", "median()")),
        (
            "the lower end",
            "off by",
            'return "non-inferior", mean + half',
            'return "non-inferior", mean - half',
        ),
    ],
    "test_interval_below_the_margin_is_non_inferior": [
        ("must not be above zero", "agreed on", BELOW, "if mean + half < 0:"),
        ("must hold zero", "agreed on", BELOW, "if mean - half <= 0 and mean + half < margin:"),
        (
            "significant is inferior",
            "agreed on",
            BELOW,
            'if mean - half > 0:\n        return "inferior", mean + half\n    ' + BELOW,
        ),
        (
            "within the margin on both sides",
            "agreed on",
            BELOW,
            "if abs(mean) + half < margin:",
        ),
        (
            "better is undecided",
            "agreed on",
            BELOW,
            "if -margin < mean - half and mean + half < margin:",
        ),
        (
            "never sure",
            "expected",
            BELOW,
            "if mean + 3 * half < margin:",
        ),
    ],
    "test_interval_across_the_margin_is_undecided": [
        ("the mean is below", "does not say", BELOW, "if mean < margin:"),
        ("the lower end is below", "does not say", BELOW, "if mean - half < margin:"),
        (
            "not significant is the same",
            "does not say",
            BELOW,
            "if mean - half < 0 < mean + half or mean + half < margin:",
        ),
        ("two verdicts only", "does not say", ABOVE, '"inferior"'),
        ("the mean is above", "expected", ABOVE, ABOVE.replace("mean - half", "mean")),
        ("above zero is inferior", "expected", ABOVE, ABOVE.replace("> margin", "> 0")),
    ],
    "test_interval_above_the_margin_is_inferior": [
        ("never inferior", "luck as often", ABOVE, '"undecided"'),
        ("twice the margin", "luck as often", ABOVE, ABOVE.replace("> margin", "> 2 * margin")),
    ],
    "test_too_little_to_judge_is_refused": [
        ("judges one document", "raise", REFUSED, REFUSED.replace("n < 2", "n < 1")),
        ("a margin of nothing", "raise", REFUSED, REFUSED.replace("margin > 0", "margin >= 0")),
        ("any margin", "raise", REFUSED, REFUSED.replace("not margin > 0 or ", "")),
        ("a NaN is undecided", "as what stands last", REFUSED, "if n < 2 or not margin > 0:"),
        (
            "a margin of NaN",
            "nothing raised",
            REFUSED,
            REFUSED.replace("not margin > 0", "margin <= 0"),
        ),
    ],
    "test_documents_that_agree_have_no_spread": [
        ("at most the margin", "expected: undecided", BELOW, "if mean + half <= margin:"),
        (
            "at least the margin",
            "expected: undecided",
            ABOVE,
            ABOVE.replace("> margin", ">= margin"),
        ),
        (
            "computed in float32",
            "another number",
            NO_SPREAD,
            NO_SPREAD.replace(".mean", ".float().mean"),
            HALF,
            HALF.replace(".std", ".float().std"),
        ),
        (
            "a refusal",
            "raised",
            REFUSED,
            f'if not differences.std() > 0:\n        raise ValueError("no spread")\n    {REFUSED}',
        ),
    ],
}
