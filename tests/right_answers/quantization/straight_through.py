"""Right answers to quantization/straight_through, each in its own style."""

from halfbits.course.authoring.contract import swap

CLAMP = "x.clamp(-top * scale, top * scale)"
FUNCTION = """
import torch
class Rounding(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, scale, top):
        ctx.save_for_backward((x / scale).abs() <= top)
        return (x / scale).round().clamp(-top, top) * scale
    @staticmethod
    def backward(ctx, grad):
        (mask,) = ctx.saved_tensors
        return grad * mask, None, None
def fake_quantize(x, scale, bits):
    return Rounding.apply(x, scale, (1 << (bits - 1)) - 1)
"""
BUILT_IN = """
import torch
def fake_quantize(x, scale, bits):
    top = 2 ** (bits - 1) - 1
    return torch.fake_quantize_per_tensor_affine(x, scale, 0, -top, top)
"""
CODES = """
import torch
def fake_quantize(x, scale, bits):
    top = 2.0 ** (bits - 1) - 1
    steps = torch.minimum(torch.maximum(x / scale, torch.tensor(-top)), torch.tensor(top))
    steps = steps - (steps - steps.round()).detach()
    return steps * scale
"""
WHERE = """
import torch
def fake_quantize(x, scale, bits):
    top = 2 ** (bits - 1) - 1
    with torch.no_grad():
        code = torch.round(x / scale)
        kept = code.abs() <= top
        value = scale * code.clamp(-top, top)
    return torch.where(kept, x + (value - x).detach(), value)
"""

RIGHT = {
    "an autograd function with a mask": FUNCTION,
    "PyTorch's own operation": BUILT_IN,
    "clamped in steps, by minimum and maximum": CODES,
    "where, by the code": WHERE,
    "a clamp by torch.clip": swap(
        "fake_quantize", CLAMP, "torch.clip(x, -top * scale, top * scale)"
    ),
}
