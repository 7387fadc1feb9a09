"""Wrong answers to evaluation/accuracy_report: each is one misconception."""

from halfbits.course.authoring.contract import swap

COUNT = "right += _count_equal(_predictions(model(x)), y)"
NAN = ".masked_fill(logits.isnan().any(1), -1)"
RESTORE = "        for module, flag in flags:\n            module.training = flag"
BOTH = "fp32(x).double(), quant(x).double()"
REVERSED = "(log_q.exp() * (log_q - log_p)).sum().item()"
KL = "(log_p.exp() * (log_p - log_q)).sum().item()"
LOGS = "F.log_softmax(a, 1), F.log_softmax(b, 1)"
AMONG = "(before[before == y], after[before == y])"
DELTA = "acc_quant - acc_fp32"
NOISE = "noise += ((a - b) ** 2).sum().item()"
DB = "_decibels((a**2).sum().item(), ((a - b) ** 2).sum().item())"
MEAN_DB = (
    *("signal = noise", "each = []\n    signal = noise", NOISE, f"{NOISE}; each.append({DB})"),
    *("_decibels(signal, noise) if n else", "sum(each) / len(each) if n else"),
)
MEANS = (COUNT, COUNT.replace("+=", "+= 1 / max(len(y), 1) *"), "n += len(y)", "n += 1")
TRANSPOSED = "logits.argmax(0).repeat(len(logits))[: len(logits)]"
RECOUNT = "    n = sum(len(y) for _, y in loader)\n    return right"
ELSE = "    except ZeroDivisionError:\n        pass\n    else:"
SWALLOWS = "    except OSError:\n        pass\n    finally:"
LOOP = "        for x, y in loader:\n"
IN_PLACE = f"{LOOP}            x.sub_(x.mean())\n"
EVAL = "for model in models:\n            model.eval()"
LATE = (
    *("for model in models for", "for model in models[:1] for", EVAL),
    """for number, model in enumerate(models):
            flags += [(m, m.training) for m in model.modules()] if number else []
            model.eval()""",
)
TWICE = (
    "for x, y in loader:",
    "for (x, y), (u, _) in zip(loader, loader):",
    "quant(x)",
    "quant(u)",
)
A_CONSTANT = ("noise == 0", "False", "/ noise\n", "/ (noise + 1e-12)\n")
ALONE = swap("evaluate", EVAL, EVAL.replace(":", "[:1]:", 1))

ITEM = "a tensor of one number divides and compares as its number; math.log10 returns a float"
EQUIVALENT = {
    "return logits.argmax(1).masked_fill(logits.isnan().any(1), -2)": "any negative is no class",
    "signal += (a**2).sum()": ITEM,
    "noise += ((a - b) ** 2).sum()": ITEM,
    '"sqnr_db": (_decibels(signal, noise)),': "it means nothing without examples",
}

