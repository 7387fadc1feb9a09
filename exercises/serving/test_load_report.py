"""What `percentile` and `load_report` must do, one claim a check."""

import math
import random

from halfbits.course.checks import calls, expect, hardened, task
from halfbits.course.checks.cases import each

# Times are multiples of 2**-10 below 2**10, so that differences are exact; a quotient or two round.
ROOM = 2.0**-50
KEYS = ("ttft_p50", "ttft_p99", "tpot_p50", "tpot_p99", "tokens_per_second", "goodput")

percentile_again = calls.Calls("percentile", lambda seed: (rounded(seed, 5), 50), room=0)
again = calls.Calls("load_report", lambda seed: (drawn(seed, 5), 0.3, 0.25))


def rounded(seed, n):
    """Some floats from 0 to 1, in any order."""
    some = random.Random(seed)
    return [round(some.random(), 3) for _ in range(n)]


def smallest(values, percent):
    """The smallest value that enough others do not exceed."""
    return min(v for v in values if sum(w <= v for w in values) * 100 >= percent * len(values))


def drawn(seed, count=40, shortest=2):
    """Requests that come over some seconds, their tokens at uneven times."""
    some, requests = random.Random(seed), []
    for _ in range(count):
        now = arrival = some.randrange(2**13) / 2**10
        times = []
        for _ in range(some.randint(shortest, 9)):
            now += some.randint(1, 2**9) / 2**10
            times.append(now)
        requests.append({"arrival": arrival, "times": times})
    return requests


def wanted(requests, ttft_limit, tpot_limit):
    """The report."""
    some = [(r["times"][0] - r["arrival"], r["times"]) for r in requests if r["times"]]
    tpot = {i: (t[-1] - t[0]) / (len(t) - 1) for i, (_, t) in enumerate(some) if len(t) > 1}
    good = sum(a <= ttft_limit and tpot.get(i, 0) <= tpot_limit for i, (a, _) in enumerate(some))
    found = {}
    for name, values in (("ttft", [a for a, _ in some]), ("tpot", list(tpot.values()))):
        for percent in (50, 99):
            found[f"{name}_p{percent}"] = smallest(values, percent) if values else math.nan
    if not some:
        return found | {"tokens_per_second": 0.0, "goodput": 0.0}
    span = max(t[-1] for _, t in some) - min(r["arrival"] for r in requests)
    tokens = sum(len(t) for _, t in some)
    return found | {"tokens_per_second": tokens / span, "goodput": good / span}


def right(answer, requests, limits=(0.3, 0.25), keys=KEYS):
    """The answer's report has these values."""
    got, want = answer.load_report(requests, *limits), wanted(requests, *limits)
    expect.true(isinstance(got, dict), expected="a dict", got=got)
    expect.equal(sorted(got), sorted(KEYS), of="keys")
    for key in keys:
        if math.isnan(want[key]):
            expect.true(math.isnan(got[key]), expected="nan", got=got[key], of=key)
        else:
            expect.close(got[key], want[key], atol=4 * ROOM * abs(want[key]), of=key)


@task("percentile")
def test_percentile_is_one_of_the_values(answer, seed):
    """The smallest value with at least `percent` % of the values at or below it, in any order.

    Between two values lies a time that nobody waited.
    """
    for n in (1, 2, 3, 10, 99, 100, 101, 250):
        values = rounded(seed + n, n)
        for percent in (1, 50, 90, 99, 100):
            of = f"{values}" if n <= 10 else f"{n} values"
            expect.equal(answer.percentile(values, percent), smallest(values, percent), of=of)


@task("load_report")
def test_first_token_is_timed_from_the_arrival(answer, seed):
    """TTFT is the first token's time less the arrival; its percentiles are over requests.

    The wait in the queue is part of it.
    """
    right(answer, drawn(seed), keys=("ttft_p50", "ttft_p99"))


@task("load_report")
def test_other_tokens_are_timed_by_their_gaps(answer, seed):
    """TPOT is the time from the first to the last token over the gaps, one value a request.

    With the first token in it, TPOT would measure the queue again.
    """
    right(answer, drawn(seed), keys=("tpot_p50", "tpot_p99"))


@task("load_report")
def test_tokens_are_counted_over_the_span(answer, seed):
    """Tokens a second are all tokens over the time from the first arrival to the last token.

    A sum or a mean of the requests' own rates is no rate of the server.
    """
    right(answer, drawn(seed), keys=("tokens_per_second",))


@task("load_report")
def test_good_requests_keep_both_limits(answer, seed):
    """Goodput counts requests that keep both limits, over the span; exactly at a limit is good.

    A fast server that answers everybody too late has a goodput of 0.
    """
    requests = drawn(seed)
    report = wanted(requests, 1, 1)
    limits = {"usual": (0.3, 0.25), "early": (0.1, 9.0), "even": (9.0, 0.2), "all": (9.0, 9.0)}
    limits |= {"at the first limit": (report["ttft_p50"], 9.0), "none": (0.0, 9.0)}
    limits |= {"at the second limit": (9.0, report["tpot_p50"])}
    for pair in each(limits):
        right(answer, requests, pair, keys=("goodput",))


@task("load_report")
def test_failed_requests_are_not_good_and_lengthen_the_span(answer, seed):
    """A request without a token is never good, has no percentile, and its arrival counts.

    Left out, a server that drops every second request looks the better for it.
    """
    requests = drawn(seed, 20)
    early = {"arrival": min(one["arrival"] for one in requests) - 1.5, "times": []}
    right(answer, [*requests[:10], early, *requests[10:], early | {"arrival": 4.0}])


@task("load_report")
def test_single_token_has_no_gap(answer, seed):
    """A request of one token counts for TTFT, tokens and goodput, and not for TPOT.

    There is no gap to measure: 0 would make the percentiles better than anything served.
    """
    right(answer, [*drawn(seed, shortest=1), {"arrival": 4.0, "times": [4.25]}])


@hardened
@task("load_report")
def test_nothing_served_is_nan_and_zero(answer):
    """Percentiles without values are NaN, and without any token the rates are 0.

    A server that is down must get a report too.
    """
    failed, single = {"arrival": 1.0, "times": []}, {"arrival": 1.0, "times": [1.5]}
    for case in each({"all failed": [failed] * 3, "single tokens": [single] * 2}):
        right(answer, case)
