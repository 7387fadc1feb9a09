"""What `smooth_norm` must do once it is mended, one claim a check."""

import torch

from halfbits.course.checks import cases, expect, hardened, layouts, quantizers, tolerance
from halfbits.course.checks.cases import each

TASK = "smooth_norm"
OFFSETS = {"a Llama": 0.0, "a Gemma": 1.0}
READERS = {"one reader": (6,), "q, k and v": (8, 4, 4), "wide ones": (3, 40), "square": (24,)}
WIDTH = 24
again = layouts.AnyLayout("smooth_norm", lambda seed: loud_norm(seed))


def norm(seed, offset, rows):
    """A stored weight, its readers and the channels' maxima; the gains reach from 0.1 to 60."""
    gain = 0.1 * 600 ** torch.rand(WIDTH, generator=cases.generator(seed))
    gain[seed % WIDTH] = 1.0  # stored as 0 in a Gemma
    readers = [cases.normal(seed + i, n, WIDTH) * 0.3 for i, n in enumerate(rows)]
    return gain - offset, readers, gain * (2 + cases.normal(seed + 9, WIDTH).abs())


def loud_norm(seed):
    """The arguments for a Gemma, in which other channels are loud for an odd seed."""
    weight, readers, amax = norm(seed, 1.0, (4, 3))
    return weight, 1.0, readers, amax


def smoothed(answer, weight, offset, readers, amax, *alpha):
    """The new weight and matrices, once their types and shapes are right."""
    got = answer.smooth_norm(weight, offset, readers, amax, *alpha)
    new, matrices = quantizers.several(got, "weight, readers")
    expect.array(new, torch.float32, weight.shape, of="weight")
    quantizers.several(matrices, ", ".join("w" for _ in readers))
    for after, before in zip(matrices, readers, strict=True):
        expect.array(after, torch.float32, before.shape, of="readers")
    return new.double(), [w.double() for w in matrices]


def test_float_model_stays_the_same(answer, seed):
    """The readers put out what they did, in a Gemma and a Llama: offset + weight is divided by s.

    A fold changes tensors, and must not change the function. What was right has to stay right.
    """
    for offset in each(OFFSETS):
        for rows in each(READERS):
            weight, readers, amax = norm(seed, offset, rows)
            new, matrices = smoothed(answer, weight, offset, readers, amax)
            gain, x = offset + weight.double(), cases.normal(seed + 50, 7, WIDTH).double()
            for after, before in zip(matrices, readers, strict=True):
                # The gain is divided, and stored as a difference: each rounds once, at its size.
                size = gain.abs() * before.abs() + offset * after.abs()
                room = 3 * tolerance.eps() * x.abs() @ size.T
                want = x * gain @ before.double().T
                expect.close(x * (offset + new) @ after.T, want, atol=room, of="the layer's output")


def test_channels_are_really_divided(answer, seed):
    """The gain offset + weight is the old one divided by s = amax ** alpha / wmax ** (1 - alpha).

    A model that is left as it is does not change either, and keeps its outliers.
    """
    for offset in each(OFFSETS):
        for alpha in ((), (0.25,), (0.8,)):
            weight, readers, amax = norm(seed, offset, (8, 4))
            power, wmax = (alpha or (0.5,))[0], torch.cat(readers).abs().amax(0).double()
            s = amax.double() ** power / wmax ** (1 - power)
            new, matrices = smoothed(answer, weight, offset, readers, amax, *alpha)
            # Two powers of numbers up to 1000, by exp and log: some ten roundings each.
            gain, room = (offset + weight.double()) / s, 32 * tolerance.eps()
            expect.close(offset + new, gain, atol=room * (gain + offset), of="gain by weight")
            for after, before in zip(matrices, readers, strict=True):
                expect.close(after, before * s, atol=room * (before * s).abs(), of="readers")


@hardened
def test_gains_of_zero_and_below_are_divided_too(answer, seed):
    """A channel that is turned off stays so, a gain below 0 keeps its sign, 1e-12 has its factor.

    Pruned norms have gains of 0, which a Gemma stores as -1.
    """
    for offset in each(OFFSETS):
        weight, readers, amax = norm(seed, offset, (8, 4))
        weight[seed % 12], weight[12 + seed % 12] = -offset, -3.0 - offset
        amax[(seed + 5) % 12] = 1e-12  # a floor under a factor changes it
        wmax = torch.cat(readers).abs().amax(0).double()
        new, _ = smoothed(answer, weight, offset, readers, amax)
        gain = (offset + weight.double()) / (amax.double() / wmax).sqrt()
        room = 32 * tolerance.eps() * (gain.abs() + offset)
        expect.close(offset + new, gain, atol=room, of="gain by weight")
