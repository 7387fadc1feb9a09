"""Right answers to performance/fair_benchmark, each in its own style."""

from halfbits.course.authoring.contract import swap

PLAN = """
def compare(baseline, candidate, operands, pairs, clock):
    for run in (baseline, candidate):
        for _ in range(2):
            list(map(run, operands))
    plan = []
    for pair in range(pairs):
        plan += ["ab", "ba"][pair % 2]
    times = {"a": [], "b": []}
    for k, who in enumerate(plan):
        run, operand = {"a": baseline, "b": candidate}[who], operands[k % len(operands)]
        before = clock()
        run(operand)
        after = clock()
        if after == before:
            raise ValueError("too coarse")
        times[who].append(after - before)
    ratios = sorted(x / y for x, y in zip(times["a"], times["b"]))
    middle = (ratios[pairs // 2] + ratios[(pairs - 1) // 2]) / 2
    return {"low": ratios[0], "median": middle, "high": ratios[-1]}
"""
NUMPY = """
import numpy as np
def compare(baseline, candidate, operands, pairs, clock):
    for operand in operands:
        candidate(operand)
        baseline(operand)
    count = 0
    seconds = np.zeros((pairs, 2))
    for pair in range(pairs):
        for place in range(2):
            who = (pair + place) % 2
            run, operand = (baseline, candidate)[who], operands[count % len(operands)]
            begin = clock()
            run(operand)
            seconds[pair, who] = clock() - begin
            count += 1
    if not seconds.all():
        raise ValueError
    ratios = seconds[:, 0] / seconds[:, 1]
    return dict(median=float(np.median(ratios)), low=float(ratios.min()), high=float(ratios.max()))
"""
MIDDLE = swap(
    "compare",
    "statistics.median(ratios)",
    "(sorted(ratios)[pairs // 2] + sorted(ratios)[~(pairs // 2)]) / 2",
)

RIGHT = {"a plan first": PLAN, "a table in numpy": NUMPY, "the middle of a list": MIDDLE}
