"""What `compare` must measure, one claim a check, on machines whose tricks are known."""

import random
import statistics
import time

from halfbits.course.checks import calls, expect, hardened
from halfbits.course.checks.cases import each

TASK = "compare"


class Machine:
    """Two functions and a clock; `cost(name, operand, last, call)` is what a call takes.

    `log` holds "clock" for each reading, and (name, operand) for each call.
    """

    def __init__(self, cost):
        self.cost, self.log, self.now, self.last = cost, [], 100.0, None
        self.calls, self.times = 0, {name: list[float]() for name in ("baseline", "candidate")}

    def clock(self):
        self.log.append("clock")
        return self.now

    def function(self, name):
        def run(operand):
            taken = self.cost(name, operand, self.last, self.calls)
            timed = "clock" in self.log
            self.times[name] += [taken] if timed else []
            self.calls, self.last = self.calls + timed, operand if timed else None
            self.now += taken
            self.log.append((name, operand))

        return run

    def compared(self, answer, operands, pairs):
        """The answer's result, once it has its form, and the calls that were timed."""
        runs = map(self.function, self.times)
        given = list(operands)
        try:
            got = answer.compare(*runs, given, pairs, self.clock)
        finally:
            expect.equal(given, list(operands), of="the list of operands afterwards")
        form = isinstance(got, dict) and sorted(got) == ["high", "low", "median"]
        expect.true(form, expected="a dict with median, low and high", got=got)
        return got, [entry for entry in self.log if entry != "clock"][-2 * pairs :]


STEADY = Machine(lambda name, operand, last, call: operand if name == "baseline" else 2.0)
RUNS, CLOCK = [STEADY.function(name) for name in STEADY.times], STEADY.clock
again = calls.Calls(
    "compare",
    lambda seed: ([1 + seed % 5, 9], 4),
    through=lambda compare, operands, pairs: compare(*RUNS, operands, pairs, CLOCK),
)


def near(got, **want):
    """These parts of the result, but for a rounding."""
    for name, value in want.items():
        expect.close(got[name], value, atol=1e-9 * value, of=f"{name!r}")


def test_first_calls_are_not_measured(answer, seed):
    """Each function has been called with each operand before the clock is first read.

    A first call compiles, allocates, and reads from memory what later calls find in the cache.
    """
    met = set()

    def cost(name, operand, last, call):
        first = (name, operand) not in met
        met.add((name, operand))
        return {"baseline": 3.0, "candidate": 2.0}[name] * (50 if first else 1)

    for n, pairs in each({"two operands": (2, 4), "five": (5, 11), "more than calls": (30, 3)}):
        met.clear()
        machine = Machine(cost)
        got, _ = machine.compared(answer, range(n), pairs)
        calls = machine.log[: machine.log.index("clock")]
        expect.equal(len({*calls}), 2 * n, of="functions by operands before the clock is read")
        near(got, median=1.5, low=1.5, high=1.5)


def test_machine_that_slows_down_favors_nobody(answer, seed):
    """Each goes first in turn, the baseline in pair 0, so that the same work gives about 1.

    If one always goes first, or all its calls come first, a machine that gets hot decides.
    """
    for rate in each({"by 2 % a call": 1.02, "by 10 % a call": 1.1}):
        machine = Machine(lambda name, operand, last, call, rate=rate: rate**call)
        got, timed = machine.compared(answer, range(3), 12 + 2 * (seed % 4))
        near(got, median=(rate + 1 / rate) / 2, low=1 / rate, high=rate)
        order = [name for name, _ in timed[:4]]
        expect.equal(order, ["baseline", "candidate", "candidate", "baseline"], of="the order")


def test_operands_rotate_over_all_timed_calls(answer, seed):
    """Timed call k gets operand k modulo their number, whoever makes it.

    Whoever gets the operand of the call before finds it in the cache, and looks ten times as fast.
    """
    for n in each({"two operands": 2, "three": 3, "seven": 7}):
        machine = Machine(lambda name, operand, last, call: 1.0 if operand == last else 10.0)
        got, timed = machine.compared(answer, range(n), 9)
        expect.equal([operand for _, operand in timed], [k % n for k in range(18)], of="operands")
        near(got, median=1.0, low=1.0, high=1.0)


def test_result_is_made_of_the_ratios_of_pairs(answer, seed):
    """Median, smallest and largest of baseline by candidate, each pair by itself.

    Above 1 the candidate is faster. One call that is interrupted, a hundred times slower, shows in
    low or high; a mean, or a sum of times, it would move as far as it likes.
    """
    some = random.Random(seed)
    for pairs in each({"one pair": 1, "two": 2, "an odd number": 7, "an even number": 10}):
        machine = Machine(lambda *call: some.choice((1, 1, 100)) * (1 + some.random()))
        got, _ = machine.compared(answer, range(3), pairs)
        ratios = [a / b for a, b in zip(*machine.times.values(), strict=True)]
        near(got, median=statistics.median(ratios), low=min(ratios), high=max(ratios))


def test_clock_is_read_around_each_single_call(answer, seed):
    """Between two readings there is one call and nothing else; no call goes without its readings.

    Several calls in one reading hide their spread, and a warm-up in it is measured.
    """
    machine = Machine(lambda name, operand, last, call: 1.0)
    machine.compared(answer, range(3), 6)
    kinds = "".join("c" if entry == "clock" else "f" for entry in machine.log).lstrip("f")
    expect.equal(kinds, "cfc" * 12, of="clock readings c and calls f after the warm-up")


def test_tells_very_different_work_apart_on_your_machine(answer, seed):
    """With a real clock, a function that does a thousand times the work is the slower one.

    How much slower is the machine's affair; which of the two is not.
    """
    many, few = (lambda n: sum(range(1000 * n))), (lambda n: sum(range(n)))
    for first, second, above in ((many, few, True), (few, many, False)):
        got = answer.compare(first, second, [50 + seed % 10, 60, 70], 9, time.perf_counter)
        right = got["low"] <= got["median"] <= got["high"] and (got["median"] > 1) == above
        wanted = "a median above 1" if above else "a median below 1"
        expect.true(right, expected=f"low, median and high in order, {wanted}", got=got)


@hardened
def test_time_of_zero_is_refused(answer):
    """A timed call that takes no time by the clock, whoever makes it, raises ValueError.

    The clock is too coarse for such calls: a ratio of 0 or infinity says nothing about them.
    """
    for still in each({"the baseline": "baseline", "the candidate": "candidate"}):
        machine = Machine(lambda name, *call, still=still: float(name != still))
        expect.raises(ValueError, lambda: machine.compared(answer, range(3), 4))  # noqa: B023
