"""Wrong answers to evaluation/first_divergence: each is one misconception."""

END = "return None if len(first) == len(second) else min(len(first), len(second))"
PLACE = "return place"
LOOP = "for place, (a, b) in enumerate(zip(first, second, strict=False)):"
PLACES = "[first_divergence(first, second) for first, second in pairs]"
INFINITE = "[math.inf if p is None else p for p in places]"
MEDIAN = f"float(statistics.median({INFINITE}))"

EQUIVALENT = {
    LOOP.replace(", strict=False", ""): "zip is not strict by itself",
    "pass": "statistics.median of nothing raises a ValueError by itself",
    f"return {MEDIAN[6:-1]}": "a whole number is a number, too",
}

RECURSIVE = """
def first_divergence(first, second):
    if not first or not second:
        return None if first == second else 0
    if first[0] != second[0]:
        return 0
    rest = first_divergence(first[1:], second[1:])
    return None if rest is None else 1 + rest
"""

WRONG = {
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers texts by id",
            "second call",
            PLACE,
            "return first_divergence.__dict__.setdefault(id(first), place)",
        ),
    ],
    "test_median_again_reads_its_arguments_at_every_call": [
        (
            "remembers lists by id",
            "second call",
            f"return {MEDIAN}",
            f"return median_divergence.__dict__.setdefault(id(pairs), {MEDIAN})",
        ),
    ],
    "test_long_texts_are_compared_to_their_end": [
        ("a recursion", "RecursionError", RECURSIVE),
        ("the first 4,096 tokens", "expected", PLACE, "return min(place, 4096)"),
    ],
    "test_counts_the_tokens_before_the_first_difference": [
        (
            "how many tokens are equal",
            "was added or replaced",
            PLACE,
            "return sum(a == b for a, b in zip(first, second))",
        ),
        (
            "the last difference",
            "was added or replaced",
            LOOP,
            "for place in reversed(range(min(len(first), len(second)))):\n"
            "        a, b = first[place], second[place]",
        ),
        (
            "tokens in common, wherever they stand",
            "was added or replaced",
            PLACE,
            "return len(set(first) & set(second))",
        ),
        ("counted from 1", "a text of its own", PLACE, "return place + 1"),
        ("the token itself", "a text of its own", PLACE, "return a"),
        ("nothing shared is no difference", "expected: 0", PLACE, "return place or None"),
        (
            "how many tokens differ",
            "a text of its own",
            PLACE,
            "return sum(a != b for a, b in zip(first, second))",
        ),
    ],
    "test_text_that_ends_earlier_differs_there": [
        ("the end is no difference", "a choice of the model", END, "return None"),
        ("the longer one", "a choice of the model", END, END.replace("min(", "max(")),
        (
            "lengths must agree",
            "raised",
            LOOP,
            LOOP.replace("strict=False", "strict=True"),
        ),
    ],
    "test_equal_texts_never_part": [
        ("equal up to their length", "later than", END, "return min(len(first), len(second))"),
        ("-1 for never", "later than", END, END.replace("None", "-1")),
        ("nothing in common", "expected: None", END, f"if not first:\n        return 0\n    {END}"),
    ],
    "test_median_of_pairs_that_all_part": [
        ("the mean", "like any other", "statistics.median(", "statistics.mean("),
        ("the lower one", "like any other", "statistics.median(", "statistics.median_low("),
        ("0 is never", "like any other", INFINITE, "[p or math.inf for p in places]"),
        ("0 is left out", "like any other", INFINITE, "[p for p in places if p]"),
        ("unsorted", "like any other", MEDIAN, "float(places[len(places) // 2])"),
    ],
    "test_pairs_that_never_part_come_last": [
        (
            "None",
            "would be made up",
            "return float(statistics.median(",
            "return (lambda m: None if math.isinf(m) else m)(float(statistics.median(",
            "for p in places]))",
            "for p in places])))",
        ),
        ("a large number", "would be made up", "math.inf if", "10**6 if"),
        (
            "the largest that was seen",
            "would be made up",
            "math.inf if p is None",
            "max([q for q in places if q is not None], default=0) if p is None",
        ),
        ("the lower one", "would be made up", "statistics.median(", "statistics.median_low("),
        (
            "left out",
            "the lower median",
            INFINITE,
            "[p for p in places if p is not None]",
        ),
        ("counted as 0", "the lower median", INFINITE, "[p or 0 for p in places]"),
        (
            "counted by their length",
            "the lower median",
            PLACES,
            "[len(a) if a == b else first_divergence(a, b) for a, b in pairs]",
        ),
        ("counted as -1", "the lower median", "math.inf if", "-1 if"),
    ],
    "test_no_pairs_are_refused": [
        ("none is infinite", "nothing raised", "raise ValueError", "return math.inf  #"),
        ("none is 0", "nothing raised", "raise ValueError", "return 0.0  #"),
    ],
}
