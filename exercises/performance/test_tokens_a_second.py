"""What `step_bytes` and `tokens_a_second` must compute, one claim a check."""

import math
import random

from halfbits.course.checks import calls, decoders, expect, hardened, task
from halfbits.course.checks.cases import each

CARD = {"bandwidth": 2.5e12, "peak": 8e14}
LOADS = {"one user": (1, 1000), "a few users": (8, 2000), "many users": (200, 500)}
LOADS |= {"long contexts": (40, 60_000), "one token each": (3, 1)}

bytes_again = calls.Calls("step_bytes", lambda seed: (drawn(seed), 8, 2000))
again = calls.Calls("tokens_a_second", lambda seed: (drawn(seed), CARD.copy(), 8, 2000))


def drawn(seed, **more):
    """A model of random sizes, whose cache has fewer heads than ask."""
    some = random.Random(seed)
    model = {"weights": some.randrange(10**9, 10**11), "bits": some.choice((16, 8, 4.125))}
    return model | decoders.attention(some) | {"cache_bits": some.choice((16, 8))} | more


def read(model, rows, context):
    """Bytes of a step."""
    return model["weights"] * model["bits"] / 8 + decoders.cache_bytes(model, rows * context)


def done(model, rows, context):
    """Operations of a step."""
    attention = 4 * model["layers"] * model["heads"] * model["head_dim"] * context
    return rows * (2 * model["weights"] + attention)


def right(answer, model, card, rows, context):
    """Both rates are those of the slower of the two; ten roundings in float64 are allowed."""
    got = answer.tokens_a_second(model, card, rows, context)
    names = sorted(got) if isinstance(got, dict) else type(got).__name__
    expect.equal(names, ["all", "each"], of="keys")
    moving = read(model, rows, context) / card["bandwidth"]
    steps = 1 / max(moving, done(model, rows, context) / card["peak"])
    for name, want in {"each": steps, "all": rows * steps}.items():
        expect.close(got[name], want, atol=want * 10 * 2.0**-52, of=f"{name!r}")


@task("step_bytes")
def test_weights_are_read_once_and_caches_for_each_row(answer, seed):
    """Weights once, and for `rows * context` tokens the keys and values of `kv_heads` heads.

    The weights serve all rows of a step; a cache serves one, and has bits of its own.
    """
    for rows, context in each(LOADS):
        for bits, cache_bits in ((16, 8), (4.125, 16), (8, 8)):
            model = drawn(seed, bits=bits, cache_bits=cache_bits)
            want = read(model, rows, context)
            got = answer.step_bytes(model, rows, context)
            expect.close(got, want, atol=want * 10 * 2.0**-52)


@task("tokens_a_second")
def test_bytes_decide_on_a_card_that_computes_fast(answer, seed):
    """With plenty of operations a second, a step takes its bytes by the bandwidth.

    "all" is `rows` tokens in that time, "each" is one.
    """
    for rows, context in each(LOADS):
        right(answer, drawn(seed), CARD | {"peak": 1e18}, rows, context)


@task("tokens_a_second")
def test_operations_decide_on_a_card_that_reads_fast(answer, seed):
    """With plenty of bandwidth, a step takes its operations by the peak.

    Each row is multiplied with every weight, and all `heads` compare with the context.
    """
    for rows, context in each(LOADS):
        right(answer, drawn(seed), CARD | {"bandwidth": 1e18}, rows, context)


@task("tokens_a_second")
def test_slower_of_the_two_counts_alone(answer, seed):
    """On an ordinary card a step takes the larger of both times.

    It is not their sum: numbers arrive while others are multiplied.
    """
    for rows, context in each(LOADS):
        model = drawn(seed)
        for balance in (0.5, 0.9, 1.1, 2.0):
            intensity = done(model, rows, context) / read(model, rows, context)
            peak = balance * CARD["bandwidth"] * intensity
            right(answer, model, CARD | {"peak": peak}, rows, context)


@hardened
@task("tokens_a_second")
def test_card_that_does_nothing_is_refused(answer, seed):
    """A bandwidth or a peak that is 0, below 0 or NaN raises ValueError.

    The larger of a number and NaN is either, by their order, and a negative time is never it: such
    a card would look as fast as its other half.
    """
    for part in each({"bandwidth": "bandwidth", "peak": "peak"}):
        for value in (0.0, -1e12, math.nan):
            card = CARD | {part: value}
            expect.raises(ValueError, lambda: answer.tokens_a_second(drawn(seed), card, 8, 2000))  # noqa: B023
