"""What `step_bytes` and `tokens_a_second` must compute, one claim a check."""

import random

from halfbits.course.checks import expect, task
from halfbits.course.checks.cases import each

CARD = {"bandwidth": 2.5e12, "peak": 8e14}
LOADS = {
    "one user": (1, 1000),
    "a few users": (8, 2000),
    "many users": (200, 500),
    "long contexts": (40, 60_000),
    "one token each": (3, 1),
}


def drawn(seed, **more):
    """A model of random sizes, whose cache has fewer heads than ask."""
    some = random.Random(seed)
    model = {"weights": some.randrange(10**9, 10**11), "bits": some.choice((16, 8, 4.125))}
    model |= {"layers": some.randrange(20, 90), "kv_heads": some.randrange(2, 9)}
    model |= {"heads": model["kv_heads"] * some.randrange(2, 9)}
    return model | {"head_dim": some.choice((64, 128)), "cache_bits": some.choice((16, 8))} | more


def read(model, rows, context):
    """Bytes of a step."""
    numbers = 2 * model["layers"] * model["kv_heads"] * model["head_dim"]
    return model["weights"] * model["bits"] / 8 + rows * context * numbers * model["cache_bits"] / 8


def done(model, rows, context):
    """Operations of a step."""
    attention = 4 * model["layers"] * model["heads"] * model["head_dim"] * context
    return rows * (2 * model["weights"] + attention)


def rates(answer, model, card, rows, context):
    """The answer's dictionary, once it has its form."""
    got = answer.tokens_a_second(model, card, rows, context)
    names = sorted(got) if isinstance(got, dict) else type(got).__name__
    expect.equal(names, ["all", "each"], of="keys")
    return got


def right(answer, model, card, rows, context):
    """Both rates are those of the slower of the two; ten roundings in float64 are allowed."""
    got = rates(answer, model, card, rows, context)
    steps = min(
        card["bandwidth"] / read(model, rows, context), card["peak"] / done(model, rows, context)
    )
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
            peak = (
                balance
                * CARD["bandwidth"]
                * done(model, rows, context)
                / read(model, rows, context)
            )
            right(answer, model, CARD | {"peak": peak}, rows, context)


@task("tokens_a_second")
def test_more_users_are_more_in_all_and_less_for_each(answer, seed):
    """With twice the users, "all" grows, at most twofold, and "each" does not grow.

    If all grows for free, the caches are missing; if it does not grow, the weights are read twice.
    """
    model = drawn(seed)
    few, many = (rates(answer, model, CARD, rows, 8000) for rows in (4, 8))
    grown = few["all"] < many["all"] < 2 * few["all"] and many["each"] < few["each"]
    expect.true(grown, expected="more in all, less for each", got=f"{few}, then {many}")
