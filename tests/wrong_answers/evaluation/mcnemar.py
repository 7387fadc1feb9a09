"""Wrong answers to evaluation/mcnemar: each is one misconception."""

RESULT = "return int((first & ~second).sum()), int((second & ~first).sum())"
LENGTHS = "if len(first) != len(second):"
TAIL = "range(min(lost, gained) + 1)"
P = "return min(1.0, 2 * tail / 2**d)"
BELOW = "tail = sum(math.comb(d, k) for k in range(min(lost, gained) + 1))"
CHI = "return math.erfc((abs(lost - gained){}) / math.sqrt(2 * max(d, 1)))"
CUT = "first, second = first[: len(second)], second[: len(first)]\n    if False:"

EQUIVALENT = {}

WRONG = {
    "test_items_with_one_right_answer_are_counted": [
        (
            "nothing right in the first, nothing counted",
            "expected",
            LENGTHS,
            f"if not first.any():\n        return 0, 0\n    {LENGTHS}",
        ),
        (
            "the wrong way round",
            "say nothing",
            RESULT,
            "return int((second & ~first).sum()), int((first & ~second).sum())",
        ),
        ("all right answers", "say nothing", RESULT, "return int(first.sum()), int(second.sum())"),
        (
            "agreement and difference",
            "expected",
            RESULT,
            "return int((first == second).sum()), int((first != second).sum())",
        ),
        (
            "the difference of the sums",
            "expected",
            RESULT,
            "d = int(first.sum()) - int(second.sum())\n    return max(d, 0), max(-d, 0)",
        ),
        ("tensors", "['int', 'int']", RESULT, RESULT.replace("int(", "(")),
        (
            "128 items",
            "expected",
            RESULT,
            RESULT.replace("first &", "first[:128] &").replace("~second", "~second[:128]", 1),
        ),
    ],
    "test_models_that_agree_differ_nowhere": [
        (
            "all items beside the first",
            "expected",
            RESULT,
            "return int((first & ~second).sum()), int((~first).sum())",
        ),
    ],
    "test_other_lengths_are_refused": [
        ("no refusal", "broadcasts", LENGTHS, "if False:"),
        ("cuts to the shorter", "nothing raised", LENGTHS, CUT),
        (
            "an assertion",
            "expected: ValueError",
            LENGTHS,
            "assert len(first) == len(second)\n    if False:",
        ),
    ],
    "test_p_value_is_both_tails_of_a_fair_coin": [
        ("one tail", "includes the split", P, P.replace("2 * tail", "tail")),
        ("without the split that was seen", "includes the split", TAIL, "range(min(lost, gained))"),
        ("the split alone", "off by", BELOW, "tail = math.comb(d, lost)"),
        ("the other tail", "off by", TAIL, "range(max(lost, gained) + 1)"),
        ("lost in place of the smaller", "off by", TAIL, "range(lost + 1)"),
        ("chi-squared", "an approximation", P, CHI.format("")),
        ("chi-squared with continuity", "an approximation", P, CHI.format(" - 1")),
        ("four tails", "off by", P, P.replace("2 * tail", "4 * tail")),
        ("the share of the smaller side", "off by", P, "return 2 * min(lost, gained) / max(d, 1)"),
    ],
    "test_one_side_alone_counts_too": [
        ("nothing on one side proves it", "off by", P, f"{P} if min(lost, gained) else 0.0"),
        ("half of it", "off by", P, P.replace("2 * tail", "tail")),
    ],
    "test_even_split_and_no_change_are_no_evidence": [
        (
            "an int where the sides are equal",
            "type",
            "min(1.0, 2 * tail / 2**d)",
            "min(1, 2 * tail / 2**d)",
        ),
        ("beyond 1", "twice the tail", P, "return 2 * tail / 2**d"),
        ("no change proves equality", "off by", P, f"{P} if d else 0.0"),
        ("no change is NaN", "NaN", P, f"{P} if d else math.nan"),
    ],
    "test_large_counts_stay_exact": [
        ("a power that underflows", "OverflowError", P, "return min(1.0, 2 * tail * 0.5**d)"),
        (
            "floats all the way",
            "OverflowError",
            BELOW,
            BELOW.replace("math.comb(d, k)", "float(min(math.comb(d, k), 10**300))"),
        ),
        ("a normal curve for many", "off by", P, f"{P} if d < 1000 else {CHI.format('')[7:]}"),
    ],
}
