"""What `allocate_bits` must do, one claim a check."""

import itertools
import random

from halfbits.course.checks import calls, expect, hardened

TASK = "allocate_bits"
again = calls.Calls("allocate_bits", lambda seed: two_layers(seed % 2))


def model(seed, layers, widths=(2, 3, 4, 8)):
    """Errors that fall with the width, and sizes that differ by up to 1000."""
    draw = random.Random(seed)
    errors = []
    for _ in range(layers):
        scale, fall = 10 ** draw.uniform(-2, 1), draw.uniform(2, 5)
        errors.append({bits: scale * fall**-bits * draw.uniform(0.8, 1.25) for bits in widths})
    return errors, [int(10 ** draw.uniform(2, 5)) for _ in range(layers)]


def two_layers(first):
    """Two layers and room for 8 bits in one of them: the first for 1, the second for 0."""
    loud, calm = {2: 1.0, 8: 0.0}, {2: 0.5, 8: 0.4}
    return ([loud, calm] if first else [calm, loud]), [10, 10], 100


def memory(widths, sizes):
    """Bits of all layers together."""
    return sum(width * size for width, size in zip(widths, sizes, strict=True))


def loss(errors, widths):
    """The sum of the errors."""
    return sum(layer[width] for layer, width in zip(errors, widths, strict=True))


def right(answer, errors, sizes, budget):
    """The widths fit, and no others that fit have a smaller error."""
    got = answer.allocate_bits(errors, sizes, budget)
    said = {"called": f"allocate_bits({errors}, {sizes}, {budget})"}
    form = isinstance(got, list) and len(got) == len(sizes)
    expect.true(form, expected=f"a list of {len(sizes)} widths", got=got, **said)
    known = all(width in layer for width, layer in zip(got, errors, strict=True))
    expect.true(known, expected="widths that the layers have", got=got, **said)
    used = memory(got, sizes)
    expect.true(
        used <= budget, expected=f"at most {budget} bits", got=f"{got}: {used} bits", **said
    )
    fitting = [w for w in itertools.product(*errors) if memory(w, sizes) <= budget]
    best = min(fitting, key=lambda widths: loss(errors, widths))
    least, found = loss(errors, best), loss(errors, got)
    expected = f"{list(best)}, with an error of {least:.6g}"
    near = found <= least * (1 + 1e-9)
    expect.true(near, expected=expected, got=f"{got}, with {found:.6g}", **said)


def test_errors_add_up_to_the_least(answer, seed):
    """For budgets from tight to ample, no other choice that fits has a smaller error.

    Rules such as "the most sensitive first" come close, and are not the best.
    """
    # A rule may be lucky on one model, hardly on all of them.
    for number, layers in enumerate((2, 4, 6, 5, 5, 5, 5, 5)):
        errors, sizes = model(seed + number, layers)
        for mean in (2.3, 3.1, 4.0, 5.5):
            right(answer, errors, sizes, int(mean * sum(sizes)))


def test_size_of_a_layer_counts(answer):
    """A small layer gets the bits although a large one has a larger error.

    The same memory takes more error off there.
    """
    errors = [{4: 0.5, 8: 0.1}, {4: 0.4, 8: 0.02}, {4: 0.3, 8: 0.02}]
    right(answer, errors, [1000, 10, 10], 4 * 1020 + 80)
    right(answer, errors, [10, 1000, 1000], 4 * 2010 + 40)


def test_budget_may_be_used_up(answer, seed):
    """A choice that takes exactly the budget fits; one bit less does not.

    The budget is a bound, not a goal.
    """
    errors, sizes = model(seed, 4)
    for widths in ((8, 8, 8, 8), (2, 2, 2, 2), (4, 2, 8, 3)):
        right(answer, errors, sizes, memory(widths, sizes))
    right(answer, errors, sizes, memory((8, 8, 8, 8), sizes) - 1)
    right(answer, errors, sizes, 100 * sum(sizes))


def test_layers_may_differ_in_their_widths(answer, seed):
    """One layer, a layer with a single width, and errors that do not fall are chosen right too.

    More bits are not always better in a measurement.
    """
    errors, sizes = model(seed, 3)
    right(answer, errors[:1], sizes[:1], 4 * sizes[0])
    mixed = [{16: 0.0}, {3: 0.2, 4: 0.25, 6: 0.01}, errors[2]]
    for mean in (9.0, 12.0, 16.0):
        right(answer, mixed, [500, 400, 300], int(mean * 1200))


def test_error_of_zero_is_the_least_there_is(answer, seed):
    """An error of 0 is a measured error: a sum of 0 is taken wherever it stands among the choices.

    A layer that loses nothing in 2 bits exists, and 0 is not "no error known".
    """
    _, sizes = model(seed, 3)
    for zero in (2, 3, 4, 8):
        layer = {bits: 0.0 if bits == zero else 1.0 + bits for bits in (2, 3, 4, 8)}
        right(answer, [layer, dict(reversed(layer.items())), {4: 0.0}], sizes, 8 * sum(sizes))


def test_budget_that_is_too_small_is_refused(answer, seed):
    """Where even the smallest widths do not fit, ValueError is raised.

    A model that does not fit must not be returned as if it did.
    """
    errors, sizes = model(seed, 4)
    smallest = memory((2, 2, 2, 2), sizes)
    expect.raises(ValueError, lambda: answer.allocate_bits(errors, sizes, smallest - 1))


@hardened
def test_large_models_are_counted_exactly(answer, seed):
    """Layers of a hundred billion weights and more are counted to the bit, fitting or not.

    float32 holds whole numbers up to 16,777,216, float64 up to 9,007,199,254,740,992.
    """
    errors, _ = model(seed, 3)
    sizes = [10**11 + 3, 10**15 + 7, 3 * 10**15 + 1 + seed % 5]
    for widths in ((8, 8, 8), (2, 4, 8), (3, 8, 4)):
        budget = memory(widths, sizes)
        for only in (budget, budget - 1):
            right(answer, [{w: 1 / w, 2: 9.0} for w in widths], sizes, only)
    expect.raises(ValueError, lambda: answer.allocate_bits(errors, sizes, 2 * sum(sizes) - 1))


@hardened
def test_width_that_ruins_a_layer_is_taken_last(answer, seed):
    """A width with an infinite error is taken where nothing else fits, and nowhere else.

    An output that overflows has an infinite divergence; it is a number like others.
    """
    errors, sizes = model(seed, 4)
    errors[seed % 4] |= {2: float("inf"), 3: float("inf")}
    for mean in (2.0, 2.6, 3.5, 5.0):
        right(answer, errors, sizes, int(mean * sum(sizes)))
