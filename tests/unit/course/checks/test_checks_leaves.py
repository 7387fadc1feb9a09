"""Each claim on what a run leaves accepts a clean function and rejects one that leaves a trace."""

from __future__ import annotations

import io

import pytest
import torch
from suites import answer_of, claims, verdict

from halfbits.course.checks.doubles import Does
from halfbits.course.checks.leaves import Leaves

SUITE = Leaves("names", lambda model, x: (model, x, 2))
SOURCE = """
import contextlib, copy, io, pickle, torch
from torch import nn
def names(model, x, factor):
    called, handles, was = [], [], {m: m.training for m in model.modules()}
    def watch(name):
        return lambda module, given, out: called.append(name)
    model.eval()
    try:
        for name, module in model.named_modules():
            handles.append(module.register_forward_hook(watch(name)))
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.float16):
            model(factor * x)
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in was.items():
            module.training = mode
    return called
"""
MODES = ("for module, mode in was.items():\n            module.training = mode",)
FINALLY, REMOVE = "    finally:\n", "            handle.remove()"
EXCEPTION = "    except Exception:\n        raise\n    else:\n"
ORDINARY = "    except Exception:\n        [handle.remove() for handle in handles]\n        raise\n"
RUN = "model(factor * x)"
WRONG = {
    "test_leaves_each_part_of_the_model_alone": [
        (*MODES, "model.train(was[model])"),
        (*MODES, "model.train()"),
        (REMOVE, "            handles[0].remove()"),
        (RUN, f"{RUN}\n            model[0].weight.mul_(2)"),
        (RUN, f"{RUN}\n            model[2][0].bias.requires_grad_(False)"),
        (RUN, f"{RUN}\n            model[1].forward = model[1].forward"),
        (RUN, f"{RUN}\n            model[1].register_full_backward_hook(print)"),
        (RUN, f"{RUN}\n            x.zero_()"),
    ],
    "test_leaves_the_callers_settings": [
        (RUN, f"{RUN}\n        torch.set_grad_enabled(True)"),
        (RUN, f"{RUN}\n        torch.set_grad_enabled(False)"),
        (RUN, f"{RUN}\n        torch.set_default_dtype(torch.float32)"),
        (RUN, f"{RUN}\n        torch.set_autocast_enabled('cpu', False)"),
        (RUN, f"{RUN}\n        h = nn.modules.module.register_module_forward_hook(print)"),
    ],
    "test_leaves_no_trace_of_an_error": [
        (FINALLY, EXCEPTION),
        (FINALLY, f"{ORDINARY}    else:\n"),
        (FINALLY, "    except BaseException:\n        pass\n    finally:\n"),
    ],
}


@pytest.mark.parametrize("claim", claims(SUITE))
def test_a_function_is_judged_by_each_claim(claim: str) -> None:
    assert verdict(SUITE, claim, answer_of(SOURCE)) == ""
    for swaps in WRONG[claim]:
        answer = answer_of(SOURCE, *swaps)
        try:
            assert verdict(SUITE, claim, answer), swaps
        finally:
            torch.nn.modules.module._global_forward_hooks.clear()


@pytest.mark.parametrize("copied", ["copy.deepcopy(model)", "pickle.loads(pickle.dumps(model))"])
def test_a_function_may_work_on_a_copy(copied: str) -> None:
    answer = answer_of(SOURCE, "called, handles", f"model = {copied}\n    called, handles")
    for claim in claims(SUITE):
        assert verdict(SUITE, claim, answer) == ""


def test_a_double_with_a_lambda_is_copied_by_pickle() -> None:
    file, x = io.BytesIO(), torch.ones(2)
    torch.save(torch.nn.Sequential(Does(lambda x: 3 * x)), file)
    file.seek(0)
    assert torch.load(file, weights_only=False)(x).tolist() == [3, 3]