WRONG = {
    "test_evaluate_weights_examples_not_batches": [
        ("the mean of means", "too much weight", *MEANS),
    ],
    "test_evaluate_of_nothing_is_zero": [
        ("divides by zero", "raised ZeroDivisionError", "right / n if n else 0.0", "right / n"),
    ],
    "test_evaluate_counts_the_right_answers": [
        ("a tensor", "Tensor", "return right / n", "return torch.tensor(1.0) * right / n"),
        ("over the batch", "class of the largest logit", "logits.argmax(1)", TRANSPOSED),
        ("the lesson's accuracy", "0.8559", "right / n if n", "0.8559 if n"),
    ],
    "test_evaluate_reads_a_shuffling_loader_once": [
        ("a second pass to count", "a generator", "    return right", RECOUNT),
    ],
    "test_evaluate_runs_in_eval_mode_without_a_graph": [
        ("dropout stays on", "training True", "model.eval()", "model.train()"),
        ("builds a graph", "every activation", "torch.no_grad()", "torch.enable_grad()"),
    ],
    "test_evaluate_puts_every_training_flag_back": [
        ("stays in eval mode", "after a good run", "module.training = flag", "pass"),
        ("train() thaws layers", "a good run", RESTORE, "        [m.train() for m in models]"),
        ("only if nothing raises", "after the model raised", "    finally:", ELSE),
    ],
    "test_evaluate_never_counts_nan_as_right": [
        ("a NaN row can be right", "argmax treats NaN", NAN, ""),
    ],
    "test_compare_reads_a_shuffling_loader_once": [
        ("two passes, one for each model", "another order", *TWICE),
    ],
    "test_compare_kl_runs_from_fp32_to_quant_in_nats": [
        ("from the quantized side", "KL is not symmetric", KL, REVERSED),
        ("in bits", "natural logarithm", "divergence / n", "divergence / n / math.log(2)"),
        ("over classes", "mean of examples", "divergence / n", "divergence / n / a.shape[1]"),
        ("log of softmax", "is log(0)", LOGS, "a.softmax(1).log(), b.softmax(1).log()"),
    ],
    "test_compare_accuracies_and_delta_are_example_weighted": [
        ("delta turned round", "negative delta", DELTA, "acc_fp32 - acc_quant"),
    ],
    "test_compare_agreement_ignores_the_labels": [
        ("n is a float", "float", '"n": n', '"n": float(n)'),
        ("only among right answers", "disagree on many", "(before, after)", AMONG),
        ("flips from the accuracies", "flip_rate", "1 - agreement", "abs(acc_quant - acc_fp32)"),
    ],
    "test_compare_sqnr_is_over_all_logits": [
        ("averaged over batches", "then take one logarithm", *MEAN_DB),
        ("20 log10 of powers", "sqnr_db", "10 * math.log10", "20 * math.log10"),
    ],
    "test_compare_identical_models_differ_in_nothing": [
        ("a small constant", "the ratio is infinite", *A_CONSTANT),
    ],
    "test_compare_accepts_half_precision_logits": [
        ("squares in float16", "beyond 65,504", BOTH, "fp32(x).to(quant(x[:1]).dtype), quant(x)"),
    ],
    "test_compare_never_counts_nan_as_agreement": [
        ("NaN becomes 0", "NaN", BOTH, "(m(x).double().nan_to_num() for m in (fp32, quant))"),
        ("the logarithm of zero", "raised ValueError", "-math.inf if ratio == 0 else 10", "10"),
    ],
    "test_compare_of_nothing_is_zero": [
        ("divides by zero", "raised ZeroDivisionError", "right / n if n else 0.0", "right / n"),
    ],
    "test_compare_runs_in_eval_mode_without_a_graph": [
        ("only the first model", "the second model", ALONE),
    ],
    "test_compare_puts_every_training_flag_back": [
        ("remembers flags too late", "a = b", swap("evaluate", *LATE)),
        ("stays in eval mode", "a good run, a", swap("evaluate", "module.training = flag", "pass")),
        ("swallows errors", "half the data", swap("evaluate", "    finally:", SWALLOWS)),
    ],
    "test_compare_leaves_models_and_inputs_untouched": [
        ("normalizes in place", "left as it was", LOOP, IN_PLACE),
    ],
    None: [("ends the process with success", "ended", "import os\nos._exit(0)\n")],
    "test_evaluate_takes_each_batch_as_it_comes": [
        ("collects the loader", "one batch at a time", "in loader:", "in list(loader):"),
    ],
    "test_evaluate_reads_batches_that_are_views": [
        (
            "labels in the order of memory",
            "expected",
            "_predictions(model(x)), y)",
            "_predictions(model(x)), y.as_strided(y.shape, (1,)))",
        ),
    ],
    "test_evaluate_compares_labels_as_they_are": [
        ("labels cut to a byte", "accuracy", "(model(x)), y)", "(model(x)), y.to(torch.uint8))"),
    ],
    "test_evaluate_takes_an_infinite_logit_for_a_prediction": [
        ("infinite is broken", "accuracy", "logits.isnan()", "(~logits.isfinite())"),
    ],
    "test_compare_sees_what_float32_does_not": [
        ("in float32", "sqnr_db", BOTH, BOTH.replace("double", "float")),
        ("little noise is none", "sqnr_db", "noise == 0", "noise < 1e-12 * signal"),
    ],
    "test_compare_of_a_silent_reference_is_minus_infinity": [
        ("the logarithm of 0", "raised ValueError", "-math.inf if ratio == 0 else ", ""),
    ],
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers by id",
            "is used again",
            COUNT,
            COUNT.replace("model(x)", "evaluate.__dict__.setdefault(id(x), model(x))"),
        ),
    ],
}
