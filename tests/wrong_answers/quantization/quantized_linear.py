"""Wrong and right answers to quantization/quantized_linear: each wrong one is one misconception."""

from halfbits.course.authoring.contract import RightAnswer, WrongAnswer

# The reference layer with places to change; a wrong answer below replaces one line of it.
LAYER = """
import torch
from torch import nn


class QuantizedLinear(nn.Module):
    def __init__(self, in_features, out_features, bias=True):
        super().__init__()
        self.register_buffer("codes", torch.zeros(out_features, in_features, dtype=torch.int8))
        self.register_buffer("scale", torch.ones(out_features))
        self.register_buffer("bias", torch.zeros(out_features) if bias else None)

    @classmethod
    def from_float(cls, linear):
        layer = cls(linear.in_features, linear.out_features, linear.bias is not None)
        codes, scale = quantize_weight(linear.weight)
        layer.codes.copy_(codes)
        layer.scale.copy_(scale.flatten())
        if linear.bias is not None:
            layer.bias.copy_(linear.bias.detach())
        return layer

    def forward(self, x):
        y = (x.float() @ self.codes.float().T) * self.scale
        return y if self.bias is None else y + self.bias
"""


def layer(old: str, new: str) -> str:
    """The reference layer with `old`, which must occur once, replaced by `new`."""
    assert LAYER.count(old) == 1, old
    return LAYER.replace(old, new)


