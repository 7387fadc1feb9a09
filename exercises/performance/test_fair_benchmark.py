"""What `compare` must measure, one claim a check, on machines whose tricks are known."""

import random
import statistics
import time

from halfbits.course.checks import expect, task
from halfbits.course.checks.cases import each


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
        """The answer's result, once it has its form."""
        runs = [self.function(name) for name in self.times]
        got = answer.compare(*runs, list(operands), pairs, self.clock)
        form = isinstance(got, dict) and sorted(got) == ["high", "low", "median"]
        expect.true(form, expected="a dict with median, low and high", got=got)
        return got


def near(got, want, room=1e-9):
    """All three are `want`, or a share of it off."""
    for name, value in want.items():
        expect.close(got[name], value, atol=abs(room * value), of=f"{name!r}")


def true_ratio(got, ratio, room=1e-9):
    """Median, low and high are all the ratio of the costs."""
    near(got, dict.fromkeys(("median", "low", "high"), ratio), room)


@task("compare")
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
        true_ratio(Machine(cost).compared(answer, range(n), pairs), 1.5)


@task("compare")
def test_machine_that_slows_down_favors_nobody(answer, seed):
    """Each goes first in turn, the baseline in pair 0, so that the same work gives about 1.

    If one always goes first, or all its calls come first, a machine that gets hot decides.
    """
    for rate in each({"by 2 % a call": 1.02, "by 10 % a call": 1.1}):
        machine = Machine(lambda name, operand, last, call, rate=rate: rate**call)
        pairs = 12 + 2 * (seed % 4)
        got = machine.compared(answer, range(3), pairs)
        want = {"median": (rate + 1 / rate) / 2, "low": 1 / rate, "high": rate}
        near(got, want)
        order = [entry[0] for entry in machine.log if entry != "clock"][-2 * pairs :]
        expect.equal(order[:4], ["baseline", "candidate", "candidate", "baseline"], of="the order")


@task("compare")
def test_operands_rotate_over_all_timed_calls(answer, seed):
    """Timed call k gets operand k modulo their number, whoever makes it.

    Whoever gets the operand of the call before finds it in the cache, and looks ten times as fast.
    """
    for n in each({"two operands": 2, "three": 3, "seven": 7}):
        machine = Machine(lambda name, operand, last, call: 1.0 if operand == last else 10.0)
        got = machine.compared(answer, range(n), 9)
        seen = [entry[1] for entry in machine.log if entry != "clock"][-18:]
        expect.equal(seen, [k % n for k in range(18)], of="the operands")
        true_ratio(got, 1.0)


@task("compare")
def test_one_slow_call_does_not_decide(answer, seed):
    """A call that is interrupted, a hundred times slower, leaves the median where it is.

    It shows in low or high, and would move a mean, or a sum of times, as far as it likes.
    """
    for unlucky in each({"the baseline": "baseline", "the candidate": "candidate"}):
        machine = Machine(
            lambda name, operand, last, call, unlucky=unlucky: (
                {"baseline": 4.0, "candidate": 2.0}[name]
                * (100 if name == unlucky and 4 <= call < 8 else 1)
            )
        )
        got = machine.compared(answer, range(4), 15)
        near(got, {"median": 2.0})
        end = {"baseline": ("high", 200.0), "candidate": ("low", 0.02)}[unlucky]
        near(got, dict([end]))


@task("compare")
def test_result_is_made_of_the_ratios_of_pairs(answer, seed):
    """Median, smallest and largest of baseline by candidate, each pair by itself.

    Other statistics of random times are other numbers; above 1 the candidate is faster.
    """
    some = random.Random(seed)
    for pairs in each({"one pair": 1, "two": 2, "an odd number": 7, "an even number": 10}):
        machine = Machine(lambda name, operand, last, call: some.uniform(1, 3))
        got = machine.compared(answer, range(3), pairs)
        ratios = [a / b for a, b in zip(*machine.times.values(), strict=True)]
        want = {"median": statistics.median(ratios), "low": min(ratios), "high": max(ratios)}
        near(got, want)


@task("compare")
def test_clock_is_read_around_each_single_call(answer, seed):
    """Between two readings there is one call and nothing else; no call goes without its readings.

    Several calls in one reading hide their spread, and a warm-up in it is measured.
    """
    machine = Machine(lambda name, operand, last, call: 1.0)
    machine.compared(answer, range(3), 6)
    kinds = "".join("c" if entry == "clock" else "f" for entry in machine.log)
    kinds = kinds.lstrip("f")
    expect.equal(kinds, "cfc" * 12, of="clock readings c and calls f after the warm-up")


@task("compare")
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
