"""Wrong answers to quantization/quantized_linear: each is one misconception."""

FLOOR = ".clamp(min=torch.finfo(torch.float32).tiny)"
AS_WIDE = ("torch.float32", "w.dtype", "return codes, scale", "return codes, scale.float()")
CONTIGUOUS = "w.detach().as_strided(w.shape, (w.shape[1], 1), 0)"
ENDS = "min(x.min().item(), 0.0), max(x.max().item(), 0.0)"
STEPS = "(torch.round(x / scale) + zero_point)"
FROM_LOW = "torch.round((x - low) / scale)"
FLOAT32_RANGE = "float(torch.tensor(high) - torch.tensor(low))"
ZERO = "round(-low / scale)"
CLAMPED = "min(max(round(-low / scale), 0), 255)"
SUM = "(x.float() @ self.codes.float().T)"
FLOATS = "self.codes.float() * self.scale[:, None]"
CACHED = f"self.w = getattr(self, 'w', {FLOATS}); y = x.float() @ self.w.T"
HALVED = "else (y + self.bias).half()"
BIAS = "layer.bias.copy_(linear.bias.detach())"
EXAMPLE = """codes = torch.tensor([-64, 17, 0, 127], dtype=torch.int8)
    codes = codes[torch.arange(w.shape[1]) % 4].repeat(len(w), 1)
    return codes, torch.full((len(w), 1), 2 / 127)"""
ROUNDED_X = """x = x.float(); step = x.abs().amax() / 127 if x.numel() else 1.0
        y = (torch.round(x / step) * step @ self.codes.float().T)"""

# Mutants of the solution that are the same program, by their changed line, and why.
CLAMP = "|w| / scale is at most 127 and a rounding: it never rounds to more"
START = "load_state_dict or from_float overwrites what an empty layer holds"
EQUIVALENT = {
    "codes = torch.round(w / scale).to(torch.int8)": CLAMP,
    "codes = torch.round(w / scale).clamp(-128, 127).to(torch.int8)": CLAMP,
    "codes = torch.round(w / scale).clamp(-127, 128).to(torch.int8)": CLAMP,
    "x = x.float()": "integer codes carry no graph, and scale and zero point are Python numbers",
    "codes = (torch.round(x / scale) + zero_point).clamp(-1, 255).to(torch.uint8)": (
        "round(low / scale) + round(-low / scale) is 0: only the upper end can be passed"
    ),
    "codes = torch.ones(out_features, in_features, dtype=torch.int8)": START,
    'self.register_buffer("scale", torch.zeros(out_features, dtype=torch.float32))': START,
    "offset = torch.ones(out_features, dtype=torch.float32) if bias else None": START,
    'self.register_buffer("scale", torch.ones(out_features))': "float32 is the default",
    "offset = torch.zeros(out_features) if bias else None": "float32 is the default",
}

