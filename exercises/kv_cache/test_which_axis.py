"""What `axis_table` must measure, one claim a check."""

import itertools

import torch

from halfbits.course.checks import calls, cases, expect, formulas, hardened, tolerance
from halfbits.course.checks.cases import each

TASK = "axis_table"
# Queries, tokens, channels, width of the values.
SHAPES = {
    "more tokens than channels": (9, 70, 16, 16),
    "more channels than tokens": (9, 12, 136, 16),
    "as many": (5, 32, 32, 8),
}
SMALLEST = {"one token": (3, 1, 8, 4), "one channel": (3, 9, 1, 4), "one query": (1, 9, 8, 4)}
BITS = range(2, 9)
again = calls.Calls("axis_table", lambda seed: (*caches(seed, 5, 20, 8, 6, 30.0 * (seed % 2)), 4))


def caches(seed, queries, tokens, d, width, loud=12.0, zeros=False):
    """q, k and v, the others views; k has loud channels, and no code that hangs on a rounding."""
    for draw in itertools.count(seed):
        k = cases.normal(draw, tokens, d)
        k[:, [seed % d, (seed + 5) % d]] += loud
        if zeros:
            k[2], k[:, (seed + 2) % d] = 0, 0
        if not any(close_to_half(k, axis, bits) for axis in (0, 1) for bits in BITS):
            return cases.normal(seed + 1, d, queries).T, k, cases.normal(seed + 2, width, tokens).T


def close_to_half(k, axis, bits):
    """Whether some quotient k / scale is so near to a half that its code may be either."""
    top = 2 ** (bits - 1) - 1
    quotient = (k.double() / k.double().abs().amax(axis, keepdim=True) * top).nan_to_num()
    return bool((quotient - quotient.floor() - 0.5).abs().min() < 1e-5)


def wanted(q, k, v, bits):
    """The table in float64."""
    q, k, v = q.double(), k.double(), v.double()

    def outputs(keys):
        return torch.softmax(q @ keys.T / k.shape[1] ** 0.5, 1) @ v

    def error(got, exact):
        return float((got - exact).norm() / exact.norm())

    table = {}
    for name, axis in (("token", 1), ("channel", 0)):
        codes, scale = formulas.symmetric(k, axis, 2 ** (bits - 1) - 1)
        keys = codes * scale
        table[name] = (error(keys, k), error(outputs(keys), outputs(k)))
    return table


def measured(answer, q, k, v, bits):
    """The answer's table, once it has its form."""
    got = answer.axis_table(q, k, v, bits)
    names = sorted(got) if isinstance(got, dict) else type(got).__name__
    expect.equal(names, ["channel", "token"], of="keys")
    for name, pair in got.items():
        floats = isinstance(pair, (tuple, list)) and [type(value).__name__ for value in pair]
        expect.equal(floats, ["float", "float"], of=f"types of {name!r}")
    return got


def right(answer, q, k, v, bits, columns=(0, 1)):
    """Both rows of the table, in the given columns."""
    got, want = measured(answer, q, k, v, bits), wanted(q, k, v, bits)
    for name in want:
        for column in columns:
            of = f"{('keys', 'outputs')[column]} of {name!r}"
            # The softmax and the sums in float32 are off by some hundred roundings.
            room = 1e-3 * want[name][column] + 100 * tolerance.eps()
            expect.close(got[name][column], want[name][column], atol=room, of=of)


def test_errors_of_the_keys(answer, seed):
    """The first numbers are the relative errors of the quantized keys, by token and by channel.

    One scale for each token is a maximum over its channels, and the reverse.
    """
    for shape in each(SHAPES):
        q, k, v = caches(seed, *shape)
        for bits in BITS:
            right(answer, q, k, v, bits, columns=(0,))


def test_errors_of_the_outputs(answer, seed):
    """The second numbers are the relative errors of softmax(q @ k.T / sqrt(d)) @ v.

    The cache is there for the attention; what it puts out counts.
    """
    for shape in each(SHAPES):
        q, k, v = caches(seed, *shape)
        for bits in BITS:
            right(answer, q, k, v, bits)
        right(answer, q * 2.0**40, k * 2.0**-40, v * 2.0**-40, 4)  # no scale has a floor


def test_loud_channels_favor_a_scale_for_each_channel(answer, seed):
    """Where two channels are loud in every token, the outputs are closer by channel than by token.

    If your table says the opposite, the axis is the other one.
    """
    q, k, v = (cases.normal(seed + i, n, 32) for i, n in enumerate((32, 200, 200)))
    k[:, [3, 20]] += 12.0
    table = measured(answer, q, k, v, 4)
    less = table["channel"][1] < table["token"][1]
    expect.true(less, expected="a smaller output error by channel", got=table)


def test_zeros_are_no_nan(answer, seed):
    """A padded token and a dead channel, all zeros, stay zeros and count as exact.

    amax is 0 there, and 0 / 0 is NaN, which the softmax spreads over all outputs.
    """
    for shape in each(SHAPES):
        q, k, v = caches(seed, *shape, zeros=True)
        right(answer, q, k, v, 4)


@hardened
def test_smallest_caches_and_views_are_measured_too(answer, seed):
    """One token, one channel or one query, and q, k or v that are views, give their own table.

    A cache begins with one token, and its heads are views of one tensor.
    """
    for shape in each(SMALLEST):
        q, k, v = caches(seed, *shape)
        right(answer, q, k, v, 4)
    q, k, v = caches(seed, 5, 32, 32, 8)
    for keys in (k.t().contiguous().t(), torch.cat([k, k], 1)[:, 32:]):
        right(answer, q, keys, v, 4)
