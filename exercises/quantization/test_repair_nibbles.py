"""What `decode` must do once it is mended, one claim a check; all values are exact."""

import torch

from halfbits.course.checks import calls, cases, expect, hardened
from halfbits.course.checks.cases import each

TASK = "decode"
again = calls.Calls("decode", lambda seed: blocks(seed, 3)[:1])
COUNTS = {"one block": 1, "two blocks": 2, "33 blocks": 33, "500 blocks": 500}


def blocks(seed, count):
    """Random Q4_0 blocks with scales of both signs and many sizes, and the weights they hold."""
    draw = cases.generator(seed)
    codes = torch.randint(16, (count, 32), generator=draw).to(torch.uint8)
    scale = (cases.normal(seed + 1, count, 1) * 2.0 ** (seed % 9 - 6)).half()
    nibbles = codes[:, :16] | codes[:, 16:] << 4
    data = torch.cat([scale.view(torch.uint8), nibbles], 1)
    return data, scale.float() * (codes.float() - 8)


def test_ramp_of_another_program_comes_back(answer):
    """A block that holds -8, -8, -7, -7 and so on up to 7, 7 gives this ramp.

    Your own writer cannot tell: it would make the same mistake twice.
    """
    ramp = torch.arange(32) // 2 - 8.0
    for size in each(cases.named(1.0, 0.5, -2.0)):
        scale = torch.tensor([size]).half().view(torch.uint8)
        codes = (ramp + 8).to(torch.uint8)
        data = torch.cat([scale, codes[:16] | codes[16:] << 4])[None]
        expect.same(answer.decode(data), ramp[None] * size)


def test_every_code_has_its_place_and_its_value(answer, seed):
    """Random blocks, one or many, come back exactly, every weight in its place.

    Each block is complete: its own scale, its own two halves.
    """
    for count in each(COUNTS):
        data, want = blocks(seed, count)
        expect.same(answer.decode(data), want)


def test_product_is_a_float32(answer, seed):
    """scale * (code - 8) is not rounded to float16, although the scale is one.

    The product has up to 14 significant bits.
    """
    data, _ = blocks(seed, 4)
    data[:, :2] = torch.tensor([1.0 + 2**-10]).half().view(torch.uint8)
    data[:, 2:] = 0x3F
    want = torch.tensor([7.0] * 16 + [-5.0] * 16) * (1 + 2**-10)
    expect.same(answer.decode(data), want.repeat(4, 1))


def test_views_are_read_and_left_alone(answer, seed):
    """Some columns of a wider table, every second block or a slice are decoded too, unchanged.

    Files are mapped, and blocks are views of them.
    """
    data, want = blocks(seed, 12)
    wide = torch.cat([data, data], 1)
    for view, part in each(
        {
            "columns of a table": (wide[:, 18:], want),
            "every second block": (data[::2], want[::2]),
            "a transposed table": (data.t().contiguous().t(), want),
            "the last blocks": (data[7:], want[7:]),
        }
    ):
        with expect.untouched(view):
            expect.same(answer.decode(view), part)


@hardened
def test_every_float16_is_a_scale(answer, seed):
    """Scales of 0, denormal, negative, large and infinite ones come back; NaN is not hidden.

    Pruned blocks have a scale of 0, quiet ones a scale below 0.00006, and broken files exist.
    """
    sizes = (0.0, 2.0**-24, -(2.0**-15), 65504.0, -65504.0, 6.1e-5, torch.inf)
    scale = torch.tensor(sizes).half()[:, None]
    data, _ = blocks(seed, len(sizes))
    data[:, :2] = scale.view(torch.uint8)
    data[-1, 2:] = 0xF9  # codes above 8: infinite, and no NaN
    codes = torch.cat([data[:, 2:] & 15, data[:, 2:] >> 4], 1)
    expect.same(answer.decode(data), scale.float() * (codes.float() - 8))
    data[1, :2] = torch.tensor([torch.nan]).half().view(torch.uint8)
    broken = answer.decode(data)[1]
    expect.true(broken.isnan().all(), expected="NaN", got=broken, of="the block with a NaN")


@hardened
def test_no_blocks_give_no_weights(answer, seed):
    """A file without blocks gives float32 [0, 32].

    A tensor may be empty, and a reader must not stop at it.
    """
    expect.like(answer.decode(blocks(seed, 1)[0][:0]), torch.zeros(0, 32))
