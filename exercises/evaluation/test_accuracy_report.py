"""What `evaluate` and `compare` must do, one claim a check.

The suites hold what is true of every function that runs models over a loader, and of every report
on broken or equal models: read their claims in halfbits/course/checks/, loaders.py and
comparison.py.
"""

import torch

from halfbits.course.checks import calls, cases, comparison, expect, loaders, task, tolerance
from halfbits.course.checks.cases import each
from halfbits.course.checks.doubles import Table
from halfbits.course.checks.labeled import batches, drawn, sqnr_and_kl

evaluate = loaders.Evaluation("evaluate")
compare = comparison.Comparison("compare", "acc_fp32", "acc_quant")
again = calls.Calls("evaluate", lambda seed: tables(seed)[1:])
compare_again = calls.Calls("compare", lambda seed: tables(seed))


def tables(seed):
    """Two models and a loader; the second model is right, but for 20 labels of an odd seed."""
    fp32, quant, _ = drawn(seed)
    y = quant.argmax(1)
    y[: 20 * (seed % 2)] += 5  # no class
    return Table(fp32), Table(quant), batches(y, 10)


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
        comparison.demand(
            {"accuracy": got}, {"accuracy": (logits.argmax(1) == y).double().mean().item()}
        )


@task("compare")
def test_compare_accuracies_and_delta_are_example_weighted(answer, seed):
    """acc_fp32, acc_quant and n count examples, and delta = acc_quant - acc_fp32.

    A loss of accuracy is a negative delta; a short batch counts by its examples.
    """
    fp32, quant, y = drawn(seed, noise=2.0)
    a, b = ((logits.argmax(1) == y).double().mean().item() for logits in (fp32, quant))
    want = {"acc_fp32": a, "acc_quant": b, "delta": b - a, "n": 53}
    comparison.demand(compare.report(answer, fp32, quant, y, size=25), want)


@task("compare")
def test_compare_agreement_ignores_the_labels(answer, seed):
    """agreement compares the two predictions; flip_rate is the rest.

    Two models can be equally accurate and disagree on many examples.
    """
    fp32, quant, y = drawn(seed, noise=2.0)
    same = (fp32.argmax(1) == quant.argmax(1)).double().mean().item()
    comparison.demand(
        compare.report(answer, fp32, quant, y, size=25), {"agreement": same, "flip_rate": 1 - same}
    )


@task("compare")
def test_compare_sqnr_is_over_all_logits(answer, seed):
    """sqnr_db = 10 log10(sum of ref^2 / sum of (ref - quant)^2), one ratio for all logits.

    Add up signal and noise over the whole loader, then take one logarithm.
    """
    fp32, quant, y = drawn(seed)
    scale = torch.logspace(-2, 2, len(y)).view(-1, 1)  # batches differ greatly in size
    fp32, quant = fp32 * scale, quant * scale.flip(0)
    want, room = {"sqnr_db": sqnr_and_kl(fp32, quant)[0]}, tolerance.decibels(fp32.numel())
    comparison.demand(compare.report(answer, fp32, quant, y), want, room)


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
        comparison.demand(compare.report(answer, a, b, y, size=25), want, room)