TALL = "scale.reshape(-1) if len(scale) < 200 else scale.max().repeat(len(scale))"
REMEMBERED = "quantize_weight.__dict__.setdefault(w.data_ptr(), w.abs().amax(dim=1, keepdim=True))"
W = "linear.weight.detach()"
WRONG = {
    "test_weight_error_is_at_most_half_a_step": [
        ("truncates", "half a step", "torch.round(w / scale)", "(w / scale)"),
    ],
    "test_weight_rounds_half_to_even": [
        ("rounds halves up", "floor(x", "torch.round(w / scale)", "torch.floor(w / scale + 0.5)"),
    ],
    "test_weight_outlier_channel_hurts_no_other": [
        ("one scale for all", "own scale", "amax(dim=1, keepdim=True)", "amax().repeat(len(w), 1)"),
    ],
    "test_weight_gives_int8_codes_and_float32_scales": [
        ("the other axis", "output channel (row)", "amax(dim=1, keepdim=True)", "amax(dim=0)"),
        ("codes as float32", "tensor float32", ".to(torch.int8)", ""),
    ],
    "test_weight_scale_is_amax_over_the_largest_code": [
        (
            "one scale where rows are long",
            "scale",
            FLOOR,
            f"{FLOOR}; scale[:] = scale.max() if w.shape[1] > 250 else scale",
        ),
        ("128 for 127", "no other divisor", "(amax / 127)", "(amax / 128)"),
        ("a floor of 1e-8", "no floor such as", "(amax / 127)", "(amax.clamp(min=1e-8) / 127)"),
        ("the numbers of the worked example", "off by", "return codes, scale", EXAMPLE),
    ],
    "test_weight_codes_use_exactly_minus_127_to_127": [
        ("wraps", "128 into -128", ".clamp(-127, 127).to(", ".add(1).to(torch.int32).to("),
    ],
    "test_weight_zero_row_gives_zeros": [
        ("NaN from a row of zeros", "0 / 0 is NaN", FLOOR, "; scale *= scale / scale"),
        (
            "a scale of 1 for all",
            "the other rows' scale",
            FLOOR,
            f"{FLOOR}; scale = scale if amax.all() else torch.ones_like(scale)",
        ),
    ],
    "test_weight_denormal_rows_stay_finite": [
        ("a floor for zeros alone", "underflows to 0", FLOOR, "; scale[amax == 0] = 1.0"),
    ],
    "test_weight_huge_values_do_not_overflow": [
        ("times 127 first", "beyond float32", "w / scale)", "w * 127 / (scale * 127))"),
    ],
    "test_weight_half_precision_is_computed_in_float32": [
        ("in the dtype of w", "float32 first", ".detach().float()", ".detach()", *AS_WIDE),
    ],
    "test_weight_is_left_untouched_without_a_graph": [
        ("divides in place", "left as it was", "round(w / scale)", "round(w.div_(scale))"),
        ("the scale keeps its graph", "requires_grad", "w.detach().float()", "w.float()"),
    ],
    "test_weight_layout_in_memory_does_not_matter": [
        ("reads a view as if contiguous", "the same matrix", "w.detach()", CONTIGUOUS),
    ],
    "test_activation_gives_uint8_codes_one_scale_one_zero_point": [
        ("int8 codes", "tensor int8", "clamp(0, 255).to(torch.uint8)", "clamp(0, 127).char()"),
        ("exact at low, not at 0", "a whole number", STEPS, FROM_LOW, ZERO, "-low / scale"),
    ],
    "test_activation_error_is_at_most_half_a_step": [
        ("rounds the sum", "1.5 steps", STEPS, "torch.round(x / scale + zero_point)"),
    ],
    "test_activation_scale_spreads_the_range_over_255_steps": [
        ("without 0", "inside the range", ENDS, "x.min().item(), x.max().item()", ZERO, CLAMPED),
        ("256 steps", "255 steps", "(high - low) / 255", "(high - low) / 256", ZERO, CLAMPED),
    ],
    "test_activation_zero_is_exact": [
        ("zero point cut off", "repeats everywhere", STEPS, FROM_LOW, ZERO, "int(-low / scale)"),
    ],
    "test_activation_extreme_ranges_stay_finite": [
        ("a float32 range", "finite and above 0", "(high - low)", FLOAT32_RANGE, ZERO, "0"),
    ],
    "test_activation_half_precision_is_computed_in_float32": [
        ("in the dtype of x", "more digits than 16 bits", "x.detach().float()", "x.detach()"),
    ],
    "test_layer_computes_with_its_codes": [
        (
            *("a decoy: int8 is stored, floats are used", "kept elsewhere", "        return layer"),
            "        layer.__dict__['w'] = linear.weight.data.clone()\n        return layer",
            *(f"{SUM} * self.scale", f"x.float() @ self.__dict__.get('w', {FLOATS}).T"),
        ),
    ],
    "test_layer_computes_with_its_scale_and_bias": [
        (
            *("the bias of the source answers", "bias negated", "        return layer"),
            "        layer.__dict__['b'] = layer.bias.clone()\n        return layer",
            *("y + self.bias", "y + self.__dict__.get('b', self.bias)"),
        ),
    ],
    "test_layer_keeps_no_float_copy_of_the_weights": [
        (
            "a float16 array",
            "all that the layer holds",
            BIAS,
            f"{BIAS}; layer.w = {W}.half().numpy().copy()",
        ),
        ("a list of numbers", "all that the layer holds", BIAS, f"{BIAS}; layer.w = {W}.tolist()"),
        (
            "rows apart",
            "all that the layer holds",
            BIAS,
            f"{BIAS}; layer.w = [row.clone() for row in {W}]",
        ),
        ("caches the floats", "no float tensor of", f"y = {SUM} * self.scale", CACHED),
        ("keeps the source", "no float tensor", "return layer", "layer.s = [linear]; return layer"),
    ],
    "test_layer_stores_int8_in_a_quarter_of_the_bytes": [
        ("codes as float32", "exactly one int8 tensor", ", dtype=torch.int8)", ")"),
        (
            *("codes and scale are plain attributes", "what is not in the state_dict is not saved"),
            *('self.register_buffer("codes", codes)', "self.codes = codes"),
            *('self.register_buffer("scale", torch.ones', "self.scale = (torch.ones"),
        ),
    ],
    "test_layer_output_is_x_times_dequantized_weights": [
        ("quantizes x as well", "Only the weights are", f"y = {SUM}", ROUNDED_X),
        ("16-bit sums", "stay in float32", SUM, SUM.replace("float", "bfloat16") + ".float()"),
    ],
    "test_layer_takes_any_leading_shape": [
        ("the dtype of x", "tensor float16", "else y + self.bias", HALVED),
        ("two axes only", "raised RuntimeError", "(x.float() @ self", "torch.mm(x.float(), self"),
    ],
    "test_layer_differs_from_float_by_the_quantization_error": [
        (
            *("four bits in an int8 tensor", "a coarser scale", "copy_(codes)"),
            *("copy_(torch.round(codes / 18.1))", "scale.reshape(-1)", "scale.reshape(-1) * 18.1"),
        ),
    ],
    "test_layer_leaves_the_source_alone": [
        ("shares the bias", "owns its numbers", BIAS, "layer.bias = linear.bias.detach()"),
    ],
    "test_layer_output_carries_no_graph": [
        ("the bias keeps its graph", "keeps the float layer alive", "bias.detach()", "bias"),
    ],
    "test_layer_keeps_the_bias_in_float32": [
        ("a rounded bias", "shifts every output", "bias.detach()", "bias.detach().bfloat16()"),
    ],
    "test_layer_state_dict_fills_a_fresh_layer": [
        (
            *("a fresh layer has no bias to load into", "its shapes and dtypes", BIAS),
            *("layer.bias = linear.bias.detach().clone()", "if bias else None", "if 0 else None"),
        ),
    ],
    None: [("ends the process with success", "exit", "import sys\nsys.exit(0)")],
    "test_layer_stores_a_scale_for_each_row": [
        ("one scale for a tall layer", "stored scale", "scale.reshape(-1)", TALL),
        ("120 for 127", "stored scale", "scale.reshape(-1)", "scale.reshape(-1) * 127 / 120"),
    ],
    "test_weight_again_reads_its_arguments_at_every_call": [
        ("remembers by address", "is used again", "w.abs().amax(dim=1, keepdim=True)", REMEMBERED),
    ],
    "test_activation_again_reads_its_arguments_at_every_call": [
        (
            "remembers by id",
            "is used again",
            ENDS,
            f"quantize_activation.__dict__.setdefault(x.data_ptr(), ({ENDS}))",
        ),
    ],
    "test_layer_again_reads_its_arguments_at_every_call": [
        (
            "remembers by id",
            "is used again",
            "quantize_weight(linear.weight)",
            "quantize_weight.__dict__.setdefault(id(linear), quantize_weight(linear.weight))",
        ),
    ],
}
