"""What `layer_seconds` and `crossover_rows` must compute, one claim a check."""

import math
import random

from halfbits.course.checks import calls, expect, hardened, task
from halfbits.course.checks.cases import each

KINDS = {
    "16 bits": {"weight_bits": 16, "arithmetic": "bf16"},
    "8 bits, multiplied in bf16": {"weight_bits": 8, "arithmetic": "bf16"},
    "8 bits, multiplied in int8": {"weight_bits": 8, "arithmetic": "int8"},
    "8 bits, multiplied in fp8": {"weight_bits": 8.25, "arithmetic": "fp8"},
    "4 bits with scales": {"weight_bits": 4.125, "arithmetic": "bf16"},
}

again = calls.Calls("layer_seconds", lambda seed: (8, *drawn(seed, KINDS["16 bits"])))
crossover_again = calls.Calls("crossover_rows", lambda seed: drawn(seed, KINDS["16 bits"]))


def drawn(seed, kind):
    """A layer and a card of random sizes; the peaks lie a few hundred times above the bandwidth."""
    some = random.Random(seed)
    sizes = {name: some.randrange(2048, 20000) for name in ("inputs", "outputs")}
    bandwidth = some.uniform(5e11, 8e12)
    peak = {name: bandwidth * some.uniform(200, 700) for name in ("bf16", "int8", "fp8")}
    return sizes | kind, {"bandwidth": bandwidth, "peak": peak}


def times(rows, layer, card):
    """Seconds of the operations, and of the bytes."""
    inputs, outputs = layer["inputs"], layer["outputs"]
    moved = inputs * outputs * layer["weight_bits"] / 8 + 2 * rows * (inputs + outputs)
    operations = 2 * rows * inputs * outputs
    return operations / card["peak"][layer["arithmetic"]], moved / card["bandwidth"]


def right(answer, rows, layer, card):
    """The answer is the larger of both times; ten roundings in float64 are allowed."""
    want = max(times(rows, layer, card))
    expect.close(answer.layer_seconds(rows, layer, card), want, atol=want * 10 * 2.0**-52)


@task("layer_seconds")
def test_few_rows_take_the_time_of_the_bytes_and_many_that_of_the_operations(answer, seed):
    """With up to 8 rows the weights' bytes decide, with thousands of rows the operations.

    Each weight is read once for all rows: half of the bits is half of the time, while its bytes
    decide. The peak is that of the arithmetic: 4-bit weights are multiplied in bf16.
    """
    for kind in each(KINDS):
        for rows in (1, 2, 8, 4096, 30000):
            right(answer, rows, *drawn(seed + rows, kind))


@task("layer_seconds")
def test_slower_of_the_two_counts_alone(answer, seed):
    """Around the crossover the time is the larger of the two.

    It is not their sum: numbers arrive while others are multiplied.
    """
    for kind in each(KINDS):
        layer, card = drawn(seed, kind)
        computing, moving = times(100, layer, card)
        for balance in (0.5, 0.9, 1.1, 2.0):
            peak = card["peak"][layer["arithmetic"]] * computing / moving * balance
            changed = card["peak"] | {layer["arithmetic"]: peak}
            right(answer, 100, layer, card | {"peak": changed})


@task("crossover_rows")
def test_both_times_are_equal_at_the_crossover(answer, seed):
    """At that many rows the operations take as long as the bytes, activations included.

    It is a float: nothing is rounded to whole rows.
    """
    for kind in each(KINDS):
        for more in range(5):
            layer, card = drawn(seed + more, kind)
            computing, moving = times(answer.crossover_rows(layer, card), layer, card)
            # A difference of two times loses some digits: ten roundings become a few thousand.
            expect.close(computing, moving, atol=moving * 1e-10, of="seconds of operations")


@task("crossover_rows")
def test_fewer_bits_reach_the_crossover_earlier(answer, seed):
    """Half of the bits in the same arithmetic is half of the rows; a faster arithmetic is more.

    So half of the rows is where fewer bits stop helping.
    """
    layer, card = drawn(seed, KINDS["16 bits"])
    card["peak"]["int8"] = 2 * card["peak"]["bf16"]
    rows = {name: answer.crossover_rows(layer | kind, card) for name, kind in KINDS.items()}
    half, whole = rows["8 bits, multiplied in bf16"], rows["16 bits"]
    expect.close(half, whole / 2, atol=whole * 1e-10, of="the crossover of 8 bits")
    later = rows["8 bits, multiplied in int8"] > half
    expect.true(later, expected="more rows in int8 than in bf16", got=rows)


@task("crossover_rows")
@hardened
def test_narrow_layers_never_reach_it(answer, seed):
    """Where a row's bytes take longer than its operations, the crossover is infinite.

    A layer of few outputs moves activations for hardly any work; a negative number is no rows.
    """
    for kind in each(KINDS):
        layer, card = drawn(seed, kind)
        got = answer.crossover_rows(layer | {"outputs": 4 + seed % 50}, card)
        expect.true(got == math.inf, expected="inf", got=got)