WRONG = [
    WrongAnswer(
        "weight: truncate instead of rounding",
        """
def quantize_weight(w):
    w = w.detach().float()
    scale = (w.abs().amax(1, keepdim=True) / 127).clamp(min=2.0**-126)
    return (w / scale).clamp(-127, 127).to(torch.int8), scale
""",
        rejected_by="test_weight_error_is_at_most_half_a_step",
        says="never off by more than half a step",
    ),
    WrongAnswer(
        "weight: floor(x + 0.5) rounds halves up",
        """
def quantize_weight(w):
    w = w.detach().float()
    scale = (w.abs().amax(1, keepdim=True) / 127).clamp(min=2.0**-126)
    return torch.floor(w / scale + 0.5).clamp(-127, 127).to(torch.int8), scale
""",
        rejected_by="test_weight_rounds_half_to_even",
        says="floor(x + 0.5)",
    ),
    WrongAnswer(
        "weight: one scale for the whole matrix",
        """
def quantize_weight(w):
    w = w.detach().float()
    scale = (w.abs().amax() / 127).clamp(min=2.0**-126).repeat(len(w), 1)
    return torch.round(w / scale).clamp(-127, 127).to(torch.int8), scale
""",
        rejected_by="test_weight_outlier_channel_hurts_no_other",
        says="each row has its own scale",
    ),
    WrongAnswer(
        "weight: the maximum over the wrong axis",
        """
def quantize_weight(w):
    w = w.detach().float()
    scale = (w.abs().amax(0) / 127).clamp(min=2.0**-126)
    return torch.round(w / scale).clamp(-127, 127).to(torch.int8), scale
""",
        rejected_by="test_weight_gives_int8_codes_and_float32_scales",
        says="one for each output channel (row)",
    ),
    WrongAnswer(
        "weight: divide by 128 to use all 256 codes",
        """
def quantize_weight(w):
    w = w.detach().float()
    scale = (w.abs().amax(1, keepdim=True) / 128).clamp(min=2.0**-126)
    return torch.round(w / scale).clamp(-128, 127).to(torch.int8), scale
""",
        rejected_by="test_weight_scale_is_amax_over_127",
        says="no other divisor",
    ),
    WrongAnswer(
        "weight: scale and clamp, but wrap in the cast",
        """
def quantize_weight(w):
    w = w.detach().float()
    scale = (w.abs().amax(1, keepdim=True) / 127).clamp(min=2.0**-126)
    return (torch.round(w / scale) + 1).to(torch.int32).to(torch.int8), scale
""",
        rejected_by="test_weight_codes_use_exactly_minus_127_to_127",
        says="wrapping would turn 128 into -128",
    ),
    WrongAnswer(
        "weight: NaN from a row of zeros",
        """
def quantize_weight(w):
    w = w.detach().float()
    scale = w.abs().amax(1, keepdim=True) / 127
    scale = scale * (scale / scale)
    return torch.round(w / scale).clamp(-127, 127).nan_to_num().to(torch.int8), scale
""",
        rejected_by="test_weight_zero_row_gives_zeros",
        says="0 / 0 is NaN",
    ),
    WrongAnswer(
        "weight: a floor of 1e-8 under amax",
        """
def quantize_weight(w):
    w = w.detach().float()
    scale = w.abs().amax(1, keepdim=True).clamp(min=1e-8) / 127
    return torch.round(w / scale).clamp(-127, 127).to(torch.int8), scale
""",
        rejected_by="test_weight_scale_is_amax_over_127",
        says="no floor such as 1e-8",
    ),
    WrongAnswer(
        "weight: replace a scale of zero only where amax is zero",
        """
def quantize_weight(w):
    w = w.detach().float()
    amax = w.abs().amax(1, keepdim=True)
    scale = torch.where(amax == 0, 1.0, amax / 127)
    return torch.round(w / scale).clamp(-127, 127).to(torch.int8), scale
""",
        rejected_by="test_weight_denormal_rows_stay_finite",
        says="underflows to 0",
    ),
    WrongAnswer(
        "weight: multiply by 127 before dividing",
        """
def quantize_weight(w):
    w = w.detach().float()
    amax = w.abs().amax(1, keepdim=True).clamp(min=127 * 2.0**-126)
    return torch.round(w * 127 / amax).clamp(-127, 127).to(torch.int8), amax / 127
""",
        rejected_by="test_weight_huge_values_do_not_overflow",
        says="beyond float32",
    ),
    WrongAnswer(
        "weight: compute in the dtype of the weights",
        """
def quantize_weight(w):
    w = w.detach()
    scale = (w.abs().amax(1, keepdim=True) / 127).clamp(min=torch.finfo(w.dtype).tiny)
    return torch.round(w / scale).clamp(-127, 127).to(torch.int8), scale.float()
""",
        rejected_by="test_weight_half_precision_is_computed_in_float32",
        says="convert to float32 first",
    ),
    WrongAnswer(
        "weight: codes returned as float32",
        """
def quantize_weight(w):
    w = w.detach().float()
    scale = (w.abs().amax(1, keepdim=True) / 127).clamp(min=2.0**-126)
    return torch.round(w / scale).clamp(-127, 127), scale
""",
        rejected_by="test_weight_gives_int8_codes_and_float32_scales",
        says="tensor float32",
    ),
    WrongAnswer(
        "weight: divide in place",
        """
def quantize_weight(w):
    w = w.detach()
    scale = (w.float().abs().amax(1, keepdim=True) / 127).clamp(min=2.0**-126)
    return w.div_(scale).round().clamp(-127, 127).to(torch.int8), scale
""",
        rejected_by="test_weight_is_left_untouched_without_a_graph",
        says="left as it was",
    ),
    WrongAnswer(
        "weight: the scale keeps its graph",
        """
def quantize_weight(w):
    w = w.float()
    scale = (w.abs().amax(1, keepdim=True) / 127).clamp(min=2.0**-126)
    return torch.round(w / scale).clamp(-127, 127).to(torch.int8), scale
""",
        rejected_by="test_weight_is_left_untouched_without_a_graph",
        says="requires_grad",
    ),
    WrongAnswer(
        "weight: reads the storage of a view as if it were contiguous",
        """
def quantize_weight(w):
    flat = w.detach().as_strided(w.shape, (w.shape[1], 1), 0).float()
    scale = (flat.abs().amax(1, keepdim=True) / 127).clamp(min=2.0**-126)
    return torch.round(flat / scale).clamp(-127, 127).to(torch.int8), scale
""",
        rejected_by="test_weight_layout_in_memory_does_not_matter",
        says="a view is the same matrix",
    ),
    WrongAnswer(
        "weight: the worked example's numbers, whatever comes in",
        """
def quantize_weight(w):
    codes = torch.tensor([-64, 17, 0, 127], dtype=torch.int8)
    columns = torch.arange(w.shape[1]) % 4
    return codes[columns].repeat(len(w), 1), torch.full((len(w), 1), 2 / 127)
""",
        rejected_by="test_weight_scale_is_amax_over_127",
        says="off by",
    ),
    WrongAnswer(
        "activation: symmetric int8 codes",
        """
def quantize_activation(x):
    x = x.detach().float()
    scale = max(x.abs().max().item() / 127, 2.0**-126)
    return torch.round(x / scale).clamp(-127, 127).to(torch.int8), scale, 0
""",
        rejected_by="test_activation_gives_uint8_codes_one_scale_one_zero_point",
        says="tensor int8",
    ),
    WrongAnswer(
        "activation: the range need not include zero",
        """
def quantize_activation(x):
    x = x.detach().float()
    low, high = x.min().item(), x.max().item()
    scale = max((high - low) / 255, 2.0**-126)
    zero_point = min(max(round(-low / scale), 0), 255)
    return (torch.round(x / scale) + zero_point).clamp(0, 255).to(torch.uint8), scale, zero_point
""",
        rejected_by="test_activation_scale_spreads_the_range_over_255_steps",
        says="0 is inside the range",
    ),
    WrongAnswer(
        "activation: divide the range by 256",
        """
def quantize_activation(x):
    x = x.detach().float()
    low, high = min(x.min().item(), 0.0), max(x.max().item(), 0.0)
    scale = max((high - low) / 256, 2.0**-126)
    zero_point = min(round(-low / scale), 255)
    return (torch.round(x / scale) + zero_point).clamp(0, 255).to(torch.uint8), scale, zero_point
""",
        rejected_by="test_activation_scale_spreads_the_range_over_255_steps",
        says="255 steps",
    ),
    WrongAnswer(
        "activation: the smallest value is exact, 0.0 is not",
        """
def quantize_activation(x):
    x = x.detach().float()
    low, high = min(x.min().item(), 0.0), max(x.max().item(), 0.0)
    scale = max((high - low) / 255, 2.0**-126)
    return torch.round((x - low) / scale).clamp(0, 255).to(torch.uint8), scale, -low / scale
""",
        rejected_by="test_activation_gives_uint8_codes_one_scale_one_zero_point",
        says="a whole number",
    ),
    WrongAnswer(
        "activation: the zero point cut off instead of rounded",
        """
def quantize_activation(x):
    x = x.detach().float()
    low, high = min(x.min().item(), 0.0), max(x.max().item(), 0.0)
    scale = max((high - low) / 255, 2.0**-126)
    codes = torch.round((x - low) / scale).clamp(0, 255).to(torch.uint8)
    return codes, scale, int(-low / scale)
""",
        rejected_by="test_activation_zero_is_exact",
        says="an error there repeats everywhere",
    ),
    WrongAnswer(
        "activation: high - low on float32 tensors overflows",
        """
def quantize_activation(x):
    x = x.detach().float()
    low, high = x.min().clamp(max=0), x.max().clamp(min=0)
    scale = ((high - low) / 255).clamp(min=2.0**-126)
    zero_point = torch.round(-low / scale).clamp(0, 255).int()
    return (torch.round(x / scale) + zero_point).clamp(0, 255).to(torch.uint8), scale, zero_point
""",
        rejected_by="test_activation_extreme_ranges_stay_finite",
        says="a finite scale above 0",
    ),
    WrongAnswer(
        "activation: computed in the dtype of x",
        """
def quantize_activation(x):
    x = x.detach()
    low, high = x.min().clamp(max=0), x.max().clamp(min=0)
    scale = (high / 255 - low / 255).clamp(min=torch.finfo(x.dtype).tiny)
    zero_point = torch.round(-low / scale).clamp(0, 255).int()
    return (torch.round(x / scale) + zero_point).clamp(0, 255).to(torch.uint8), scale, zero_point
""",
        rejected_by="test_activation_half_precision_is_computed_in_float32",
        says="more digits than 16 bits",
    ),
    WrongAnswer(
        "layer: decoy, int8 is stored but float weights are used",
        layer(
            "        return layer\n",
            "        layer.__dict__['hidden'] = linear.weight.detach().clone()\n"
            "        return layer\n",
        ).replace(
            "y = (x.float() @ self.codes.float().T) * self.scale",
            "w = self.__dict__.get('hidden', self.codes.float() * self.scale[:, None])\n"
            "        y = x.float() @ w.T",
        ),
        rejected_by="test_layer_computes_with_its_codes",
        says="not from float weights kept elsewhere",
    ),
    WrongAnswer(
        "layer: caches the float weights at the first call",
        layer(
            "        y = (x.float() @ self.codes.float().T) * self.scale\n",
            "        if not hasattr(self, 'cache'):\n"
            "            self.cache = self.codes.float() * self.scale[:, None]\n"
            "        y = x.float() @ self.cache.T\n",
        ),
        rejected_by="test_layer_keeps_no_float_copy_of_the_weights",
        says="no float tensor with in * out numbers",
    ),
    WrongAnswer(
        "layer: keeps the source layer inside",
        layer("        return layer\n", "        layer.source = [linear]\n        return layer\n"),
        rejected_by="test_layer_keeps_no_float_copy_of_the_weights",
        says="no float tensor with in * out numbers",
    ),
    WrongAnswer(
        "layer: stores the rounded weights as float32",
        layer(", dtype=torch.int8)", ")"),
        rejected_by="test_layer_stores_int8_in_a_quarter_of_the_bytes",
        says="exactly one int8 tensor",
    ),
    WrongAnswer(
        "layer: codes and scale are plain attributes",
        layer(
            'self.register_buffer("codes", ',
            "self.codes = (",
        ).replace(
            'self.register_buffer("scale", torch.ones(out_features))',
            "self.scale = torch.ones(out_features)",
        ),
        rejected_by="test_layer_stores_int8_in_a_quarter_of_the_bytes",
        says="what is not in the state_dict is not saved",
    ),
    WrongAnswer(
        "layer: quantizes the inputs as well",
        layer(
            "        y = (x.float() @",
            "        step = x.float().abs().amax().clamp(min=1e-30) / 127 if x.numel() else 1.0\n"
            "        x = torch.round(x.float() / step) * step\n"
            "        y = (x.float() @",
        ),
        rejected_by="test_layer_output_is_x_times_dequantized_weights",
        says="only the weights are quantized",
    ),
    WrongAnswer(
        "layer: half-precision arithmetic",
        layer(
            "(x.float() @ self.codes.float().T)", "(x.bfloat16() @ self.codes.bfloat16().T).float()"
        ),
        rejected_by="test_layer_output_is_x_times_dequantized_weights",
        says="stay in float32",
    ),
    WrongAnswer(
        "layer: the output has the dtype of the input",
        layer("return y if", "y = y.to(x.dtype)\n        return y if").replace(
            "y + self.bias", "y + self.bias.to(x.dtype)"
        ),
        rejected_by="test_layer_takes_any_leading_shape",
        says="tensor float16",
    ),
    WrongAnswer(
        "layer: four bits in an int8 tensor",
        layer("layer.codes.copy_(codes)", "layer.codes.copy_(torch.round(codes / 18.1))").replace(
            "scale.flatten())", "scale.flatten() * 18.1)"
        ),
        rejected_by="test_layer_differs_from_float_by_the_quantization_error",
        says="a coarser scale",
    ),
    WrongAnswer(
        "layer: accepts two axes only",
        layer("(x.float() @ self.codes.float().T)", "torch.mm(x.float(), self.codes.float().T)"),
        rejected_by="test_layer_takes_any_leading_shape",
        says="raised RuntimeError",
    ),
    WrongAnswer(
        "layer: shares the bias with the source",
        layer("layer.bias.copy_(linear.bias.detach())", "layer.bias = linear.bias.detach()"),
        rejected_by="test_layer_leaves_the_source_alone",
        says="owns its numbers",
    ),
    WrongAnswer(
        "layer: the bias is rounded to bfloat16",
        layer("linear.bias.detach())", "linear.bias.detach().bfloat16())"),
        rejected_by="test_layer_keeps_the_bias_in_float32",
        says="shifts every output",
    ),
    WrongAnswer(
        "layer: a fresh layer has no bias to load into",
        layer("torch.zeros(out_features) if bias else None", "None").replace(
            "layer.bias.copy_(linear.bias.detach())", "layer.bias = linear.bias.detach().clone()"
        ),
        rejected_by="test_layer_state_dict_fills_a_fresh_layer",
        says="Unexpected key",
    ),
    WrongAnswer(
        "ends the process with success",
        """
import sys
sys.exit(0)
""",
        rejected_by=None,
        says="exit",
    ),
]

