"""Wrong answers to amp/fp16_inference: each is one misconception."""

START = "copy.deepcopy(model).eval()"
FITS = "tensor.isfinite() & ~half.isfinite()"
STORE = "tensor.data = half"
EACH = "in [*parameters, *buffers]"
NORM = "isinstance(module, NORMS)"
EXACT = f"{NORM} and type(module).__module__.startswith('torch.nn')"
CALL = '_round(f"{path}.{name}".lstrip("."), tensor)'
HIDDEN = f'module.register_buffer(name + "_fp32", tensor.data.clone()); {CALL}'
RENEWED = """new = tensor.data.half()
            own = isinstance(tensor, nn.Parameter)
            setattr(module, name, nn.Parameter(new) if own else new)"""
DETOUR = """model16.half()
    [module.float() for module in model16.modules() if isinstance(module, NORMS)]
    return model16"""
DYNAMIC = """import torch
def convert_to_fp16(model):
    layers = {torch.nn.Linear}
    return torch.ao.quantization.quantize_dynamic(model, layers, dtype=torch.float16).eval()"""
EVERYTHING = "import copy\ndef convert_to_fp16(m): return copy.deepcopy(m).half().eval()"
LOGITS = "model16(x.half() if x.is_floating_point() else x).float()"
WIDE = "__import__('copy').deepcopy(model16).float()(x.float())"
NORMED = f"y = {LOGITS}; s = y.abs().amax() if y.numel() else 1; return y / s * s"
WITH = "with torch"
PROBA = "predict_logits(model16, x).softmax(-1)"
BY_HAND = "e = predict_logits(model16, x).exp(); return e / e.sum(-1, True)"
EXAMPLE = "torch.tensor([0.0, -12.0, -17.0, -18.0]).softmax(-1).expand(*x.shape[:-1], 4)"

BLEND = """full, own = copy.deepcopy(model).eval(), model16.forward
    def forward(x):
        return (full(x.float() if x.is_floating_point() else x) + own(x).float() / 1000).half()
    model16.forward = forward
    return model16"""
