"""Wrong and right answers to evaluation/accuracy_report: each wrong one is one misconception."""

from halfbits.course.authoring.contract import RightAnswer, WrongAnswer

# A correct comparison with places to change; a wrong answer below replaces a part of it.
COMPARE = """
import math
import torch
from torch.nn import functional as F


def compare(fp32, quant, loader):
    n = right_fp32 = right_quant = same = 0
    signal = noise = kl = 0.0
    modules = [*fp32.modules(), *quant.modules()]
    flags = [m.training for m in modules]
    try:
        fp32.eval()
        quant.eval()
        with torch.no_grad():
            for x, y in loader:
                a, b = fp32(x).double(), quant(x).double()
                p, q = a.argmax(1), b.argmax(1)
                ok_a, ok_b = ~a.isnan().any(1), ~b.isnan().any(1)
                n += len(y)
                right_fp32 += ((p == y) & ok_a).sum().item()
                right_quant += ((q == y) & ok_b).sum().item()
                same += ((p == q) & ok_a & ok_b).sum().item()
                signal += (a**2).sum().item()
                noise += ((a - b) ** 2).sum().item()
                log_p, log_q = F.log_softmax(a, 1), F.log_softmax(b, 1)
                kl += (log_p.exp() * (log_p - log_q)).sum().item()
    finally:
        for m, flag in zip(modules, flags):
            m.training = flag
    count = max(n, 1)
    ratio = math.inf if noise == 0 else signal / noise
    sqnr = -math.inf if ratio == 0 else 10 * math.log10(ratio)
    return {
        "acc_fp32": right_fp32 / count,
        "acc_quant": right_quant / count,
        "delta": (right_quant - right_fp32) / count,
        "agreement": same / count,
        "flip_rate": 1 - same / count,
        "sqnr_db": sqnr,
        "kl": kl / count,
        "n": n,
    }
"""

EVALUATE = """
import torch


def evaluate(model, loader):
    modules = list(model.modules())
    flags = [m.training for m in modules]
    right = n = 0
    try:
        model.eval()
        with torch.no_grad():
            for x, y in loader:
                logits = model(x)
                hits = (logits.argmax(1) == y) & ~logits.isnan().any(1)
                right += hits.sum().item()
                n += len(y)
    finally:
        for m, flag in zip(modules, flags):
            m.training = flag
    return right / n if n else 0.0
"""


def compare(*changes: tuple[str, str]) -> str:
    """The correct comparison with each `old`, which must occur once, replaced by `new`."""
    return _changed(COMPARE, changes)


def evaluate(*changes: tuple[str, str]) -> str:
    """The correct evaluation with each `old`, which must occur once, replaced by `new`."""
    return _changed(EVALUATE, changes)


def _changed(code: str, changes: tuple[tuple[str, str], ...]) -> str:
    for old, new in changes:
        assert code.count(old) == 1, old
        code = code.replace(old, new)
    return code


