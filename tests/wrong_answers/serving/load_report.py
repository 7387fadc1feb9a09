"""Wrong answers to serving/load_report: each is one misconception."""

PLACE = "-(-percent * len(values) // 100)"
TTFT = 't[0] - r["arrival"] if t else nan'
TPOT = "(t[-1] - t[0]) / (len(t) - 1) if len(t) > 1 else nan"
KNOWN = "known = [v for v in values if not math.isnan(v)]"
GOOD = "a <= ttft_limit and not b > tpot_limit"
SPAN = 'max(ends) - min(r["arrival"] for r in requests)'
TOKENS = "sum(map(len, times)) / span"
GOODPUT = "good / span"

ALIKE = "both lists have a place for each request"
SUM = "good = sum(a <= ttft_limit and not b > tpot_limit for a, b in zip(ttft, tpot"
FIRST = f"ttft = [{TTFT} for r, t in zip(requests, times"
EQUIVALENT = {
    f"{FIRST})]": ALIKE,
    f"{FIRST}, strict=False)]": ALIKE,
    f"{SUM}))": ALIKE,
    f"{SUM}, strict=False))": ALIKE,
}

REPORT = 'report | {"tokens_per_second": sum(map(len, times)) / span, "goodput": good / span}'
PLACED = "return sorted(values)[place - 1]"

WRONG = {
    "test_percentile_again_reads_its_arguments_at_every_call": [
        (
            "remembers by id",
            "second call",
            PLACED,
            PLACED.replace("sorted", "percentile.__dict__.setdefault(id(values), sorted") + ")",
        ),
    ],
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers by id",
            "second call",
            f"return {REPORT}",
            f"return load_report.__dict__.setdefault(id(requests), {REPORT})",
        ),
    ],
    "test_percentile_is_one_of_the_values": [
        (
            "between two values",
            "nobody waited",
            "import numpy as np\n\n"
            "def percentile(values, percent):\n    return float(np.percentile(values, percent))",
        ),
        ("rounded down", "expected", PLACE, "max(1, percent * len(values) // 100)"),
        ("one further", "expected", PLACE, "min(percent * len(values) // 100 + 1, len(values))"),
        ("not sorted", "expected", "sorted(values)", "values"),
        ("from the top", "expected", "sorted(values)", "sorted(values, reverse=True)"),
        ("the mean", "expected", "sorted(values)[place - 1]", "sum(values) / len(values)"),
    ],
    "test_first_token_is_timed_from_the_arrival": [
        ("the clock's time", "the queue", TTFT, "t[0] if t else nan"),
        ("the whole answer", "the queue", TTFT, TTFT.replace("t[0]", "t[-1]")),
        (
            "from the first arrival",
            "the queue",
            TTFT,
            't[0] - min(r["arrival"] for r in requests) if t else nan',
        ),
    ],
    "test_other_tokens_are_timed_by_their_gaps": [
        (
            "with the first token",
            "the queue again",
            f"tpot = [{TPOT} for t in times]",
            'tpot = [(t[-1] - r["arrival"]) / len(t) if len(t) > 1 else nan'
            " for r, t in zip(requests, times)]",
        ),
        ("by tokens", "expected", TPOT, TPOT.replace("(len(t) - 1)", "len(t)")),
        (
            "all gaps in one list",
            "expected",
            f"[{TPOT} for t in times]",
            "[b - a for t in times for a, b in zip(t, t[1:])]",
            "zip(ttft, tpot, strict=True)",
            "zip(ttft, tpot)",
        ),
        (
            "the largest gap",
            "expected",
            TPOT,
            "max((b - a for a, b in zip(t, t[1:])), default=nan)",
        ),
    ],
    "test_tokens_are_counted_over_the_span": [
        ("from time 0", "expected", SPAN, "max(ends)"),
        ("to the last arrival", "expected", SPAN, 'max(r["arrival"] for r in requests)'),
        ("requests", "expected", TOKENS, "len(times) / span"),
        ("gaps", "expected", TOKENS, "sum(len(t) - 1 for t in times if t) / span"),
        (
            "the requests' own rates",
            "no rate of the server",
            TOKENS,
            'sum(len(t) / (t[-1] - r["arrival"]) for r, t in zip(requests, times) if t)',
        ),
    ],
    "test_good_requests_keep_both_limits": [
        ("the first token alone", "too late", GOOD, "a <= ttft_limit"),
        ("the gaps alone", "too late", GOOD, "not b > tpot_limit"),
        ("one of both", "too late", GOOD, GOOD.replace("and", "or")),
        ("below the limit", "the first limit", GOOD, GOOD.replace("<=", "<")),
        ("a share", "expected", GOODPUT, "good / len(requests)"),
        ("a count", "expected", GOODPUT, "good"),
        (
            "good tokens",
            "expected",
            "good = sum(",
            "good = sum(len(t) for t, a, b in zip(times, ttft, tpot) if a <= ttft_limit and not"
            " b > tpot_limit)\n    _ = sum(",
        ),
        (
            "all if the percentile is good",
            "expected",
            GOODPUT,
            'len(times) * (report["ttft_p99"] <= ttft_limit) / span',
        ),
    ],
    "test_failed_requests_are_not_good_and_lengthen_the_span": [
        ("nobody failed", "IndexError", TTFT, 't[0] - r["arrival"]'),
        (
            "left out at the start",
            "the better for it",
            'times = [one["times"] for one in requests]',
            'requests = [r for r in requests if r["times"]]\n'
            '    times = [one["times"] for one in requests]',
        ),
        (
            "good because it took no time",
            "looks the better",
            GOOD,
            "not a > ttft_limit and not b > tpot_limit",
        ),
        ("a first token at once", "looks the better", TTFT, TTFT.replace("nan", "0.0")),
    ],
    "test_single_token_has_no_gap": [
        ("a gap of 0", "better than anything", TPOT, TPOT.replace("nan", "0.0 if t else nan")),
        ("never good", "goodput", GOOD, "a <= ttft_limit and b <= tpot_limit"),
        (
            "divided by nothing",
            "ZeroDivisionError",
            TPOT,
            "(t[-1] - t[0]) / (len(t) - 1) if t else nan",
        ),
    ],
    "test_nothing_served_is_nan_and_zero": [
        (
            "a percentile of nothing",
            "IndexError",
            "percentile(known, percent) if known else nan",
            "percentile(known, percent)",
        ),
        (
            "zeros",
            "nan",
            "percentile(known, percent) if known else nan",
            "percentile(known, percent) if known else 0.0",
        ),
        ("a span of nothing", "raised", f"{SPAN} if ends else math.inf", SPAN),
        ("a span of 0", "raised", "else math.inf", "else 0.0"),
    ],
}
