"""What packing two int4 codes into a byte and unpacking them must do, one claim a check."""

import torch

from halfbits.course.checks import calls, cases, expect, hardened, task
from halfbits.course.checks.cases import each

pack_again = calls.Calls("pack_int4", lambda seed: (matrices(seed)["one row"],))
unpack_again = calls.Calls("unpack_int4", lambda seed: (bytes_of(matrices(seed)["one row"]), 9))


def all_pairs():
    """Every pair of int4 codes, int8 [256, 2]."""
    return torch.cartesian_prod(torch.arange(-8, 8), torch.arange(-8, 8)).to(torch.int8)


def matrices(seed):
    """int4 codes in int8 of every shape and layout: wide, tall, odd, one column, views."""
    drawn = cases.matrices(seed) | {"a square of bytes": cases.normal(seed, 6, 12)}
    return {name: (8 * x).clamp(-8, 7).to(torch.int8) for name, x in drawn.items()}


def empty():
    """int4 codes of no rows, and of no columns."""
    return {"no rows": torch.zeros(0, 4).to(torch.int8), "no columns": torch.zeros(3, 0).char()}


def bytes_of(codes):
    """The bytes of `codes` by the specification, column by column."""
    packed = torch.zeros(len(codes), (codes.shape[1] + 1) // 2, dtype=torch.int32)
    for column in range(codes.shape[1]):
        packed[:, column // 2] += (codes[:, column].int() % 16) << 4 * (column % 2)
    return packed.to(torch.uint8)


@task("pack_int4")
def test_pack_puts_the_even_column_low_in_twos_complement(answer):
    """Each of the 256 pairs gets its byte: the even column in the low half, -1 stored as 15.

    The halves the other way round, or codes shifted by 8, are another layout: a reader of this
    one gets other weights, without an error.
    """
    expect.same(answer.pack_int4(all_pairs()), bytes_of(all_pairs()))


@task("pack_int4")
def test_pack_gives_each_row_its_own_bytes(answer, seed):
    """Matrices of any shape and layout become uint8 [rows, ceil(n / 2)], an odd tail padded with 0.

    Rows that share a byte cannot be read one by one; a tail of anything else depends on luck.
    """
    for codes in each(matrices(seed)):
        expect.same(answer.pack_int4(codes), bytes_of(codes))


@task("pack_int4")
@hardened
def test_pack_refuses_what_four_bits_cannot_hold(answer, seed):
    """A code of 8 or more, or of -9 or less, raises ValueError wherever it stands.

    Cut to four bits, 8 comes back as -8: the largest weight turns into its opposite.
    """
    for value in each(cases.named(8, -9, 127, -128)):
        for place in (0, 5, 11):
            codes = torch.zeros(3, 4, dtype=torch.int8)
            codes.view(-1)[place] = value
            expect.raises(ValueError, lambda: answer.pack_int4(codes))  # noqa: B023


@task("pack_int4")
@hardened
def test_pack_of_nothing_is_empty(answer):
    """No rows give uint8 [0, ceil(n / 2)], and no columns [rows, 0].

    An expert that got no tokens has none to pack; an empty tensor has no minimum.
    """
    for codes in each(empty()):
        expect.same(answer.pack_int4(codes), bytes_of(codes))


@task("unpack_int4")
@hardened
def test_unpack_of_nothing_is_empty(answer):
    """Bytes of no rows, or none in a row, give int8 [0, n] and [rows, 0].

    What can be packed can be unpacked.
    """
    for codes in each(empty()):
        expect.same(answer.unpack_int4(bytes_of(codes), codes.shape[1]), codes)


@task("unpack_int4")
def test_unpack_extends_the_sign(answer):
    """Each of the 256 bytes gives its pair of codes from -8 to 7, in int8.

    The four bits of -1 are those of 15: whoever reads them has to know that they are signed.
    """
    expect.same(answer.unpack_int4(bytes_of(all_pairs()), 2), all_pairs())


@task("unpack_int4")
def test_unpack_gives_back_n_columns(answer, seed):
    """Packed matrices of any shape come back as int8 [rows, n]; a padded tail is left out.

    The byte does not say whether its high half is a weight; n does.
    """
    for codes in each(matrices(seed)):
        packed = bytes_of(codes)
        for stored in (packed, packed.t().contiguous().t()):
            expect.same(answer.unpack_int4(stored, codes.shape[1]), codes)