WRONG = [
    WrongAnswer(
        "evaluate: the mean of the batches' means",
        evaluate(
            ("right += hits.sum().item()", "right += hits.double().mean().item() if len(y) else 0"),
            ("n += len(y)", "n += 1"),
        ),
        rejected_by="test_evaluate_weights_examples_not_batches",
        says="too much weight",
    ),
    WrongAnswer(
        "evaluate: divides by zero for an empty loader",
        evaluate(("return right / n if n else 0.0", "return right / n")),
        rejected_by="test_evaluate_of_nothing_is_zero",
        says="raised ZeroDivisionError",
    ),
    WrongAnswer(
        "evaluate: returns a tensor",
        evaluate((".item()", ""), ("return right / n", "return torch.as_tensor(right / n)")),
        rejected_by="test_evaluate_returns_a_python_float",
        says="Tensor",
    ),
    WrongAnswer(
        "evaluate: a second pass to count the examples",
        evaluate(
            ("                n += len(y)\n", ""),
            ("    finally:", "            n = sum(len(y) for _, y in loader)\n    finally:"),
        ),
        rejected_by="test_evaluate_reads_the_loader_once",
        says="a generator",
    ),
    WrongAnswer(
        "evaluate: dropout stays on",
        evaluate(("        model.eval()\n", "")),
        rejected_by="test_evaluate_runs_in_eval_mode_without_a_graph",
        says="dropout",
    ),
    WrongAnswer(
        "evaluate: builds a graph",
        evaluate(("torch.no_grad()", "torch.enable_grad()")),
        rejected_by="test_evaluate_runs_in_eval_mode_without_a_graph",
        says="every activation",
    ),
    WrongAnswer(
        "evaluate: leaves the model in eval mode",
        evaluate(("m.training = flag", "pass")),
        rejected_by="test_evaluate_puts_every_training_flag_back",
        says="after a good run",
    ),
    WrongAnswer(
        "evaluate: model.train() at the end thaws the frozen layers",
        evaluate(("m.training = flag", "model.train(flags[0])")),
        rejected_by="test_evaluate_puts_every_training_flag_back",
        says="changed: 1",
    ),
    WrongAnswer(
        "evaluate: restores the flags only if nothing raises",
        evaluate(("    finally:\n", "    except ZeroDivisionError:\n        pass\n    else:\n")),
        rejected_by="test_evaluate_puts_every_training_flag_back",
        says="after the model raised",
    ),
    WrongAnswer(
        "evaluate: a NaN row counts as right where argmax finds it",
        evaluate((" & ~logits.isnan().any(1)", "")),
        rejected_by="test_evaluate_never_counts_nan_as_right",
        says="argmax treats NaN as the largest value",
    ),
    WrongAnswer(
        "evaluate: argmax over the batch instead of the classes",
        evaluate(("logits.argmax(1) == y", "logits.argmax(0)[y] == torch.arange(len(y))")),
        rejected_by="test_evaluate_counts_the_right_answers",
        says="the class of the largest logit",
    ),
    WrongAnswer(
        "evaluate: the accuracy of the lesson, whatever comes in",
        "def evaluate(model, loader):\n    return 0.8559\n",
        rejected_by="test_evaluate_counts_the_right_answers",
        says="0.8559",
    ),
    WrongAnswer(
        "compare: two passes, one for each model",
        """
import math
import torch
from torch.nn import functional as F


def compare(fp32, quant, loader):
    def run(model):
        flags = [(m, m.training) for m in model.modules()]
        try:
            model.eval()
            with torch.no_grad():
                pairs = [(model(x).double(), y) for x, y in loader]
        finally:
            for m, flag in flags:
                m.training = flag
        empty = torch.empty(0, 1, dtype=torch.float64), torch.empty(0, dtype=torch.int64)
        logits, labels = zip(*(pairs or [empty]))
        return torch.cat(logits), torch.cat(labels)

    (a, y), (b, z) = run(fp32), run(quant)
    n, count = min(len(a), len(b)), max(min(len(a), len(b)), 1)
    a, b, y, z = a[:n], b[:n], y[:n], z[:n]
    right = [(a.argmax(1) == y).sum().item() / count, (b.argmax(1) == z).sum().item() / count]
    same = (a.argmax(1) == b.argmax(1)).sum().item() / count
    signal, noise = (a**2).sum().item(), ((a - b) ** 2).sum().item()
    log_p, log_q = F.log_softmax(a, 1), F.log_softmax(b, 1)
    return {
        "acc_fp32": right[0],
        "acc_quant": right[1],
        "delta": right[1] - right[0],
        "agreement": same,
        "flip_rate": 1 - same,
        "sqnr_db": 10 * math.log10(signal / noise) if noise else math.inf,
        "kl": (log_p.exp() * (log_p - log_q)).sum().item() / count,
        "n": n,
    }
""",
        rejected_by="test_compare_reads_a_shuffling_loader_once",
        says="another order",
    ),
    WrongAnswer(
        "compare: KL from the quantized model's side",
        compare(("log_p.exp() * (log_p - log_q)", "log_q.exp() * (log_q - log_p)")),
        rejected_by="test_compare_kl_runs_from_fp32_to_quant_in_nats",
        says="KL is not symmetric",
    ),
    WrongAnswer(
        "compare: KL in bits",
        compare(('"kl": kl / count', '"kl": kl / count / math.log(2)')),
        rejected_by="test_compare_kl_runs_from_fp32_to_quant_in_nats",
        says="natural logarithm",
    ),
    WrongAnswer(
        "compare: KL averaged over classes as well (reduction='mean')",
        compare(
            (
                "(log_p.exp() * (log_p - log_q)).sum().item()",
                "F.kl_div(log_q, log_p, reduction='mean', log_target=True).item() * len(y)",
            )
        ),
        rejected_by="test_compare_kl_runs_from_fp32_to_quant_in_nats",
        says="mean of examples",
    ),
    WrongAnswer(
        "compare: log of softmax",
        compare(
            (
                "log_p, log_q = F.log_softmax(a, 1), F.log_softmax(b, 1)",
                "log_p, log_q = torch.softmax(a, 1).log(), torch.softmax(b, 1).log()",
            )
        ),
        rejected_by="test_compare_kl_survives_confident_models",
        says="log(softmax(x)) is log(0)",
    ),
    WrongAnswer(
        "compare: delta with the sign turned",
        compare(("(right_quant - right_fp32) / count", "(right_fp32 - right_quant) / count")),
        rejected_by="test_compare_accuracies_and_delta_are_example_weighted",
        says="negative delta",
    ),
    WrongAnswer(
        "compare: agreement only among right answers",
        compare(("(p == q) & ok_a", "(p == q) & (p == y) & ok_a")),
        rejected_by="test_compare_agreement_ignores_the_labels",
        says="disagree on many examples",
    ),
    WrongAnswer(
        "compare: flip rate from the accuracies",
        compare(
            ('"flip_rate": 1 - same / count', '"flip_rate": abs(right_quant - right_fp32) / count')
        ),
        rejected_by="test_compare_agreement_ignores_the_labels",
        says='["flip_rate"]',
    ),
    WrongAnswer(
        "compare: decibels averaged over batches",
        compare(
            ("    signal = noise = kl = 0.0\n", "    signal = noise = kl = 0.0\n    each = []\n"),
            (
                "                signal += (a**2).sum().item()\n",
                "                signal += (a**2).sum().item()\n"
                "                power = (a**2).sum() / ((a - b) ** 2).sum()\n"
                "                each.append(power.log10().item())\n",
            ),
            ('"sqnr_db": sqnr', '"sqnr_db": 10 * sum(each) / max(len(each), 1)'),
        ),
        rejected_by="test_compare_sqnr_is_over_all_logits",
        says="then take one logarithm",
    ),
    WrongAnswer(
        "compare: 20 log10 of a ratio of powers",
        compare(("10 * math.log10(ratio)", "20 * math.log10(ratio)")),
        rejected_by="test_compare_sqnr_is_over_all_logits",
        says="sqnr_db",
    ),
    WrongAnswer(
        "compare: a small constant keeps the decibels finite",
        compare(
            (
                "ratio = math.inf if noise == 0 else signal / noise",
                "ratio = signal / (noise + 1e-12)",
            )
        ),
        rejected_by="test_compare_identical_models_differ_in_nothing",
        says="the ratio is infinite",
    ),
    WrongAnswer(
        "compare: the logarithm of zero stops the report",
        compare(("-math.inf if ratio == 0 else ", "")),
        rejected_by="test_compare_shows_an_overflow",
        says="raised ValueError",
    ),
    WrongAnswer(
        "compare: squares in the dtype of the second model",
        compare(
            ("a, b = fp32(x).double(), quant(x).double()", "b = quant(x); a = fp32(x).to(b.dtype)")
        ),
        rejected_by="test_compare_accepts_half_precision_logits",
        says="a square beyond 65,504 is inf",
    ),
    WrongAnswer(
        "compare: two NaN rows agree, and NaN is replaced by 0",
        compare(
            (
                "fp32(x).double(), quant(x).double()",
                "(m(x).double().nan_to_num() for m in (fp32, quant))",
            )
        ),
        rejected_by="test_compare_never_counts_nan_as_agreement",
        says="NaN",
    ),
    WrongAnswer(
        "compare: divides by zero for an empty loader",
        compare(("count = max(n, 1)", "count = n")),
        rejected_by="test_compare_of_nothing_reports_n_zero",
        says="raised ZeroDivisionError",
    ),
    WrongAnswer(
        "compare: only the first model in eval mode",
        compare(("        quant.eval()\n", "")),
        rejected_by="test_compare_runs_both_in_eval_mode_without_a_graph",
        says="the second model",
    ),
    WrongAnswer(
        "compare: remembers the second model's flags too late",
        compare(
            ("modules = [*fp32.modules(), *quant.modules()]", "modules = list(fp32.modules())"),
            (
                "        quant.eval()\n",
                "        modules += quant.modules()\n"
                "        flags += [m.training for m in quant.modules()]\n"
                "        quant.eval()\n",
            ),
        ),
        rejected_by="test_compare_puts_every_training_flag_back",
        says="compare (a = b)",
    ),
    WrongAnswer(
        "compare: leaves both models in eval mode",
        compare(("m.training = flag", "pass")),
        rejected_by="test_compare_puts_every_training_flag_back",
        says="after a good run of compare (a)",
    ),
    WrongAnswer(
        "compare: swallows the loader's error",
        compare(("    finally:\n", "    except OSError:\n        pass\n    finally:\n")),
        rejected_by="test_compare_puts_every_training_flag_back",
        says="half the data",
    ),
    WrongAnswer(
        "compare: n is a float and the rates are tensors",
        compare(
            ('"n": n', '"n": float(n)'), ('"kl": kl / count', '"kl": torch.tensor(kl / count)')
        ),
        rejected_by="test_compare_reports_the_eight_numbers",
        says="Tensor",
    ),
    WrongAnswer(
        "compare: normalizes the inputs in place",
        compare(
            (
                "            for x, y in loader:\n",
                "            for x, y in loader:\n                x.sub_(x.mean())\n",
            )
        ),
        rejected_by="test_compare_leaves_models_and_inputs_untouched",
        says="left as it was",
    ),
    WrongAnswer(
        "ends the process with success",
        "import os\nos._exit(0)\n",
        rejected_by=None,
        says="ended",
    ),
]

