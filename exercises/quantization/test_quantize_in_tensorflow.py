"""What `tf_group_scales` and `tf_fake_quantize` must do, one claim a check."""

import numpy as np

from halfbits.course.checks import calls, cases, expect, hardened, quantizers, task, tolerance
from halfbits.course.checks.cases import each

again = calls.Calls("tf_group_scales", lambda seed: (tensor(normal(seed, 3, 8)), 4))
fake_again = calls.Calls("tf_fake_quantize", lambda seed: (tensor(normal(seed, 9)), 0.25, 4))
# Rows, columns, group size.
SIZES = ((8, 64, 16), (3, 12, 4), (5, 32, 32), (40, 6, 3), (16, 16, 4), (150, 260, 65))
SHAPES = {f"{m} x {n} in groups of {size}": (m, n, size) for m, n, size in SIZES}
# (scale, bits): the range ends at (2 ** (bits - 1) - 1) * scale.
SCALES = dict(zip(range(2, 9), (4.0, 0.25, 1.0, 2.0**-12, 1024.0, 0.125, 2.0**-6), strict=True))
RANGES = {f"{bits} bits, scale {scale:g}": (scale, bits) for bits, scale in SCALES.items()}


def normal(seed, *shape):
    """Standard normal float32 numbers as an array."""
    return cases.normal(seed, *shape).numpy()


def tensor(x):
    """The array as a tensor."""
    import tensorflow as tf

    return tf.constant(x)


