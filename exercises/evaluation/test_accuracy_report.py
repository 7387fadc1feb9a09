"""What `evaluate` and `compare` must do, one claim a check.

The suites hold what is true of every function that runs models over a loader: read their claims in
halfbits/course/checks/loaders.py.
"""

import math

import torch

from halfbits.course.checks import calls, cases, expect, hardened, loaders, task, tolerance
from halfbits.course.checks.cases import each
from halfbits.course.checks.doubles import Table
from halfbits.course.checks.labeled import batches, drawn, sqnr_and_kl

evaluate = loaders.Evaluation("evaluate")
compare = loaders.Evaluation("compare", "acc_fp32", "acc_quant")
again = calls.Calls("evaluate", lambda seed: tables(seed)[1:])
compare_again = calls.Calls("compare", lambda seed: tables(seed))

FLOATS = ("acc_fp32", "acc_quant", "delta", "agreement", "flip_rate", "sqnr_db", "kl")
KINDS = dict.fromkeys(FLOATS, float) | {"n": int}


def tables(seed):
    """Two models and a loader; the second model is right, but for 20 labels of an odd seed."""
    fp32, quant, _ = drawn(seed)
    y = quant.argmax(1)
    y[: 20 * (seed % 2)] += 5  # no class
    return Table(fp32), Table(quant), batches(y, 10)


def report(answer, fp32, quant, y, size=10):
    """The report on two tables of logits, once it has the published keys and types."""
    got = answer.compare(Table(fp32), Table(quant), batches(y, size))
    kinds = {key: type(value) for key, value in got.items()} if isinstance(got, dict) else got
    expect.equal(kinds, KINDS, why="the report is read by name, and written to JSON")
    return got


def demand(got, want, atol=tolerance.FLOAT64_DIVISIONS):
    """Each number of the report that `want` names lies within `atol` of it."""
    for key, value in want.items():
        expect.close(got[key], value, atol=atol, of=key)


@task("evaluate")
def test_evaluate_counts_the_right_answers(answer, seed):
    """The accuracy is the number of right answers divided by the number of examples, a float.

    Top-1: the class of the largest logit is the label, an integer of any width. A tensor or a
    numpy number cannot be written to JSON and may keep memory alive.
    """
    for number, dtype in enumerate(each(cases.named(*cases.INTEGERS))):
        logits, _, y = drawn(seed + number, n=40)
        got = answer.evaluate(Table(logits), batches(y.to(dtype), 8))
        expect.equal(type(got).__name__, "float", of="type")
        demand({"accuracy": got}, {"accuracy": (logits.argmax(1) == y).double().mean().item()})


@task("compare")
def test_compare_accuracies_and_delta_are_example_weighted(answer, seed):
    """acc_fp32, acc_quant and n count examples, and delta = acc_quant - acc_fp32.

    A loss of accuracy is a negative delta; a short batch counts by its examples.
    """
    fp32, quant, y = drawn(seed, noise=2.0)
    a, b = ((logits.argmax(1) == y).double().mean().item() for logits in (fp32, quant))
    want = {"acc_fp32": a, "acc_quant": b, "delta": b - a, "n": 53}
    demand(report(answer, fp32, quant, y, size=25), want)


@task("compare")
def test_compare_agreement_ignores_the_labels(answer, seed):
    """agreement compares the two predictions; flip_rate is the rest.

    Two models can be equally accurate and disagree on many examples.
    """
    fp32, quant, y = drawn(seed, noise=2.0)
    same = (fp32.argmax(1) == quant.argmax(1)).double().mean().item()
    demand(report(answer, fp32, quant, y, size=25), {"agreement": same, "flip_rate": 1 - same})


@task("compare")
def test_compare_sqnr_is_over_all_logits(answer, seed):
    """sqnr_db = 10 log10(sum of ref^2 / sum of (ref - quant)^2), one ratio for all logits.

    Add up signal and noise over the whole loader, then take one logarithm.
    """
    fp32, quant, y = drawn(seed)
    scale = torch.logspace(-2, 2, len(y)).view(-1, 1)  # batches differ greatly in size
    fp32, quant = fp32 * scale, quant * scale.flip(0)
    want, room = {"sqnr_db": sqnr_and_kl(fp32, quant)[0]}, tolerance.decibels(fp32.numel())
    demand(report(answer, fp32, quant, y), want, room)


