"""What `rotary` must do once it is mended, one claim a check."""

import torch

from halfbits.course.checks import calls, cases, expect, hardened, tolerance
from halfbits.course.checks.cases import each

TASK = "rotary"
TYPES = cases.named(*cases.LOW, torch.float32)
again = calls.Calls("rotary", lambda seed: (cases.normal(seed, 4, 8), torch.arange(4) + seed % 9))


def formula(x, positions, base=10000.0):
    """The rotated x in float64."""
    half = x.shape[1] // 2
    frequency = base ** (-torch.arange(half, dtype=torch.float64) / half)
    angle = positions.double()[:, None] * frequency
    a, b = x.double().chunk(2, 1)
    return torch.cat([a * angle.cos() - b * angle.sin(), b * angle.cos() + a * angle.sin()], 1)


def room(x, positions):
    """How far a float32 angle, and three roundings to the type of x, may move each number."""
    a, b = x.double().abs().chunk(2, 1)
    # A frequency and its product with the position are off by some four roundings.
    angle = 4 * tolerance.eps() * positions.double()[:, None]
    size = (a + b) * (angle + 3 * tolerance.eps(x.dtype)) + 1e-6
    return torch.cat([size, size], 1)


def right(answer, x, positions, *base):
    """The answer follows the formula."""
    want = formula(x, positions, *base).to(x.dtype)
    expect.close(answer.rotary(x, positions, *base), want, atol=room(x, positions))


def test_product_depends_on_the_distance_alone(answer, seed):
    """A query and a key keep their product when both move on by 100, 300 or 4097 tokens.

    That is what the rotation is for; a position that is rounded, or a frequency, breaks it.
    """
    size = 1 + seed % 3
    pairs = torch.cat([torch.eye(16), torch.eye(16)], 1) * size  # each row holds one pair
    frequency = 10000.0 ** (-torch.arange(16).double() / 16)
    for dtype in each(TYPES):
        x = pairs.to(dtype)
        for start in (0, 100, 300, 4097):
            places = torch.full((16,), start)
            query, key = answer.rotary(x, places + 7), answer.rotary(x, places)
            expect.like(query, x)
            product = (query.double() * key.double()).sum(1)
            # Both are off by so much, and each meets the other's two numbers of up to 2 size.
            limit = 8 * size * room(x, places + 7).amax()
            want = 2 * size**2 * (7 * frequency).cos()
            expect.close(product, want, atol=limit, of="query times key by the result")


def test_every_position_has_its_angles(answer, seed):
    """Positions up to 5000 are rotated by the float32 angle of each pair.

    Neighbors must stay apart: bfloat16 has no 257, float16 no 2049. A frequency with the digits of
    16 bits is off by as large a share, and position 5000 by whole radians.
    """
    for dtype in each(TYPES):
        for count, dim in ((40, 2), (40, 16), (16, 16), (310, 140)):
            positions = torch.randint(5001, (count,), generator=cases.generator(seed + dim))
            right(answer, cases.normal(seed, count, dim).to(dtype), positions)


def test_short_prompts_stay_as_they_were(answer, seed):
    """The first 40 positions are rotated too, in order or not; position 0 changes nothing.

    What was right has to stay right.
    """
    for dtype in each(TYPES):
        x = cases.normal(seed, 40, 16).to(dtype)
        right(answer, x, torch.arange(40))
        right(answer, x, torch.arange(40).flip(0))
        expect.same(answer.rotary(x[:1], torch.tensor([0])), x[:1])


def test_base_sets_the_frequencies(answer, seed):
    """Another base, as models for long contexts have, gives its own angles.

    It is an argument because models differ in it, and each power of it needs float32's digits.
    """
    for dtype in each(TYPES):
        for base in (500.0, 500000.0):
            x = cases.normal(seed, 30, 32).to(dtype)
            right(answer, x, torch.arange(30) * (10 + seed % 90), base)


@hardened
def test_views_and_empty_batches_are_rotated_too(answer, seed):
    """Views of x and of the positions give what their copies give; no tokens give no tokens.

    Queries are views of one product, and a batch in decoding may have nothing to do.
    """
    places = torch.randint(5001, (24,), generator=cases.generator(seed))
    for dtype in each(TYPES):
        base = cases.normal(seed, 24, 24).to(dtype)
        for x in (base.t(), base[:, 8:16], base[::2, ::3], base[::2]):
            right(answer, x, places[:: 24 // len(x)])
        expect.like(answer.rotary(base[:0], places[:0]), base[:0])