RIGHT = [
    RightAnswer(
        "row by row, in numpy",
        """
import numpy as np


def quantize_weight(w):
    rows = w.detach().float().numpy()
    codes = np.zeros(rows.shape, dtype=np.int8)
    scales = np.ones(len(rows), dtype=np.float32)
    for i, row in enumerate(rows):
        amax = np.abs(row).max()
        if amax / np.float32(127) >= np.finfo(np.float32).tiny:
            scales[i] = amax / np.float32(127)
        else:
            scales[i] = np.finfo(np.float32).tiny
        codes[i] = np.clip(np.rint(row / scales[i]), -127, 127)
    return torch.from_numpy(codes), torch.from_numpy(scales)
""",
    ),
    RightAnswer(
        "scales without the kept dimension, in float64",
        """
def quantize_weight(w):
    wide = w.detach().double()
    scale = (wide.abs().max(dim=-1).values / 127).clamp_min(2.0**-126).float()
    codes = torch.div(wide, scale.double().unsqueeze(-1)).round_().clamp_(-127, 127)
    return codes.char(), scale
""",
    ),
    RightAnswer(
        "activation: tensors, quotients first, one rounding at the end",
        """
def quantize_activation(x):
    with torch.no_grad():
        x = x.to(torch.float32)
        low, high = x.amin().clamp(max=0), x.amax().clamp(min=0)
        scale = torch.clamp(high / 255 - low / 255, min=2.0**-126)
        zero_point = torch.round(-low / scale).clamp(0, 255)
        codes = torch.round(x / scale + zero_point).clamp(0, 255).byte()
    return codes, scale, zero_point.to(torch.int64)
""",
    ),
    RightAnswer(
        "lists in place of tuples",
        """
tuple_of_weight, tuple_of_activation = quantize_weight, quantize_activation


def quantize_weight(w):
    return list(tuple_of_weight(w))


def quantize_activation(x):
    return list(tuple_of_activation(x))
""",
    ),
    RightAnswer(
        "layer: other names, scale as a column, weights dequantized for each call",
        """
from torch import nn
from torch.nn import functional as F


class QuantizedLinear(nn.Module):
    def __init__(self, in_features, out_features, bias=True):
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.register_buffer("q", torch.empty((out_features, in_features), dtype=torch.int8))
        self.register_buffer("step", torch.empty((out_features, 1), dtype=torch.float32))
        if bias:
            self.offset = nn.Parameter(torch.empty(out_features), requires_grad=False)
        else:
            self.offset = None

    @staticmethod
    def from_float(linear):
        has_bias = linear.bias is not None
        layer = QuantizedLinear(linear.in_features, linear.out_features, bias=has_bias)
        q, step = quantize_weight(linear.weight)
        state = {"q": q, "step": step.view(-1, 1)}
        if has_bias:
            state["offset"] = linear.bias.detach().float()
        layer.load_state_dict(state)
        return layer

    @torch.no_grad()
    def forward(self, x):
        return F.linear(x.to(torch.float32), self.q * self.step, self.offset)
""",
    ),
    RightAnswer(
        "layer: a subclass of nn.Linear without its weight",
        """
from torch import nn


class QuantizedLinear(nn.Linear):
    def __init__(self, in_features, out_features, bias=True):
        super().__init__(in_features, out_features, bias=bias)
        del self.weight
        if bias:
            self.bias.requires_grad_(False)
        self.register_buffer("weight", torch.zeros(out_features, in_features, dtype=torch.int8))
        self.register_buffer("weight_scale", torch.zeros(out_features, 1))

    @classmethod
    def from_float(cls, linear):
        self = cls(linear.in_features, linear.out_features, linear.bias is not None)
        with torch.no_grad():
            self.weight[:], scale = quantize_weight(linear.weight)
            self.weight_scale[:] = scale.view(-1, 1)
            if linear.bias is not None:
                self.bias.copy_(linear.bias)
        return self

    def forward(self, x):
        out = torch.einsum("...i,oi->...o", x.float(), self.weight.float())
        out = out * self.weight_scale[:, 0]
        return out if self.bias is None else out + self.bias
""",
    ),
]