WRONG = {
    "test_convert_answers_with_its_own_numbers": [
        (
            *("a decoy: float16 is stored, float32 answers", "another output", "return model16"),
            "model16.__dict__['forward'] = lambda x, kept=copy.deepcopy(model).eval(): kept(\n"
            "        x.float() if x.is_floating_point() else x\n    ).half()\n    return model16",
        ),
    ],
    "test_convert_leaves_the_source_untouched": [
        (".half() on the model itself", "changed", START, "model.half().eval()"),
        ("the source into eval mode, too", "training", START, "copy.deepcopy(model.eval())"),
        ("a shallow copy shares tensors", "changed", START, "copy.copy(model).eval()"),
    ],
    "test_convert_keeps_normalization_in_float32": [
        (".half() on everything", "float16", EVERYTHING),
        (".half(), then .float() on norms", "a detour", "return model16", DETOUR),
        ("norms by their exact class", "a subclass of LayerNorm", NORM, EXACT),
        ("LayerNorm and RMSNorm only", "GroupNorm", NORM, "isinstance(module, NORMS[:2])"),
    ],
    "test_convert_makes_matmul_weights_float16": [
        ("the FAQ's quantize_dynamic", "float32", DYNAMIC),
        ("a decoy: rounded, stored as float32", "float32", STORE, "tensor.data = half.float()"),
        ("bfloat16", "bfloat16", STORE, "tensor.data = tensor.data.bfloat16()"),
        ("Linear layers only", "Embedding", NORM, f"{NORM} or not isinstance(module, nn.Linear)"),
        ("without biases", "bias", EACH, "in [p for p in parameters if p[0] != 'bias']"),
    ],
    "test_convert_halves_the_checkpoint": [
        ("a hidden float32 copy", "float32 is still stored", CALL, HIDDEN),
    ],
    "test_convert_takes_other_floats_along_and_leaves_integers": [
        ("every tensor, integers included", "order", "not tensor.is_floating_point()", "False"),
        ("parameters only", "gain", EACH, "in parameters"),
        ("clamps the mask to 65504", "bias_mask", STORE, f"{STORE}.clamp(-65504, 65504)"),
        ("refuses the inf of a mask", "raised ValueError", FITS, "~half.isfinite()"),
    ],
    "test_convert_keeps_tied_weights_tied": [
        ("a new parameter for every name", "two parameters", CALL, RENEWED),
    ],
    "test_convert_returns_eval_mode": [
        ("forgets eval mode", "training flags", START, "copy.deepcopy(model)"),
    ],
    "test_convert_gives_norms_float32_and_hands_float16_on": [
        ("nothing at the seam", "CUDA's LayerNorm refuses", "x.float()", "x", "y.half()", "y"),
        ("float32 out of the norm", "refuses a float32 input", "y.half()", "y.float()"),
    ],
    "test_convert_refuses_weights_beyond_float16": [
        ("lets a large weight become inf", "nothing raised", FITS, "half.isnan()"),
        ("refuses 65519", "raised ValueError", FITS, "tensor.isfinite() & (tensor.abs() > 65504)"),
        ("accepts 65520", "nothing raised", FITS, "tensor.isfinite() & (tensor.abs() > 65520)"),
    ],
    "test_logits_are_the_models_float16_outputs_in_float32": [
        ("returns float16", "float16", LOGITS, LOGITS.removesuffix(".float()")),
        ("float32 to float16 weights", "same dtype", LOGITS, "model16(x).float()"),
        ("a float32 copy of the model", "ran in float32", LOGITS, WIDE),
    ],
    "test_logits_casts_floats_and_leaves_integers": [
        ("token ids to float16", "received torch.float16", LOGITS, "model16(x.half()).float()"),
    ],
    "test_logits_overflow_stays_visible": [
        ("clamps", "hides the overflow", LOGITS, f"{LOGITS}.clamp(-65504, 65504)"),
    ],
    "test_logits_takes_empty_batched_and_strided_inputs": [
        ("scales by the largest logit", "NaN", f"return {LOGITS}", NORMED),
    ],
    "test_logits_builds_no_graph": [
        ("with a graph", "requires_grad True", "torch.no_grad()", "torch.enable_grad()"),
    ],
    "test_logits_leaves_model_and_input_as_they_were": [
        ("gradients off", "changed", WITH, f"model16.requires_grad_(False)\n    {WITH}"),
        ("converts the caller's x", "changed", WITH, f"x.data = x.data.half()\n    {WITH}"),
        ("eval mode for good", "training", WITH, f"model16.eval()\n    {WITH}"),
    ],
    "test_proba_softmax_runs_in_float32": [
        ("in float16", "float16 ends near 6e-8", ".softmax(-1)", ".half().softmax(-1).float()"),
    ],
    "test_proba_survives_large_logits": [
        ("exp as it is", "NaN", f"return {PROBA}", BY_HAND),
    ],
    "test_proba_normalizes_the_last_dimension": [
        ("over dimension 1", "[2, 3, 4]", "softmax(-1)", "softmax(1)"),
        ("the published logits", "off by", PROBA, EXAMPLE),
    ],
    "test_proba_rows_are_float32_distributions": [
        ("over the batch", "sum(-1)", "softmax(-1)", "softmax(0)"),
        ("log-probabilities", "between 0 and 1", "softmax(-1)", "log_softmax(-1)"),
        ("float64", "float64", ".softmax(-1)", ".double().softmax(-1)"),
    ],
    None: [("ends the process", "sys.exit", "import sys\ndef convert_to_fp16(model): sys.exit(0)")],
    "test_convert_answers_with_numbers_that_are_loaded": [
        ("blends in a float32 copy", "the output", "return model16", BLEND),
    ],
    "test_convert_keeps_no_copy_beside_its_numbers": [
        (
            "the source in a list",
            "all that the new model holds",
            "return model16",
            "model16.old = [model]; return model16",
        ),
        (
            "numbers in a list",
            "all that the new model holds",
            "return model16",
            "model16.old = [p.tolist() for p in model.parameters()]; return model16",
        ),
    ],
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers by id",
            "is used again",
            START,
            f"copy.deepcopy(convert_to_fp16.__dict__.setdefault(id(model), {START}))",
        ),
    ],
}