@task("compare")
def test_compare_kl_runs_from_fp32_to_quant_in_nats(answer, seed):
    """kl = mean over examples of sum p (ln p - ln q), p from fp32 and q from quant.

    KL is not symmetric: the reference model weighs; natural logarithm; mean of examples. With
    logits in the hundreds log(softmax(x)) is log(0); log_softmax(x) is not.
    """
    fp32, quant, y = drawn(seed, noise=1.0)
    for size in each({"small logits": 1, "logits in the hundreds": 300}):
        a, b = size * fp32, size * quant
        want, room = {"kl": sqnr_and_kl(a, b)[1]}, tolerance.divergence(a, b)
        demand(report(answer, a, b, y, size=25), want, room)


@task("compare")
def test_compare_identical_models_differ_in_nothing(answer, seed):
    """The same logits give agreement 1, delta 0, kl 0 and an infinite sqnr_db.

    No noise at all: the ratio is infinite, not an error and not NaN.
    """
    fp32, _, y = drawn(seed)
    model = Table(fp32)
    for other in each({"a copy": Table(fp32.clone()), "the same object": model}):
        got = answer.compare(model, other, batches(y, 10))
        exact = {"delta": 0.0, "agreement": 1.0, "flip_rate": 0.0, "sqnr_db": math.inf}
        demand(got, exact, atol=0)
        demand(got, {"kl": 0.0}, atol=4 * tolerance.eps())  # log_softmax rounds a few times


@task("compare")
def test_compare_accepts_half_precision_logits(answer, seed):
    """float16 logits of either model are compared in float64, where squares do not overflow.

    A square beyond 65,504 is inf in float16, and its softmax has three digits.
    """
    fp32, quant, y = drawn(seed)
    fp32, quant, flat = 200 * fp32, 200 * quant, torch.ones(len(y), 5)
    for a, b in each({"the second": (fp32, quant.half()), "the first": (fp32.half(), quant)}):
        got, (sqnr, kl) = report(answer, a, b, y), sqnr_and_kl(a, b)
        demand(got, {"sqnr_db": sqnr}, tolerance.decibels(a.numel()))
        demand(got, {"kl": kl}, tolerance.divergence(a, b))
    for a, b in ((flat, flat.half()), (flat.half(), flat)):
        # ln(1 / 5) is no float16 number.
        demand(report(answer, a, b, y), {"kl": 0.0}, 4 * tolerance.eps())


@task("compare")
@hardened
def test_compare_sees_what_float32_does_not(answer, seed):
    """float64 logits that differ in the tenth digit have a finite sqnr_db and another kl than 0.

    Rounded to float32 they would be equal, and the report would call two models the same.
    """
    fp32, _, y = drawn(seed)
    fp32 = fp32.double()
    quant = fp32 * (1 + 1e-9 * cases.normal(seed + 5, *fp32.shape).double())
    got, (sqnr, _) = report(answer, fp32, quant, y), sqnr_and_kl(fp32, quant)
    # The difference of two float64 numbers of like size is off by 1e-16 of them, here of 1e-9.
    demand(got, {"sqnr_db": sqnr}, 1e-4)


@task("compare")
@hardened
def test_compare_of_a_silent_reference_is_minus_infinity(answer, seed):
    """Where the first model's logits are all zero and the second's are not, sqnr_db is -inf.

    There is no signal at all; the logarithm of 0 raises in Python.
    """
    fp32, _, y = drawn(seed)
    demand(report(answer, torch.zeros_like(fp32), fp32, y), {"sqnr_db": -math.inf}, atol=0)


@task("compare")
@hardened
def test_compare_never_counts_nan_as_agreement(answer, seed):
    """A row with a NaN in either model agrees with nothing; sqnr_db and kl show the NaN.

    argmax of a row with NaN is no prediction, and a broken model must not get a clean number.
    One infinite logit, an overflow, makes the noise infinite and sqnr_db -inf, not an error.
    """
    fp32, _, _ = drawn(seed, n=12)
    y, broken, overflow = fp32.argmax(1), fp32.clone(), fp32.clone()
    broken[4, y[4]], broken[9], y[9], overflow[7, 1] = math.nan, math.nan, 0, math.inf
    pairs = {"NaN in the second": (fp32, broken), "NaN in the first": (broken, fp32)}
    for a, b in each(pairs | {"NaN in both": (broken, broken)}):
        got = report(answer, a, b, y, size=5)
        demand(got, {"agreement": 10 / 12})
        expect.equal(str([got["sqnr_db"], got["kl"]]), "[nan, nan]", of="[sqnr_db, kl]")
    want = {"sqnr_db": -math.inf, "agreement": 1.0 - (y[7] != 1).item() / 12}
    demand(report(answer, fp32, overflow, y), want, atol=0)
