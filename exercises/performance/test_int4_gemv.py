"""What `int4_gemv` must do, one claim a check."""

from functools import partial

import torch

from halfbits.course.checks import calls, cases, expect, hardened, memory, tolerance
from halfbits.course.checks.cases import each
from halfbits.course.checks.operations import footprint

TASK = "int4_gemv"
# Rows, columns, group.
SHAPES = {
    "more rows than columns": (96, 64, 16),
    "more columns than rows": (64, 512, 32),
    "short groups": (72, 128, 2),
    "a number of rows that is no power of two": (67, 96, 48),
}
LOOP = 2**17  # bytes at most of what Python itself makes in a loop over the rows
again = calls.Calls("int4_gemv", lambda seed: (*layer(seed, 70, 64, 16), 16))


def layer(seed, rows, columns, group):
    """Packed weights, scales that differ from group to group, and x."""
    draw = cases.generator(seed)
    packed = torch.randint(0, 256, (rows, columns // 2), dtype=torch.uint8, generator=draw)
    scales = torch.rand(rows, columns // group, generator=draw) * 2.0 ** (seed % 2) + 0.01
    return packed, scales, cases.normal(seed, columns)


def weights(packed, scales, group):
    """The matrix in float64."""
    codes = torch.stack([packed & 15, packed >> 4], -1).flatten(1).double() - 8
    return codes * scales.double().repeat_interleave(group, 1)


def right(answer, group, packed, scales, x):
    """The product, with the roundings of a float32 sum; a weight is rounded once more."""
    w = weights(packed, scales, group)
    want = (w @ x.double()).float()
    expect.close(
        answer.int4_gemv(packed, scales, x, group), want, atol=tolerance.linear(x[None], w, None)[0]
    )


def test_product_is_that_of_the_weights(answer, seed):
    """Each row is the sum of its weights times x, for all codes and scales.

    The lower four bits come first, 8 is subtracted, each group has its scale.
    """
    for rows, columns, group in each(SHAPES):
        right(answer, group, *layer(seed, rows, columns, group))


def test_each_code_is_in_its_place(answer, seed):
    """With x of a single 1, the result is one column of the matrix: code less 8, times the scale.

    A wrong half, a wrong sign or a neighbor's scale shows in some column.
    """
    packed, scales, _ = layer(seed, 64, 32, 8)
    w = weights(packed, scales, 8)
    for column in range(seed % 2, 32, 3):
        got = answer.int4_gemv(packed, scales, torch.eye(32)[column], 8)
        want = w[:, column].float()
        expect.close(got, want, atol=4 * tolerance.eps() * want.abs(), of=f"column {column}")


def test_no_tensor_is_larger_than_the_packed_weights(answer, seed):
    """No tensor made on the way has more bytes than `packed`, nor have numpy's arrays together.

    A float32 copy has eight times as many, a copy in int8 twice.
    """
    for rows, columns, group in ((64, 1024, 32), (256, 512 + 64 * (seed % 3), 64)):
        packed, scales, x = layer(seed, rows, columns, group)
        run = partial(answer.int4_gemv, packed, scales, x, group)
        largest, arrays = footprint(run)
        expect.at_most(largest, packed.nbytes, "bytes", of="the largest tensor")
        expect.at_most(arrays, packed.nbytes + LOOP, "bytes", of="numpy's arrays together")


def test_nothing_is_kept_between_calls(answer, seed):
    """After a call the program holds no more numbers than before.

    A copy that is unpacked once and kept takes the memory that 4 bits were to save.
    """
    program = memory.namespace_of(answer.int4_gemv)
    before = memory.held(program, answer.int4_gemv)
    packed, scales, x = layer(seed, 128, 256, 32)
    with expect.untouched(packed, scales, x):
        right(answer, 32, packed, scales, x)
    more = memory.held(program, answer.int4_gemv) - before
    expect.at_most(more, memory.SLACK, "bytes", of="what the program keeps")


@hardened
def test_takes_single_rows_and_groups_and_views(answer, seed):
    """One row, one group for a whole row, two columns, and matrices that are not contiguous.

    A fused layer hands out views of its parts.
    """
    for rows, columns, group in ((1, 32, 8), (9, 16, 16), (3, 2, 2)):
        right(answer, group, *layer(seed, rows, columns, group))
    packed, scales, x = layer(seed, 40, 64, 16)
    right(answer, 16, packed.t().contiguous().t(), scales[:, :4], x)
    right(answer, 16, packed[::2, 8:24], scales[::2, 1:3], x[::2])
