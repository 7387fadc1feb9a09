"""What `calibrate`, `quantize_static` and `quantize_dynamic` must do, one claim a check."""

import torch

from halfbits.course.checks import cases, expect, hardened, layouts, quantizers, task, tolerance
from halfbits.course.checks.cases import each

SHAPES = {"a matrix": (12, 20), "a vector": (30,), "three axes": (2, 3, 7), "one number": (1,)}
SHAPES |= {"a scalar": (), "one column": (9, 1), "square": (7, 7), "large": (150, 260)}
calibrate_again = layouts.AnyLayout("calibrate", lambda seed: (batches(seed, 1 + seed % 2, 0.5),))
static_again = layouts.AnyLayout(
    "quantize_static", lambda seed: (cases.normal(seed, 4, 9), torch.tensor(0.1))
)
dynamic_again = layouts.AnyLayout("quantize_dynamic", lambda seed: (cases.sized(seed, 4, 9),))


def batches(seed, *sizes):
    """One batch for each size, which is its largest magnitude; shapes differ."""
    several = zip(SHAPES.values(), sizes, strict=False)
    drawn = [(cases.normal(seed + i, *shape), size) for i, (shape, size) in enumerate(several)]
    return [x / x.abs().max() * size for x, size in drawn]


def calibrated(answer, data):
    """The scale, once it is that of the largest magnitude."""
    got = answer.calibrate(data)
    want = max(float(x.abs().max()) for x in data) / 127
    # One rounding of the quotient, one of a reciprocal 1 / 127.
    expect.close(got, torch.tensor(want), atol=tolerance.eps() * want)


def coded(codes, x, scale):
    """The codes are within half a step of x / scale, or the last one of their side."""
    expect.array(codes, torch.int8, x.shape, of="codes")
    steps = (x.double() / scale.double()).clamp(-127, 127)
    limit = tolerance.half_step(127, roundings=4)
    expect.at_most((codes - steps).abs(), limit, "steps", of="largest error of the codes")


def dynamic(answer, x):
    """The codes and the scale of the input, once they belong together."""
    codes, scale = quantizers.several(answer.quantize_dynamic(x), "codes, scale")
    expect.array(scale, torch.float32, (), of="scale")
    coded(codes, x, scale)
    return codes, scale


@task("calibrate")
def test_range_holds_all_batches(answer, seed):
    """The scale is the largest magnitude over 127, wherever among the batches it is.

    First, in the middle, last, of any shape, positive or negative, beside a batch of zeros.
    """
    for sizes in ((3.0, 1.0, 2.0), (1.0, 50.0, 2.0), (0.1, 0.2, 0.4, 0.3), (7.0,)):
        calibrated(answer, batches(seed, *sizes))
        calibrated(answer, [-x.abs() for x in batches(seed, *sizes)])
    for size in (1e-9, 1e9):
        calibrated(answer, batches(seed, size, size / 2))
    ones = batches(seed, *[1.0] * len(SHAPES))
    for place in range(len(SHAPES)):
        for factor in (0, 2):
            calibrated(answer, [x * (factor if i == place else 1) for i, x in enumerate(ones)])


@task("calibrate")
def test_zeros_alone_give_a_scale_of_one(answer):
    """Where all batches hold zeros the scale is 1, which divides without a NaN.

    Dead layers exist.
    """
    expect.same(answer.calibrate([torch.zeros(3, 4), torch.zeros(5)]), torch.tensor(1.0))


@task("quantize_static")
def test_static_scale_is_used_as_it_is(answer, seed):
    """x is divided by the scale that was passed, however small or large x is.

    A scale that follows x is a dynamic one, and the layer after it counts on the other.
    """
    for shape in each(SHAPES):
        for size in (0.01, 0.5, 1.0):
            x, scale = cases.normal(seed, *shape).clamp(-4, 4) * size, torch.tensor(4 / 127)
            coded(answer.quantize_static(x, scale), x, scale)
            for power in (2.0**-40, 2.0**40):
                coded(answer.quantize_static(x * power, scale * power), x, scale)


@task("quantize_static")
def test_static_range_is_clipped_on_both_sides(answer, seed):
    """Numbers beyond the range get 127 or -127, those far beyond too.

    A cast to int8 wraps round: 130 becomes -126, and the largest number has the wrong sign.
    """
    for shape in each(SHAPES):
        for size in (2.0, 10.0, 3000.0):
            x, scale = cases.normal(seed, *shape) * size, torch.tensor(1 / 127)
            coded(answer.quantize_static(x, scale), x, scale)


@task("quantize_dynamic")
def test_dynamic_scale_is_that_of_the_input(answer, seed):
    """The scale is the input's largest magnitude over 127, and its number gets a last code.

    An input that came before has no influence.
    """
    for shape in each(SHAPES):
        for size in (1000.0, 0.01, 3.0, 1e-9):
            x = cases.normal(seed, *shape) * size
            (codes, scale), want = dynamic(answer, x), x.double().abs().max() / 127
            expect.close(scale.double(), want, atol=tolerance.eps() * float(want), of="scale")
            expect.equal(int(codes.abs().max()), 127, of="largest code")


@task("quantize_dynamic")
def test_dynamic_zeros_are_no_nan(answer):
    """An input of zeros has codes 0 and a scale of 1.

    0 / 0 is NaN, and the cast of a NaN is anything.
    """
    codes, scale = dynamic(answer, torch.zeros(3, 5))
    expect.same(codes, torch.zeros(3, 5, dtype=torch.int8), of="codes")
    expect.same(scale, torch.tensor(1.0), of="scale")


@hardened
@task("quantize_static")
def test_ends_of_float32_are_clipped_too(answer):
    """Infinities and numbers of 1e38 get the last code on their side.

    x / scale is infinite there, and a cast to an integer before the clip may be anything.
    """
    ends = torch.tensor([float("inf"), -float("inf"), 3e38, -3e38, 3e9, -3e9, 0.0])
    for scale in each(cases.named(2.0**-10, 1.0)):
        codes = answer.quantize_static(ends, torch.tensor(scale))
        expect.same(codes, torch.tensor([127, -127, 127, -127, 127, -127, 0]).to(torch.int8))
