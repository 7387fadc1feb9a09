"""Each claim on layers with quantized weights accepts a right one and rejects its mistake."""

from __future__ import annotations

import pytest
from suites import answer_of, claims, verdict

from halfbits.course.checks.layers import WeightOnlyLinear

LAYER = WeightOnlyLinear("Layer")
RIGHT = """
import torch
from torch import nn
class Layer(nn.Module):
    def __init__(self, n_in, n_out, bias=True):
        super().__init__()
        self.register_buffer("codes", torch.zeros(n_out, n_in, dtype=torch.int8))
        self.register_buffer("scale", torch.ones(n_out))
        self.register_buffer("bias", torch.zeros(n_out) if bias else None)
    @classmethod
    def from_float(cls, linear):
        layer = cls(linear.in_features, linear.out_features, linear.bias is not None)
        w = linear.weight.detach()
        layer.scale.copy_(w.abs().amax(1) / 127)
        layer.codes.copy_(torch.round(w / layer.scale[:, None]))
        if linear.bias is not None:
            layer.bias.copy_(linear.bias.detach())
        return layer
    def forward(self, x):
        w = self.codes.float()
        y = x.float() @ w.T * self.scale
        return y if self.bias is None else y + self.bias
"""
END = "        return layer\n"


def hiding(line: str) -> str:
    """The end of `from_float`, after a line that puts a copy of the weights somewhere."""
    return f"        {line}\n{END}"


HIDE = "        layer.__dict__['w'] = layer.codes.float()\n        return layer\n"
WRONG = {
    "test_output_is_x_times_dequantized_weights": [
        ("x.float() @ w.T", "(x.bfloat16() @ w.T.bfloat16()).float()"),
        ("* self.scale", "* self.scale.mean()"),
        ("y if self.bias is None else y + self.bias", "y"),
    ],
    "test_takes_any_leading_shape": [
        ("x.float() @ w.T", "torch.mm(x.float(), w.T)"),
        ("y + self.bias", "(y + self.bias).to(x.dtype)"),
    ],
    "test_computes_with_its_codes": [
        (END, HIDE, "w = self.codes.float()", "w = self.__dict__.get('w', self.codes.float())"),
        (
            "w = self.codes.float()",
            "w = self.codes.abs().float()",
        ),
        ("w = self.codes.float()", "w = self.codes.float().sort(1).values"),
    ],
    "test_computes_with_its_scale_and_bias": [
        (END, HIDE.replace("codes.float()", "scale.clone()"), "* self.scale", "* self.w"),
        (END, HIDE.replace("codes.float()", "bias"), "y + self.bias", "y + self.w.abs()"),
    ],
    "test_keeps_no_float_copy_of_the_weights": [
        (END, HIDE),
        (END, "        layer.source = [linear]\n        return layer\n"),
        (END, hiding("layer.w = w.numpy().copy()")),
        (END, hiding("layer.w = w.tolist()")),
        (END, hiding("layer.w = w.half()")),
        (END, hiding("layer.w = [row.clone() for row in w]")),
        (END, hiding("layer.w = torch.nn.functional.pad(w, (0, 1))")),
        (END, hiding("layer.w = w.numpy().tobytes()")),
        (END, hiding("cls.seen = getattr(cls, 'seen', []) + [w.half()]")),
        (END, hiding("globals().setdefault('SEEN', {})[id(layer)] = w.numpy().copy()")),
        (END, hiding("kept = w.half(); layer.weights = lambda: kept.float()")),
        (END, hiding("kept = w.half(); layer.forward = lambda x: x @ kept.float().T")),
    ],
    "test_stores_a_scale_for_each_row": [
        ("/ 127)", "/ 120)"),
        (
            "w.abs().amax(1) / 127)",
            "w.abs().amax(1) / 127 if len(w) < 200 else w.abs().max() / 127)",
        ),
        ("torch.round", "torch.trunc"),
    ],
    "test_row_of_zeros_answers_its_bias": [
        (
            "w.abs().amax(1) / 127)",
            "1 / (127 / w.abs().amax(1)) * (w.abs().amax(1) / w.abs().amax(1)))",
        ),
    ],
    "test_state_dict_fills_a_fresh_layer": [
        ('self.register_buffer("scale", torch.ones(n_out))', "self.scale = torch.ones(n_out)"),
        ("bias=True", "bias=False"),
    ],
    "test_output_carries_no_graph": [("linear.bias.detach()", "linear.bias")],
    "test_keeps_the_bias_in_float32": [
        ("linear.bias.detach()", "linear.bias.detach().half()"),
        ("torch.zeros(n_out) if bias else None", "torch.zeros(n_out)"),
    ],
    "test_leaves_the_source_alone": [
        ("layer.bias.copy_(linear.bias.detach())", "layer.bias = linear.bias.detach()"),
        (END, "        linear.eval()\n        return layer\n"),
        ("x.float()", "x.mul_(1.5).float()"),
    ],
}


@pytest.mark.parametrize("claim", claims(LAYER))
def test_a_layer_is_judged_by_each_claim(claim: str) -> None:
    assert verdict(LAYER, claim, answer_of(RIGHT)) == ""
    for swaps in WRONG[claim]:
        assert verdict(LAYER, claim, answer_of(RIGHT, *swaps)), swaps
