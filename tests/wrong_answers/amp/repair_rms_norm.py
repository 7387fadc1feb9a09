"""Wrong and right answers to amp/repair_rms_norm: each wrong one is one misconception."""

from halfbits.course.authoring.contract import RightAnswer, swap

WIDE = "wide = x.float()"
SQUARE = "wide.square()"
MEAN = "wide.square().mean(-1, keepdim=True)"
ROOT = "torch.rsqrt(mean + eps)"
RESULT = "return (wide * torch.rsqrt(mean + eps) * gain).to(x.dtype)"

EQUIVALENT = {}

WRONG = {
    "test_large_tokens_are_no_zeros": [
        ("as it came", "beyond float16", WIDE, "wide = x"),
        ("converted after the square", "beyond float16", SQUARE, "x.square().float()"),
        (
            "squares clamped to what float16 holds",
            "beyond float16",
            SQUARE,
            "x.square().clamp(max=torch.finfo(x.dtype).max).float()",
        ),
        (
            "infinities replaced in the result",
            "beyond float16",
            MEAN,
            "x.square().mean(-1, keepdim=True).nan_to_num(posinf=65504.0)",
        ),
        ("a mean in the type of x", "beyond float16", MEAN, f"{MEAN}.to(x.dtype)"),
        ("the factor in the type of x", "expected", ROOT, f"{ROOT}.to(x.dtype)"),
    ],
    "test_ordinary_tokens_keep_the_digits_of_their_type": [
        ("computed in bfloat16", "rounded to 16 bits", WIDE, "wide = x.bfloat16()"),
        ("the sum for the mean", "expected", ".mean(-1", ".sum(-1"),
        ("the variance", "expected", MEAN, "wide.var(-1, keepdim=True, correction=0)"),
    ],
    "test_small_tokens_are_exact_too": [
        ("squares in float16 when they fit", "below", SQUARE, "x.half().square().float()"),
        ("a larger eps", "eps is of their size", ROOT, "torch.rsqrt(mean + max(eps, 1e-4))"),
        (
            "scaled by its maximum, eps not",
            "eps is of their size",
            MEAN,
            "(wide / wide.abs().amax(-1, keepdim=True)).square().mean(-1, keepdim=True)",
            RESULT,
            "wide = wide / wide.abs().amax(-1, keepdim=True)\n    " + RESULT,
        ),
        ("eps outside the root", "expected", ROOT, "1 / (mean.sqrt() + eps)"),
    ],
    "test_each_token_has_its_own_mean": [
        ("one mean for the batch", "expected", MEAN, "wide.square().mean()"),
    ],
    "test_result_has_the_type_of_x_whatever_that_of_gain": [
        ("always float32", "the type that came in", ".to(x.dtype)", ""),
        ("always float16", "the type that came in", ".to(x.dtype)", ".half()"),
        ("the type of gain", "the type that came in", ".to(x.dtype)", ".to(gain.dtype)"),
    ],
    "test_inputs_are_left_as_they_were": [
        (
            "normalizes x itself",
            "left as it was",
            RESULT,
            "return x.copy_(wide * torch.rsqrt(mean + eps) * gain)",
        ),
    ],
}

AS_IN_LLAMA = """
import torch
def rms_norm(x, gain, eps=1e-6):
    h = x.to(torch.float32)
    h = h * torch.rsqrt(h.pow(2).mean(dim=-1, keepdim=True) + eps)
    return (gain * h.type_as(x)).type_as(x)
"""
BUILT_IN = """
import torch.nn.functional as F
def rms_norm(x, gain, eps=1e-6):
    return F.rms_norm(x.float(), x.shape[-1:], gain.float(), eps).to(x.dtype)
"""
SCALED = """
import torch
def rms_norm(x, gain, eps=1e-6):
    wide, dtype = x.double(), x.dtype
    length = torch.linalg.vector_norm(wide, dim=-1, keepdim=True)
    return torch.mul(wide / torch.sqrt(length**2 / x.size(-1) + eps), gain).to(dtype=dtype)
"""
NUMPY = """
import numpy as np
import torch
def rms_norm(x, gain, eps=1e-6):
    rows = x.to(torch.float32).numpy()
    mean = np.square(rows).mean(-1, keepdims=True)
    out = rows / np.sqrt(mean + np.float32(eps))
    return torch.from_numpy(out * gain.float().numpy()).to(x.dtype)
"""

RIGHT = [
    RightAnswer("as the Llama of transformers, rounded before the gain", AS_IN_LLAMA),
    RightAnswer("PyTorch's own norm on float32", BUILT_IN),
    RightAnswer("float64 and the length of a vector", SCALED),
    RightAnswer("numpy", NUMPY),
    RightAnswer("the conversion inside", swap("rms_norm", SQUARE, "(x.to(torch.float32) ** 2)")),
]
