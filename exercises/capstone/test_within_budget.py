"""What a delivered model must keep to, one claim a check; the medals are its score."""

from halfbits.course.checks import context, decoding, expect, hardened, scored, task
from halfbits.course.checks.delivered import as_lossy_as_its_size, deliver, fits, hides_nothing
from halfbits.course.checks.whole_models import small_case, tiny_case

BUDGET = 3_000_000
# KL to the float32 model, over that of plain int4 rounding in groups of 64, on the same text.
BRONZE, SILVER, GOLD = 0.97, 0.83, 0.58
FARTHEST, SLOWEST = 2.0, 0.25
_TINY: dict[tuple, tuple | expect.CheckFailed] = {}


def tiny(answer, seed):
    """KL and speed of the tiny language model as delivered; it is written and judged once."""
    key = getattr(answer.write_model, "__wrapped__", answer.write_model), seed
    if key not in _TINY:
        try:
            _TINY[key] = judged(answer, tiny_case(seed, BUDGET))
        except expect.CheckFailed as error:
            _TINY[key] = error
    if isinstance(found := _TINY[key], expect.CheckFailed):
        raise found
    ratio, speed, context.NOW.score = found
    return ratio, speed


def judged(answer, case):
    """KL over that of plain rounding, the speed, and the score sheet."""
    (made,) = deliver(answer, case, audited=True)
    fits(made, case)
    lost, speed = case.divergence(made.model), decoding.speed(case, made.model)
    hides_nothing(made)
    ratio = lost.value / case.plain.value
    as_lossy_as_its_size(ratio)
    medals = {"gold": GOLD, "silver": SILVER, "bronze": BRONZE, "none": float("inf")}
    score = {
        "medal": next(name for name, most in medals.items() if ratio <= most),
        "ratio": ratio,
        "KL": lost.value,
        "standard error": lost.standard_error,
        "bytes": made.size,
        "budget": BUDGET,
        "speed": speed,
    }
    return ratio, speed, score


def medal(answer, seed, most):
    """The ratio is at most `most`."""
    ratio, _ = tiny(answer, seed)
    expected = f"a KL of at most {most} of what plain int4 rounding leaves"
    expect.true(ratio <= most, called="the tiny model", expected=expected, got=f"{ratio:.3f} of it")


@task("write_model")
def test_files_fit_the_budget(answer, seed):
    """All files together take at most the budget, and write_model returns their bytes at each call.

    Codes, scales, norms, embedding and the file's own header are stored, so all of them count.
    """
    cases = [small_case(seed), small_case(seed + 1)]
    for case, made in zip(cases, deliver(answer, *cases), strict=True):
        fits(made, case)


@task("read_model")
def test_model_comes_from_its_files(answer, seed):
    """Two models are written, wiped and moved, then each is read back and predicts as it did.

    A file that needs the program that wrote it, its memory or its place is no model.
    """
    cases = [small_case(seed), small_case(seed + 1)]
    for case, made in zip(cases, deliver(answer, *cases), strict=True):
        ratio = case.divergence(made.model).value / case.plain.value
        most = f"a KL of at most {FARTHEST:g} times what plain int4 rounding leaves"
        got = f"{ratio:.3g} times"
        expect.true(ratio <= FARTHEST, called="the model read back", expected=most, got=got)


@task("write_model")
def test_no_float_weights_are_hidden(answer, seed):
    """Nothing outlives write_model but its files, and they are not better than their size allows.

    A quantized model that needs its float weights saves nothing.
    """
    case = small_case(seed)
    (made,) = deliver(answer, case, audited=True)
    ratio = case.divergence(made.model).value / case.plain.value
    hides_nothing(made)
    as_lossy_as_its_size(ratio)


@task("read_model")
def test_decodes_with_a_cache(answer, seed):
    """Token by token the logits are those of one call.

    Both are sums in float32, in another order; a cache that is ignored gives other numbers.
    """
    case = small_case(seed)
    (made,) = deliver(answer, case)
    apart = decoding.cache_error(case, made.model)
    expected, got = "the logits of one call, to 0.001 of their size", f"{apart:.2g} apart"
    expect.true(apart <= 1e-3, called="decoding token by token", expected=expected, got=got)


@scored
@task("read_model")
def test_decodes_in_time(answer, seed):
    """The tiny model decodes at least a quarter as fast as float32, in the same run.

    Weights that are unpacked anew for each token cost more than their bytes save.
    """
    _, speed = tiny(answer, seed)
    expected = f"at least {SLOWEST} of the speed of float32, in the same run"
    expect.true(speed >= SLOWEST, called="decoding", expected=expected, got=f"{speed:.2f} of it")


@scored
@task("write_model")
def test_bronze(answer, seed):
    """On a text that the answer never sees, the KL is below that of plain int4 rounding.

    The simplest method is the mark to beat.
    """
    medal(answer, seed, BRONZE)


@scored
@hardened
@task("write_model")
def test_silver(answer, seed):
    """The KL is at most 0.83 of what plain int4 rounding leaves.

    Rounding that looks at the data, or bytes where they count, gets there.
    """
    medal(answer, seed, SILVER)


@scored
@hardened
@task("write_model")
def test_gold(answer, seed):
    """The KL is at most 0.58 of what plain int4 rounding leaves.

    That takes both.
    """
    medal(answer, seed, GOLD)
