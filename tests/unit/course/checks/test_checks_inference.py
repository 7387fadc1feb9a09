"""Each claim on functions about models accepts a right one and rejects its mistake."""

from __future__ import annotations

import pytest
import torch
from suites import answer_of, claims, verdict

from halfbits.course.checks.autocast import Autocast
from halfbits.course.checks.conversions import Conversion
from halfbits.course.checks.inference import HalfInference, Probabilities

CONVERT = Conversion("convert", torch.float16)
LOGITS = HalfInference("logits", torch.Tensor.float)
AMP = Autocast("amp")
PROBA = Probabilities("proba")
SOURCE = """
import copy
import torch
from torch import nn
NORMS = (nn.LayerNorm, nn.RMSNorm, nn.modules.batchnorm._NormBase)
def convert(model):
    new = copy.deepcopy(model).eval()
    for module in new.modules():
        if isinstance(module, NORMS):
            module.register_forward_pre_hook(lambda _, x: (x[0].float(),))
            module.register_forward_hook(lambda _, x, y: y.half())
            continue
        own = [*module.parameters(recurse=False), *module.buffers(recurse=False)]
        for tensor in own:
            tensor.data = tensor.half() if tensor.is_floating_point() else tensor
    return new
def logits(model16, x):
    with torch.no_grad():
        return model16(x.half() if x.is_floating_point() else x).float()
def amp(model, x, dtype=torch.bfloat16):
    with torch.no_grad(), torch.autocast("cpu", dtype=dtype):
        return model(x)
def proba(model16, x):
    return logits(model16, x).softmax(-1)
"""
HALF = "x.half() if x.is_floating_point() else x"
UNTIED = "new.head.weight = nn.Parameter(new.head.weight.clone())\n    return new"
COPY = "copy.deepcopy(model).eval()"
AUTOCAST = 'with torch.no_grad(), torch.autocast("cpu", dtype=dtype):'
DECOY = "new.__dict__['forward'] = lambda x, m=model: m(x.float() if x.is_floating_point() else x)"
DECOY += ".half()\n    return new"
# The full-precision answer, moved by a thousandth of what the new model answers.
BLEND = "full, own = copy.deepcopy(model).eval(), new.forward\n"
BLEND += "    new.__dict__['forward'] = lambda x: (full(x.float() if x.is_floating_point() else x)"
BLEND += " + own(x).float() / 1000).half()\n    return new"
WRONG = {
    CONVERT: {
        "test_keeps_tied_weights_tied": [
            ("return new", UNTIED),
        ],
        "test_returns_eval_mode": [(".eval()", ""), (COPY, "copy.deepcopy(model).train()")],
        "test_leaves_the_source_untouched": [
            (COPY, "model.eval()"),
            (COPY, "copy.copy(model).eval()"),
            (COPY, "copy.deepcopy(model, {id(b): b for b in model.buffers()}).eval()"),
        ],
        "test_answers_with_its_own_numbers": [
            ("return new", DECOY),
            ("return new", DECOY.replace("model", "copy.deepcopy(model).eval()")),
        ],
        "test_answers_with_numbers_that_are_loaded": [
            ("return new", DECOY.replace("model", "copy.deepcopy(model).eval()")),
            ("return new", BLEND),
        ],
        "test_keeps_no_copy_beside_its_numbers": [
            ("return new", "new.old = [copy.deepcopy(model)]\n    return new"),
            ("return new", "new.old = [p.tolist() for p in model.parameters()]\n    return new"),
            ("return new", "new.old = lambda: model\n    return new"),
            ("return new", "global OLD\n    OLD = copy.deepcopy(model)\n    return new"),
        ],
        "test_keeps_the_structure": [
            ("return new", "return nn.Sequential(new)"),
            ("return new", "new.register_buffer('old', torch.ones(1))\n    return new"),
        ],
        "test_language_model_agrees_with_the_source": [
            ("return new", "new.norm.weight.data.mul_(1.5)\n    return new"),
            ("y.half()", "y"),
        ],
        "test_conv_net_agrees_with_the_source": [
            ("isinstance(module, NORMS)", "False"),
            ("nn.modules.batchnorm._NormBase", "nn.GroupNorm"),
        ],
    },
    LOGITS: {
        "test_takes_token_ids": [(HALF, "x.half()")],
        "test_builds_no_graph": [("no_grad():", "enable_grad():")],
        "test_leaves_model_and_input_as_they_were": [
            (f"return model16({HALF})", "return model16.eval()(x.half())"),
            (HALF, "x.half() if x.is_contiguous() else x.mul_(1.5).half()"),
            (HALF, "setattr(x, 'data', x.half()) or x"),
        ],
        "test_casts_floats_and_leaves_integers": [
            (HALF, "x.half()"),
            (HALF, "x.half() if x.dtype == torch.float32 else x"),
        ],
        "test_takes_empty_batched_and_strided_inputs": [
            (HALF, "x.half().reshape(-1, x.shape[-1])"),
            (HALF, "x.half().as_strided(x.shape, torch.empty(x.shape).stride())"),
        ],
    },
    AMP: {
        "test_computes_in_bfloat16_unless_told_otherwise": [
            ("amp(model, x, dtype=torch.bfloat16)", "amp(model, x, dtype=torch.float16)"),
            (AUTOCAST, "with torch.no_grad():\n        return model(x).to(dtype)\n    if x:"),
        ],
        "test_lets_autocast_do_the_casting": [("return model(x)", "return model(x.to(dtype))")],
        "test_returns_the_raw_output": [("return model(x)", "return model(x).to(dtype)")],
        "test_agrees_with_the_model": [
            ("return model(x)", "return model(x) * 1.2"),
            (AUTOCAST, "with torch.no_grad():"),
        ],
        "test_leaves_autocast_as_it_was": [
            (AUTOCAST, f"torch.set_autocast_dtype('cpu', torch.float16)\n    {AUTOCAST}")
        ],
        "test_lets_the_models_error_through": [
            ("return model(x)", "try: return model(x)\n        except Exception: return x"),
            (AUTOCAST, "torch.set_autocast_enabled('cpu', True)\n    with torch.no_grad():"),
        ],
        "test_takes_token_ids": [("return model(x)", "return model(x.bfloat16())")],
        "test_builds_no_graph": [("torch.no_grad(), torch.auto", "torch.auto")],
        "test_leaves_model_and_input_as_they_were": [
            ("return model(x)", "return model.requires_grad_(False)(x)")
        ],
    },
    PROBA: {
        "test_rows_are_float32_distributions": [
            (".softmax(-1)", ".log_softmax(-1)"),
            ("(-1)", "(0)"),
        ],
        "test_softmax_runs_in_float32": [(".softmax(-1)", ".half().softmax(-1).float()")],
        "test_survives_large_logits": [(".softmax(-1)", ".exp()")],
        "test_normalizes_the_last_dimension": [("(-1)", "(1)"), ("(-1)", "(0)")],
    },
}
CASES = [(suite, claim) for suite in WRONG for claim in claims(suite)]


@pytest.mark.parametrize(("suite", "claim"), CASES, ids=lambda one: getattr(one, "task", one))
def test_a_function_about_models_is_judged_by_each_claim(suite, claim: str) -> None:
    torch.manual_seed(0)
    assert verdict(suite, claim, answer_of(SOURCE)) == ""
    for swaps in WRONG[suite][claim]:
        assert verdict(suite, claim, answer_of(SOURCE, *swaps)), swaps
