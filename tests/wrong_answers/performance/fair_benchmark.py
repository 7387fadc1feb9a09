"""Wrong answers to performance/fair_benchmark: each is one misconception."""

WARM = "        baseline(operand), candidate(operand)"
OPERANDS = "    for operand in operands:"
NEXT = "operand = next(turns)"
BEGIN = "begin = clock()"
RUN = "        run(operand)"
END = "seconds = clock() - begin"
COARSE = "if seconds <= 0:"
EVEN = "if pair % 2 == 0:"
RATIO = "ratios.append(slow / fast)"
MEDIAN = "statistics.median(ratios)"
RESULT = 'return {"median": statistics.median(ratios), "low": min(ratios), "high": max(ratios)}'
ONE_AFTER_THE_OTHER = """
import statistics
def compare(baseline, candidate, operands, pairs, clock):
    for operand in operands:
        baseline(operand), candidate(operand)
    times = {}
    for run in (baseline, candidate):
        times[run] = []
        for k in range(pairs):
            begin = clock()
            run(operands[k % len(operands)])
            times[run].append(clock() - begin)
    ratios = [a / b for a, b in zip(times[baseline], times[candidate])]
    return {"median": statistics.median(ratios), "low": min(ratios), "high": max(ratios)}
"""
IN_ONE_READING = """
import statistics
def compare(baseline, candidate, operands, pairs, clock):
    for operand in operands:
        baseline(operand), candidate(operand)
    ratios, k = [], 0
    for pair in range(pairs):
        times = {}
        for run in (baseline, candidate) if pair % 2 == 0 else (candidate, baseline):
            begin = clock()
            for _ in range(3):
                run(operands[k % len(operands)])
            times[run] = (clock() - begin) / 3
            k += 1
        ratios.append(times[baseline] / times[candidate])
    return {"median": statistics.median(ratios), "low": min(ratios), "high": max(ratios)}
"""

EQUIVALENT = {}

WRONG = {
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers operands by id",
            "second call",
            RESULT,
            f"return compare.__dict__.setdefault(id(operands), {RESULT.removeprefix('return ')})",
        ),
    ],
    "test_first_calls_are_not_measured": [
        (
            "warms up what it will time",
            "before the clock",
            "for operand in operands:",
            "for operand in operands[: 2 * pairs]:",
        ),
        ("no warm-up", "compiles", WARM, "        pass"),
        ("one operand", "compiles", OPERANDS, "    for operand in operands[:1]:"),
        ("the baseline alone", "compiles", WARM, "        baseline(operand)"),
        ("all but the last", "compiles", OPERANDS, "    for operand in operands[:-1]:"),
    ],
    "test_machine_that_slows_down_favors_nobody": [
        ("the baseline always first", "gets hot", EVEN, "if True:"),
        ("the candidate first", "gets hot", EVEN, "if pair % 2:"),
        ("all of one, then all of the other", "gets hot", ONE_AFTER_THE_OTHER),
        ("in the first half first", "gets hot", EVEN, "if pair < pairs // 2:"),
    ],
    "test_operands_rotate_over_all_timed_calls": [
        ("always the same", "in the cache", NEXT, "operand = operands[0]"),
        ("the last one warmed up", "in the cache", NEXT, "operand = operands[-1]"),
        (
            "the same for both of a pair",
            "in the cache",
            "    turns = itertools.cycle(operands)",
            "    turns = (operands[i // 2 % len(operands)] for i in itertools.count())",
        ),
        (
            "both go through them alike",
            "in the cache",
            NEXT,
            "operand = operands[len(ratios) % len(operands)]",
        ),
        ("each twice", "operands", NEXT, f"{NEXT}\n        next(turns)"),
    ],
    "test_result_is_made_of_the_ratios_of_pairs": [
        ("the mean", "as far as it likes", MEDIAN, "statistics.mean(ratios)"),
        (
            "a ratio of sums",
            "as far as it likes",
            RATIO,
            f"{RATIO}\n        sums = [sums[0] + slow, sums[1] + fast] if pair else [slow, fast]",
            MEDIAN,
            "sums[0] / sums[1]",
        ),
        ("upside down", "expected", RATIO, "ratios.append(fast / slow)"),
        (
            "the ends are removed",
            "expected",
            RESULT,
            f"ratios = sorted(ratios)[1:-1] or ratios\n    {RESULT}",
        ),
        ("the best", "expected", MEDIAN, "max(ratios)"),
        ("the lower median", "expected", MEDIAN, "statistics.median_low(ratios)"),
        ("a geometric mean", "expected", MEDIAN, "statistics.geometric_mean(ratios)"),
        ("differences", "expected", RATIO, "ratios.append(slow - fast)"),
        ("a tuple", "dict", RESULT, "return statistics.median(ratios), min(ratios), max(ratios)"),
        (
            "low and high exchanged",
            "expected",
            RESULT,
            RESULT.replace("min", "MAX").replace("max", "min").replace("MAX", "max"),
        ),
    ],
    "test_clock_is_read_around_each_single_call": [
        ("several calls in one reading", "hide their spread", IN_ONE_READING),
        ("read twice", "hide their spread", END, f"clock()\n        {END}"),
        ("a call more", "hide their spread", BEGIN, f"run(operand)\n        {BEGIN}"),
    ],
    "test_tells_very_different_work_apart_on_your_machine": [
        ("upside down", "median above 1", RATIO, "ratios.append(fast / slow)"),
    ],
    "test_time_of_zero_is_refused": [
        (
            "rotates the list, and turns it back at the end",
            "the list of operands afterwards",
            "turns = itertools.cycle(operands)",
            "once = list(operands)",
            "operand = next(turns)",
            "operand = operands[0]\n        operands.append(operands.pop(0))",
            "    return {",
            "    operands[:] = once\n    return {",
        ),
        ("0 or a division by 0", "says nothing", COARSE, "if seconds < 0:"),
        ("the candidate alone", "nothing raised", COARSE, "if seconds <= 0 and run is candidate:"),
        (
            "such pairs are left out",
            "nothing raised",
            COARSE,
            "if False:",
            RATIO,
            "if slow and fast:\n            " + RATIO,
            RESULT,
            f"ratios = ratios or [1.0]\n    {RESULT}",
        ),
    ],
}
