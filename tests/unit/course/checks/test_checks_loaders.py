"""Each claim on functions that read a loader accepts a right one and rejects its mistake."""

from __future__ import annotations

import pytest
from suites import answer_of, claims, verdict

from halfbits.course.checks.loaders import Evaluation

ONE = Evaluation("evaluate")
TWO = Evaluation("compare", "first", "second")
SOURCE = """
import torch
def run(models, loader):
    flags = [(m, m.training) for model in models for m in model.modules()]
    n, right = 0, [0] * len(models)
    try:
        for model in models:
            model.eval()
        with torch.no_grad():
            for x, y in loader:
                n += len(y)
                for i, model in enumerate(models):
                    logits = model(x)
                    best = logits.argmax(1).masked_fill(logits.isnan().any(1), -1)
                    right[i] += int((best == y).sum())
    finally:
        for m, flag in flags:
            m.training = flag
    return [r / n if n else 0.0 for r in right]
def evaluate(model, loader):
    return run([model], loader)[0]
def compare(a, b, loader):
    return dict(zip(("first", "second"), run([a, b], loader)))
"""
RESTORE = "for m, flag in flags:\n            m.training = flag"
WRONG = {
    "test_weights_examples_not_batches": [("n += len(y)", "n += 25")],
    "test_of_nothing_is_zero": [("r / n if n else 0.0", "r / n"), ("else 0.0", "else 0")],
    "test_reads_a_shuffling_loader_once": [
        ("in loader:", "in [*loader, *loader]:"),
        ("n += len(y)", "n += len(y) if len(loader) else 0"),
        ("for x, y in loader:", "for x, y in list(loader)[:-1] or loader:"),
    ],
    "test_runs_in_eval_mode_without_a_graph": [
        ("model.eval()", "pass"),
        (
            "for model in models:\n            model.eval()",
            "models[-1].eval(); models[0].train()",
        ),
        ("torch.no_grad()", "torch.enable_grad()"),
    ],
    "test_puts_every_training_flag_back": [
        (RESTORE, "pass"),
        (RESTORE, "for model in models: model.train()"),
        ("finally:", "except OSError: pass\n    else:"),
        ("finally:", "except Exception: pass\n    else:"),
        ("finally:", f"except Exception:\n        {RESTORE}\n        raise\n    else:"),
    ],
    "test_takes_each_batch_as_it_comes": [("in loader:", "in list(loader):")],
    "test_reads_batches_that_are_views": [
        ("best == y)", "best == y.as_strided(y.shape, (1,)))"),
        ("logits = model(x)", "logits = model(x.as_strided(x.shape, (1, 1)))"),
        ("logits = model(x)", "logits = model(x); y[:1] = 0"),
    ],
    "test_compares_labels_as_they_are": [("best == y", "best == y.to(torch.uint8)")],
    "test_takes_an_infinite_logit_for_a_prediction": [
        ("logits.isnan()", "(~logits.isfinite())"),
        ("logits.argmax(1)", "logits.nan_to_num(posinf=0.0).argmax(1)"),
    ],
    "test_never_counts_nan_as_right": [(".masked_fill(logits.isnan().any(1), -1)", "")],
    "test_leaves_models_and_inputs_untouched": [
        ("logits = model(x)", "logits = model(x.mul_(2))"),
        ("model.eval()", "[b.zero_() for b in model.buffers()]; model.eval()"),
    ],
}


@pytest.mark.parametrize("claim", claims(ONE))
@pytest.mark.parametrize("suite", [ONE, TWO], ids=["one model", "two models"])
def test_an_evaluation_is_judged_by_each_claim(suite: Evaluation, claim: str) -> None:
    assert verdict(suite, claim, answer_of(SOURCE)) == ""
    for swaps in WRONG[claim]:
        assert verdict(suite, claim, answer_of(SOURCE, *swaps)), swaps
