"""What `tf_to_bf16` and `tf_accumulate` must do, one claim a check."""

import numpy as np

from halfbits import formats
from halfbits.course.checks import calls, cases, expect, hardened, task
from halfbits.course.checks.cases import each

again = calls.Calls("tf_to_bf16", lambda seed: (tensor(normal(seed, 9)),))
sum_again = calls.Calls("tf_accumulate", lambda seed: products(seed))
NARROW = cases.named("float16", "bfloat16")


def normal(seed, *shape):
    """Standard normal float32 numbers as an array."""
    return cases.normal(seed, *shape).numpy()


def tensor(x):
    """The array as a tensor."""
    import tensorflow as tf

    return tf.constant(x)


def products(seed):
    """The arguments for a sum of nine products."""
    import tensorflow as tf

    return tensor(normal(seed, 9)), tensor(normal(seed + 1, 9)), tf.bfloat16, 4


def coded(answer, x):
    """The answer's bits as whole numbers, once dtype and shape are right."""
    got = answer.tf_to_bf16(tensor(x))
    expect.array(got, "uint16", np.shape(x))
    return got.numpy().astype(int)


def rounds(answer, x):
    """Each number has the bits of the nearest bfloat16."""
    x = np.asarray(x, np.float32)
    want = np.array([int(formats.encode(float(v), "bf16")) for v in x.ravel()]).reshape(x.shape)
    expect.same(coded(answer, x).astype(float), want.astype(float), of="bits")


def wanted(a, b, narrow, every):
    """The rule of the specification in numpy, step by step, in float32."""
    import tensorflow as tf

    low = tf.as_dtype(narrow).as_numpy_dtype
    total, partial = np.float32(0), np.float32(0)
    for number, product in enumerate(a * b, 1):
        partial = (partial + product).astype(low).astype(np.float32)
        if number % every == 0 or number == len(a):
            total, partial = total + partial, np.float32(0)
    return total


def summed(answer, a, b, narrow, every):
    """The answer's total, once it is a float32 number."""
    import tensorflow as tf

    got = answer.tf_accumulate(tensor(a), tensor(b), tf.as_dtype(narrow), every)
    expect.array(got, "float32", ())
    return got.numpy()


@task("tf_to_bf16")
def test_numbers_go_to_the_nearer_neighbor(answer, seed):
    """Numbers of any size have the bits of the nearest bfloat16, in the shape of x.

    The upper half of the float32 is the neighbor toward zero, off by up to a whole step.
    """
    for shape in ((200,), (6, 6), (3, 4, 5), (), (0,)):
        rounds(answer, normal(seed, *shape) * 10.0 ** (seed % 20 - 10))
    rounds(answer, [0.0, -0.0, 1.0, -2.0, np.inf, -np.inf])


@task("tf_to_bf16")
def test_ties_are_even_and_the_largest_becomes_infinite(answer, seed):
    """Exactly halfway the last bit becomes 0; what is past the largest bfloat16 is infinite.

    A full fraction carries into the exponent.
    """
    some = np.random.default_rng(seed)
    upper = some.integers(0x2000, 0x7F00, 100, dtype=np.uint32) << 16
    ends = np.array([0x7F7F8000, 0x3FFF8000, 0x3FFFFFFF], np.uint32)
    for sign in (0, 0x80000000):
        rounds(answer, (np.append(upper | 0x8000, ends) | np.uint32(sign)).view(np.float32))


@task("tf_to_bf16")
@hardened
def test_nan_stays_nan(answer):
    """Every NaN has the exponent all ones and a fraction that is not 0.

    Of 0x7f800001 the upper half is infinity, and rounded as a number 0x7fffffff is minus zero.
    """
    bits = np.array([0x7F800001, 0x7F80FFFF, 0x7FC00000, 0x7FFFFFFF], np.uint32)
    got = coded(answer, np.append(bits, bits | 0x80000000).astype(np.uint32).view(np.float32))
    right = (got & 0x7FFF) > 0x7F80
    shown = [f"{code:#06x}" for code in got.tolist()]
    expect.true(right.all(), expected="0x7f81 to 0x7fff, or with the sign", got=shown)


@task("tf_accumulate")
def test_sum_stops_growing_without_a_promotion(answer):
    """Equal numbers, added in one stretch, stop at 256 of them in bfloat16.

    Half the spacing there is one of them: the tie goes back to where it was.
    """
    ones = np.ones(300, np.float32)
    got = summed(answer, ones, ones * 4, "bfloat16", 300)
    expect.equal(got, np.float32(1024), of="300 products of 4, the sum")


@task("tf_accumulate")
def test_promotion_lets_the_total_grow(answer, seed):
    """With a promotion every 50 products all of them count, the last short stretch too.

    The partial sums stay small, and the total is never rounded to the narrow type.
    """
    ones = np.ones(301 + 2 * (seed % 8), np.float32)  # an odd number above 256 is no bfloat16
    expect.equal(summed(answer, ones, ones, "bfloat16", 50), np.float32(len(ones)))


@task("tf_accumulate")
def test_every_addition_is_rounded_in_order(answer, seed):
    """Random products give the sum of the rule, product after product, bit for bit.

    Another order, or a product rounded before it is added, gives other last bits.
    """
    for narrow in each(NARROW):
        for n, every in ((40, 1), (40, 8), (37, 16), (5, 64)):
            a, b = abs(normal(seed + n + every, n)), abs(normal(seed + every, n)) - np.float32(0.2)
            got = summed(answer, a, b, narrow, every)
            expect.equal(got, wanted(a, b, narrow, every), of=f"{n} products, {every} a stretch")
        # In float32 the first sum is a tie of the type, in float64 it is above one.
        tie = [{"float16": 2048, "bfloat16": 256}[narrow], 1 + 2**-23]
        # Partial sums of half a spacing of the total: lost after the large one, but not before.
        lost = [8192] + [2**-11] * 50
        for sums, every in ((tie, 2), (lost, 1), (lost[::-1], 1)):
            a = np.array(sums, np.float32)
            got = summed(answer, a, np.ones_like(a), narrow, every)
            expect.equal(got, wanted(a, 1, narrow, every), of=f"{len(a)} products of 1")


@task("tf_accumulate")
@hardened
def test_partial_sum_beyond_its_type_is_infinite(answer):
    """Products that reach 65,520 in one stretch are infinite in float16, and so is the total.

    In stretches of one they are not. A clamp to the largest number hides an overflow.
    """
    a, b = np.full(4, 20000, np.float32), np.ones(4, np.float32)
    for sign in each(cases.named(1.0, -1.0)):
        for every in (1, 2, 4, 9):
            got = summed(answer, np.float32(sign) * a, b, "float16", every)
            expect.equal(got, np.float32(sign * (80000 if every < 4 else np.inf)))
