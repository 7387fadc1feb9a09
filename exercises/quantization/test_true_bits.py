"""What `layer_bits` and `bits_a_weight` must do, one claim a check."""

import random
from math import ceil

from halfbits.course.checks import calls, expect, hardened, task

again = calls.Calls("bits_a_weight", lambda seed: ([layer(8, 64, 2 + seed % 7)],))


def exact(rows, columns, bits, group=None, scale_bits=16, zero_bits=0):
    """The bits of a layer, row by row and group by group."""
    row = 8 * ceil(columns * bits / 8)
    for _ in range(0, columns, group or columns):
        row += scale_bits + zero_bits
    return rows * row


def counts(answer, *several):
    """The bits of each layer are a whole number, and the right one."""
    for arguments in several:
        got = answer.layer_bits(**arguments)
        expect.equal(type(got).__name__, "int", of="type")
        expect.equal(got, exact(**arguments))


def layer(rows, columns, bits, **others):
    """The arguments of a layer, by name."""
    return {"rows": rows, "columns": columns, "bits": bits, **others}


def mean_is(answer, layers):
    """The bits a weight of all layers together."""
    want = sum(exact(**one) for one in layers)
    want /= sum(one["rows"] * one["columns"] for one in layers)
    shown = ", ".join(f"{one['rows']} x {one['columns']} of {one['bits']} bits" for one in layers)
    room = 16 * 2.0**-52 * want  # a few roundings
    expect.close(answer.bits_a_weight(layers), want, atol=room, of=f"layers {shown}: the result")


@task("layer_bits")
def test_groups_along_a_row_have_a_scale_each(answer, seed):
    """The codes, and a scale for each group of a row: 4 + 16 / 128 bits a weight, not 4.

    Groups lie along a row, so their number grows with the columns, and with the rows.
    """
    many = random.Random(seed).randrange(2, 9)
    counts(answer, *(layer(many, 256, b, group=g) for b in (4, 8) for g in (32, 64, 128)))
    counts(answer, layer(256, 128, 4, group=128), layer(128, 256, 4, group=128))


@task("layer_bits")
def test_zero_point_and_scale_have_their_own_widths(answer, seed):
    """scale_bits and zero_bits count once for each group; without a zero point there is none."""
    several = [(16, 4), (32, 8), (8, 0), (0, 0), (16, 0)]
    counts(
        answer,
        *(layer(5, 192, 4, group=64, scale_bits=s, zero_bits=z) for s, z in several),
    )


@task("layer_bits")
def test_no_group_is_one_scale_for_each_row(answer, seed):
    """group=None, which is the default, gives every row one scale, and a zero point if it has any.

    One scale for the whole layer would be another layout.
    """
    counts(answer, layer(7, 64, 8), layer(7, 64, 8, group=None, zero_bits=8), layer(1, 8, 4))


@task("layer_bits")
def test_short_last_group_has_a_whole_scale(answer, seed):
    """Columns that are no multiple of the group leave a group with fewer weights, and a scale.

    A group that is longer than the row is such a group as well.
    """
    counts(answer, *(layer(3, columns, 4, group=32) for columns in (34, 62, 300, 8)))


@task("layer_bits")
@hardened
def test_codes_of_a_row_fill_whole_bytes(answer, seed):
    """Codes that end within a byte take the rest of it, in every row.

    Rows that share a byte cannot be read one by one.
    """
    odd = [layer(5, n, b, group=8) for b in (1, 2, 3, 4, 5, 6) for n in (7, 9, 15)]
    counts(answer, *odd)


@task("bits_a_weight")
def test_layers_weigh_by_their_weights(answer, seed):
    """The result is all bits over all weights; a large layer counts more than a small one.

    The mean of the layers' own bits is the same only where all have one size.
    """
    mean_is(answer, [layer(8, 512, 2, group=64), layer(512, 64, 8, group=64)])
    some = random.Random(seed)
    for n in (1, 2, 5):
        sizes = [(2 ** some.randrange(4, 10), 64 * some.randrange(1, 9)) for _ in range(n)]
        mean_is(answer, [layer(*size, some.choice((2, 3, 4, 8)), group=64) for size in sizes])


@task("bits_a_weight")
def test_layers_in_16_bits_are_counted_too(answer, seed):
    """A layer that is not quantized, 16 bits without a scale, is a part of the model.

    Left out, every model of "4 bits" has 4.1.
    """
    kept = layer(1000, 128, 16, scale_bits=0)
    mean_is(answer, [layer(64, 128, 4, group=128), kept])
    mean_is(answer, [kept, layer(64, 128, 4, group=64, zero_bits=4), layer(128, 64, 8)])


@task("bits_a_weight")
def test_no_layers_are_refused(answer):
    """An empty list raises ValueError.

    0 bits for 0 weights are no bits a weight: a caller who sees 0 believes it.
    """
    expect.raises(ValueError, lambda: answer.bits_a_weight([]))