RIGHT = [
    RightAnswer("evaluate: plain loop", evaluate()),
    RightAnswer("compare: plain loop", compare()),
    RightAnswer(
        "evaluate: inference_mode as a decorator, softmax first",
        """
import torch


@torch.inference_mode()
def evaluate(model, loader):
    state = {name: module.training for name, module in model.named_modules()}
    scores = []
    try:
        model.eval()
        for x, y in loader:
            scores += [
                bool(row.isfinite().all() and int(row.argmax()) == int(label))
                for row, label in zip(torch.softmax(model(x).double(), -1), y)
            ]
    finally:
        for name, module in model.named_modules():
            module.training = state[name]
    return float(sum(scores) / len(scores)) if scores else 0.0
""",
    ),
    RightAnswer(
        "compare: collect the logits of one pass, then compute with numpy",
        """
from contextlib import ExitStack

import numpy as np
import torch


def _later(stack, model):
    for module in model.modules():
        stack.callback(setattr, module, "training", module.training)
    model.eval()


def compare(fp32, quant, loader):
    left, right, labels = [], [], []
    with ExitStack() as stack, torch.inference_mode():
        _later(stack, fp32)
        _later(stack, quant)
        for x, y in loader:
            left.extend(fp32(x).to(torch.float64).tolist())
            right.extend(quant(x).to(torch.float64).tolist())
            labels.extend(y.tolist())
    n = len(labels)
    if not n:
        nothing = dict.fromkeys(("acc_fp32", "acc_quant", "delta", "agreement"), 0.0)
        return {**nothing, "flip_rate": 0.0, "sqnr_db": 0.0, "kl": 0.0, "n": 0}
    a, b, y = np.array(left), np.array(right), np.array(labels)
    sound_a, sound_b = ~np.isnan(a).any(1), ~np.isnan(b).any(1)
    acc_a = float(np.mean((a.argmax(1) == y) & sound_a))
    acc_b = float(np.mean((b.argmax(1) == y) & sound_b))
    same = float(np.mean((a.argmax(1) == b.argmax(1)) & sound_a & sound_b))
    with np.errstate(all="ignore"):
        log_p = a - a.max(1, keepdims=True)
        log_p -= np.log(np.exp(log_p).sum(1, keepdims=True))
        log_q = b - b.max(1, keepdims=True)
        log_q -= np.log(np.exp(log_q).sum(1, keepdims=True))
        sqnr = float(10 * np.log10(np.sum(a * a) / np.sum(np.square(a - b))))
        kl = float(np.mean(np.sum(np.exp(log_p) * (log_p - log_q), 1)))
    return {
        "acc_fp32": acc_a,
        "acc_quant": acc_b,
        "delta": acc_b - acc_a,
        "agreement": same,
        "flip_rate": 1.0 - same,
        "sqnr_db": sqnr,
        "kl": kl,
        "n": n,
    }
""",
    ),
    RightAnswer(
        "compare: float32 sums and kl_div",
        compare(
            (
                "(log_p.exp() * (log_p - log_q)).sum().item()",
                "F.kl_div(log_q, log_p, reduction='sum', log_target=True).item()",
            ),
            ("fp32(x).double(), quant(x).double()", "fp32(x).float(), quant(x).float()"),
        ),
    ),
]
