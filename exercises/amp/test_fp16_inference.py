"""What converting to float16 and predicting with it must do, one claim a check.

The suites hold what is true of every conversion and of every function that runs a model: read their
claims in halfbits/course/checks/, conversions.py, float16.py and inference.py.
"""

import math

import torch
from torch import nn

from halfbits.course.checks import (
    calls,
    cases,
    doubles,
    expect,
    float16,
    inference,
    spies,
    task,
    tolerance,
)
from halfbits.course.checks.conversions import tensor_of

convert = float16.Conversion("convert_to_fp16", torch.float16)
logits = inference.HalfInference("predict_logits", torch.Tensor.float)
proba = inference.Probabilities("predict_proba")
probas = inference.HalfInference("predict_proba", lambda y: y.float().softmax(-1))
again = calls.Calls("convert_to_fp16", lambda seed: (cases.linear(seed, 8, 3),))
logits_again = calls.Calls("predict_logits", lambda seed: halved(seed))
proba_again = calls.Calls("predict_proba", lambda seed: halved(seed))


def halved(seed):
    """A float16 layer and an input."""
    return cases.linear(seed, 8, 3).half(), cases.normal(seed + 1, 4, 8)


@task("convert_to_fp16")
def test_convert_makes_matmul_weights_float16(answer):
    """Linear, Embedding and Conv weights and biases are float16, rounded to nearest.

    These weights are the bytes that inference reads: half of them are to go.
    """
    convs = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d)
    nested = nn.Sequential(nn.Linear(6, 4), nn.GELU(), nn.Linear(4, 2))
    for model in (nn.Linear(6, 4), nn.Embedding(6, 4), *(c(3, 4, 2) for c in convs), nested):
        model16 = convert.of(answer, model)
        for name, source in model.state_dict().items():
            expect.same(tensor_of(model16, name), source.half(), of=name)


@task("convert_to_fp16")
def test_convert_keeps_normalization_in_float32(answer, seed):
    """Norm weights, biases and running statistics keep float32, bit for bit.

    Few bytes, large effect: even a detour through float16 costs their digits.
    """
    plain = [nn.LayerNorm(4), nn.RMSNorm(4), nn.GroupNorm(2, 4), nn.BatchNorm1d(4)]
    plain += [nn.BatchNorm2d(4), nn.BatchNorm3d(4), nn.SyncBatchNorm(4)]
    instance = (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)
    plain += [norm(4, affine=True, track_running_stats=True) for norm in instance]
    for norm in (*plain, *(norm for norm, _ in spies.listening_norms(4).values())):
        for name, tensor in norm.state_dict().items():
            if tensor.is_floating_point():
                tensor.copy_(cases.normal(seed, 4).abs() * (1e6 if name == "running_var" else 1))
        for model, at in ((nn.Sequential(nn.Linear(4, 4), norm), "1."), (norm, "")):
            model16 = convert.of(answer, model)
            for name, source in norm.state_dict().items():
                said = f"{name} of {spies.kind(norm)}"
                expect.same(tensor_of(model16, at + name), source, of=said)


@task("predict_logits")
def test_logits_are_the_models_float16_outputs_in_float32(answer, seed):
    """predict_logits returns float32 values that are the float16 model's own outputs.

    The model runs in float16: more digits than float16 has mean that it ran in float32.
    """
    first, last = nn.Linear(6, 8).half(), nn.Linear(8, 5).half()
    model16 = nn.Sequential(first, nn.ReLU(), last).eval()
    for dtype in cases.FLOATS:
        x = cases.normal(seed, 7, 6).to(dtype)
        with torch.no_grad():
            want, hidden = model16(x.half()).float(), first(x.half()).relu()
        # Same weights; another kernel may sum in another order: nine roundings.
        room = tolerance.product(hidden, last.weight.detach().T, torch.float16)
        got = answer.predict_logits(model16, x)
        expect.close(got, want, atol=room + 18 * tolerance.eps(torch.float16))
        exact = bool((got.half().float() == got).all())
        expect.true(exact, expected="values that float16 can hold", got=got)


@task("predict_logits")
def test_logits_overflow_stays_visible(answer):
    """predict_logits keeps an infinite logit infinite, and 65504 finite.

    80000 is beyond float16; clamping it hides the overflow.
    """
    inf, x = math.inf, torch.tensor([[40000.0, 32752.0, -40000.0, 0.0]])
    got = answer.predict_logits(doubles.scaled(2.0), x)
    expect.same(got, torch.tensor([[inf, 65504.0, -inf, 0.0]]))