def scaled(answer, w, size):
    """Codes and scales as float64 arrays, once their types are right and the scales usable."""
    codes, scale = quantizers.several(answer.tf_group_scales(tensor(w), size), "codes, scale")
    expect.array(codes, "int8", w.shape, of="codes")
    expect.array(scale, "float32", (len(w), w.shape[1] // size), of="scale")
    expect.positive(scale, of="scale")
    return codes.numpy().astype(float), scale.numpy().astype(float)


def right(answer, w, size):
    """Each group has the scale amax / 7, and codes within half a step."""
    codes, scale = scaled(answer, w, size)
    want = np.abs(w.astype(float).reshape(len(w), -1, size)).max(-1) / 7
    # One rounding of the quotient, one of a reciprocal 1 / 7; zeros have any scale.
    room = np.where(want == 0, np.inf, 2 * tolerance.eps() * want)
    expect.close(scale, want, atol=room, of="scale")
    steps = w / np.repeat(scale, size, axis=1)
    expect.at_most(abs(codes - steps), tolerance.half_step(7), "steps", of="largest error")


def rounded(answer, x, scale, bits, upstream=1.0, graph=False):
    """The result for x, and the gradient of x for this gradient of the result; as arrays."""
    import tensorflow as tf

    def run(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            result = answer.tf_fake_quantize(x, scale, bits)
        return result, tape.gradient(result, x, output_gradients=upstream * tf.ones_like(x))

    values, got = (tf.function(run, autograph=False) if graph else run)(tensor(x))
    expect.true(got is not None, expected="a gradient of x", got="None")
    return values.numpy(), got.numpy()


def end(scale, bits):
    """The largest value that the codes reach."""
    return (2 ** (bits - 1) - 1) * scale


@task("tf_group_scales")
def test_each_group_of_a_row_has_its_own_scale(answer, seed):
    """scale = amax / 7 over each group of neighboring columns, codes within half a step of it.

    Groups run along a row, and the scales stand in the order of the groups. Halves go to the even
    code: 0.5 and 2.5 times the scale to 0 and 2.
    """
    for rows, columns, size in each(SHAPES):
        right(answer, normal(seed, rows, columns) * 10.0 ** (seed % 3), size)
    for w, even in each(cases.halves(seed, top=7)):
        codes, _ = scaled(answer, np.tile(w.numpy(), 2), w.shape[1])
        expect.same(codes, np.tile(even.numpy(), 2).astype(float), of="codes")


@task("tf_group_scales")
def test_zero_group_gives_zeros(answer, seed):
    """A group of zeros has codes 0 and a finite scale above 0; the others are as ever.

    amax is 0 there, and 0 / 0 is NaN, which a cast makes to some code.
    """
    w = normal(seed, 4, 24)
    w[1, 8:16], w[3] = 0, 0
    right(answer, w, 8)


@task("tf_fake_quantize")
def test_forward_rounds_and_clamps(answer, seed):
    """Values are the nearest multiples of the scale, half to even, and end at top * scale.

    The network must see what it will see after quantization, whatever the shape of x.
    """
    for scale, bits in each(RANGES):
        halves = (np.arange(-6, 7) / 2 * scale).astype(np.float32)
        drawn = [normal(seed, *shape) * 2 * end(scale, bits) for shape in ((6, 7), (2, 3, 4))]
        for x in (*drawn, halves, np.float32(0.8 * scale)):
            want = (np.round(x / scale) * scale).clip(-end(scale, bits), end(scale, bits))
            # x + (rounded - x) rounds twice, at the size of x.
            room = 2 * tolerance.eps() * (abs(want) + abs(x))
            got = answer.tf_fake_quantize(tensor(x), scale, bits)
            expect.close(got, np.asarray(want, np.float32), atol=room)


@task("tf_group_scales")
@hardened
def test_huge_weights_do_not_overflow(answer, seed):
    """Weights near the largest float32, 3.4e38, and near 1e-18 are scaled like any others.

    A product before the division is infinite, and a floor under the scales flattens what is small.
    """
    for power in each(cases.named(2.0**125, 2.0**-60)):
        right(answer, normal(seed, 4, 24).clip(-6, 6) * np.float32(power), 8)


@task("tf_fake_quantize")
@hardened
def test_infinities_end_at_the_last_code_and_nothing_is_a_shape(answer, seed):
    """An infinite x gives top * scale with its sign, and a gradient of 0; an empty x an empty one.

    x + (rounded - x) is infinity minus infinity, and an unused expert has no tokens.
    """
    for scale, bits in each(RANGES):
        # In steps; three thousand million are no int32.
        ends = np.array([np.inf, -np.inf, 3e9, -3e9, 1e20, 0.0], np.float32) * np.float32(scale)
        for x in (ends, ends[:0]):
            values, slope = rounded(answer, x, scale, bits)
            expect.same(values, x.clip(-end(scale, bits), end(scale, bits)), of="values")
            expect.same(slope, (x == 0).astype(np.float32), of="gradient of x")


@task("tf_fake_quantize")
def test_gradient_passes_inside_and_is_zero_outside(answer, seed):
    """Inside the range the gradient is that of the result, from half a step beyond it on 0.

    The rounding itself has none; far outside the result does not depend on x.
    """
    for scale, bits in each(RANGES):
        inside = np.arange(60).reshape(20, 3) % (3 + seed % 4) > 0
        size = np.where(inside, 0.9 * end(scale, bits), 4 * end(scale, bits) + scale)
        x = (size * np.sign(normal(seed, 20, 3))).astype(np.float32)
        upstream = normal(seed + 1, 20, 3)
        _, slope = rounded(answer, x, scale, bits, upstream)
        expect.same(slope, np.where(inside, upstream, np.float32(0)), of="gradient of x")


@task("tf_group_scales")
def test_groups_run_inside_a_tf_function(answer, seed):
    """Traced into a graph, the codes and scales are the same.

    Nothing has a value while a graph is made: neither numpy() nor an `if` on a tensor works.
    """
    import tensorflow as tf

    w = normal(seed, 3, 16)
    traced = tf.function(lambda w: tuple(answer.tf_group_scales(w, 4)), autograph=False)
    codes, scale = traced(tensor(w))
    want = scaled(answer, w, 4)
    expect.same(codes.numpy().astype(float), want[0], of="codes")
    expect.close(scale, want[1], atol=2 * tolerance.eps() * want[1], check_dtype=False, of="scale")


@task("tf_fake_quantize")
def test_rounding_runs_inside_a_tf_function(answer, seed):
    """Traced into a graph, values and gradients are the same.

    A training step is a tf.function, also in Keras.
    """
    x = np.array([-40.0, -0.6, 0.3, 1.3, 40.0], np.float32)
    values, slope = rounded(answer, x, 0.5, 4, graph=True)
    expect.close(values, np.array([-3.5, -0.5, 0.5, 1.5, 3.5], np.float32), atol=1e-5, of="values")
    expect.same(slope, np.array([0, 1, 1, 1, 0], np.float32), of="gradient of x")
