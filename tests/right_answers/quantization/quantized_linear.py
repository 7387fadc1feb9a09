"""Right answers to quantization/quantized_linear, each in its own style."""

from halfbits.course.authoring.contract import swap

RIGHT = {
    "row by row, in numpy": """
import numpy as np
def quantize_weight(w):
    rows = w.detach().float().numpy()
    codes = np.zeros(rows.shape, dtype=np.int8)
    scales = np.ones(len(rows), dtype=np.float32)
    for i, row in enumerate(rows):
        scales[i] = max(np.abs(row).max() / np.float32(127), np.finfo(np.float32).tiny)
        codes[i] = np.clip(np.rint(row / scales[i]), -127, 127)
    return torch.from_numpy(codes), torch.from_numpy(scales)
""",
    "scales without the kept dimension, in float64": """
def quantize_weight(w):
    wide = w.detach().double()
    scale = (wide.abs().max(dim=-1).values / 127).clamp_min(2.0**-126).float()
    codes = torch.div(wide, scale.double().unsqueeze(-1)).round_().clamp_(-127, 127)
    return codes.char(), scale
""",
    "activation: tensors, quotients first": """
def quantize_activation(x):
    with torch.no_grad():
        x = x.to(torch.float32)
        low, high = x.amin().clamp(max=0), x.amax().clamp(min=0)
        scale = torch.clamp(high / 255 - low / 255, min=2.0**-126)
        zero_point = torch.round(-low / scale).clamp(0, 255)
        codes = (torch.round(x / scale) + zero_point).clamp(0, 255).byte()
    return codes, scale, zero_point.to(torch.int64)
""",
    "weight: a list": swap("quantize_weight", "return codes, scale", "return [codes, scale]"),
    "activation: a list": swap(
        "quantize_activation",
        "return codes, scale, zero_point",
        "return [codes, scale, zero_point]",
    ),
    "layer: other names, scale as a column, weights dequantized for each call": """
class QuantizedLinear(nn.Module):
    def __init__(self, in_features, out_features, bias=True):
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.register_buffer("q", torch.empty((out_features, in_features), dtype=torch.int8))
        self.register_buffer("step", torch.empty((out_features, 1), dtype=torch.float32))
        offset = nn.Parameter(torch.empty(out_features), requires_grad=False)
        self.offset = offset if bias else None
    @staticmethod
    def from_float(linear):
        layer = QuantizedLinear(*linear.weight.shape[::-1], bias=linear.bias is not None)
        state = dict(zip(("q", "step"), quantize_weight(linear.weight)))
        if linear.bias is not None:
            state["offset"] = linear.bias.detach().float()
        layer.load_state_dict(state)
        return layer
    @torch.no_grad()
    def forward(self, x):
        return nn.functional.linear(x.to(torch.float32), self.q * self.step, self.offset)
""",
    "layer: a subclass of nn.Linear without its weight": """
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
        rows = self.weight.float()
        out = torch.einsum("...i,oi->...o", x.float(), rows) * self.weight_scale[:, 0]
        return out if self.bias is None else out + self.bias
""",
}
