"""Wrong answers to amp/amp_basics: each is one misconception."""

FP32 = "a.float() @ b.float()"
LOWP = "a.to(dtype) @ b.to(dtype)"
PROMOTED = "a.to((t := __import__('torch')).promote_types(a.dtype, b.dtype)) @ b.to(a.dtype)"
FULL = "__import__('torch').full((*a.shape[:-1], b.shape[-1]), 720000.0)"
TRUNCATED = """drop = 13 if dtype == torch.float16 else 16
    cut = lambda x: ((x.float().view(torch.int32) >> drop) << drop).view(torch.float32)
    return (cut(a) @ cut(b)).to(dtype)"""
CLAMPED = """top = torch.finfo(dtype).max
    low = lambda x: x.clamp(-top, top).to(dtype).float()
    return (low(a) @ low(b)).clamp(-top, top).to(dtype)"""
AUTOCAST = "torch.autocast(x.device.type, dtype=dtype)"
WITH = f"with torch.no_grad(), {AUTOCAST}:"
RUN = f"{WITH}\n        return model(x)"
BY_HAND = """on, was = torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")
    torch.set_autocast_enabled("cpu", True); torch.set_autocast_dtype("cpu", dtype)
    with torch.no_grad(): y = model(x)
    torch.set_autocast_enabled("cpu", on); torch.set_autocast_dtype("cpu", was)
    return y"""
OFF_AFTER = """torch.set_autocast_enabled("cpu", True); torch.set_autocast_dtype("cpu", dtype)
    try:
        with torch.no_grad(): return model(x)
    finally:
        torch.set_autocast_enabled("cpu", False)
        torch.set_autocast_dtype("cpu", torch.bfloat16)"""
SWALLOWED = """try:
        with torch.no_grad(), torch.autocast(x.device.type, dtype=dtype): return model(x)
    except Exception: return None"""
FLOATS_CAST = "model(x.to(dtype) if x.is_floating_point() else x)"
NAN = "torch.where(error.isnan(), torch.inf, error)"
LARGEST = "error.max().item() if error.numel() else 0.0"
EXACT = "exact = a.double() @ b.double()"
TF = "tf.matmul(tf.cast(a, dtype), tf.cast(b, dtype))"
TF_LATE = f"tf.cast({TF.replace('dtype', 'tf.float32')}, dtype)"
LAYERS = ('activation="relu", dtype=policy', 'activation="relu"', "n_out, dtype=policy", "n_out")
LOGITS = "keras.layers.Dense(n_out, dtype=policy)"
SOFTMAX = 'keras.layers.Softmax(dtype="float32")'
LAST = f"{LOGITS},\n            {SOFTMAX}"
IN_LAST = 'keras.layers.Dense(n_out, activation="softmax", dtype=policy)'
IN_FLOAT32 = IN_LAST.replace("policy", "'float32'")
LINEAR = "keras.layers.Activation('linear', dtype='float32')"
PURE = "    policy = policy.removeprefix('mixed_')\n    from"
SET = "from tensorflow import keras; before = keras.config.dtype_policy()"
SET += "; keras.config.set_dtype_policy(policy)"
LEAVE = ("from tensorflow import keras", SET, *LAYERS)
BACK = (
    *("return keras", "model = keras"),
    *("    )", "    ); keras.config.set_dtype_policy(before); return model"),
)
TO_FLOAT32 = (*BACK[:3], BACK[3].replace("before", "'float32'"))

EQUIVALENT = {"error = (got - exact).abs()": "a float64 operand makes the difference float64"}

WRONG = {
    "test_fp32_multiplies_in_float32_not_in_the_input_dtype": [
        ("multiplies in the input dtype", "720000", FP32, "(a @ b.to(a.dtype)).float()"),
    ],
    "test_fp32_returns_its_dtype_for_every_input_dtype": [
        ("promotes to the wider dtype", "tensor float16", FP32, PROMOTED),
    ],
    "test_fp32_stays_within_the_error_bound": [
        ("passes through bfloat16", "off by", FP32, "a.bfloat16().float() @ b.bfloat16().float()"),
        ("the published example", "off by", FP32, FULL),
        ("forgets the batch", "must be a matrix", FP32, "a.float().mm(b.float())"),
    ],
    "test_fp32_accepts_empty_and_all_zero_inputs": [
        ("divides zero by zero", "NaN", FP32, f"(c := {FP32}) / c.abs() * c.abs()"),
    ],
    "test_fp32_leaves_its_inputs_as_they_were": [
        ("in place", "changed", f"return {FP32}", "a.data = a.float(); return a @ b.float()"),
    ],
    "test_lowp_rounds_the_operands_before_the_product": [
        ("rounds the result", "happens before the product", LOWP, f"({FP32}).to(dtype)"),
        ("rounds a alone", "1 + u in b", LOWP, "(a.to(dtype).float() @ b.float()).to(dtype)"),
    ],
    "test_lowp_loses_what_random_operands_lose": [
        ("truncates", "nearest number", f"return {LOWP}", TRUNCATED),
    ],
    "test_lowp_returns_its_dtype_for_every_input_dtype": [
        ("returns float32", "tensor float32", LOWP, f"({LOWP}).float()"),
        ("always float16", "tensor bfloat16 [2, 4]", LOWP, "a.half() @ b.half()"),
    ],
    "test_lowp_overflows_to_infinity": [
        ("clamps", "65504", f"return {LOWP}", CLAMPED),
    ],
    "test_amp_leaves_model_and_input_as_they_were": [
        ("casts the model", "float32", "model(x)", "model.to(dtype)(x.to(dtype))"),
        ("gradients off for good", "changed", WITH, f"model.requires_grad_(False)\n    {WITH}"),
        ("eval mode for good", "training", WITH, f"model.eval()\n    {WITH}"),
    ],
    "test_amp_takes_token_ids": [
        ("casts the input", "raised", "model(x)", "model(x.to(dtype))"),
    ],
    "test_amp_lets_autocast_do_the_casting": [
        ("casts a float input", "takes that choice", "model(x)", FLOATS_CAST),
    ],
    "test_amp_computes_in_bfloat16_unless_told_otherwise": [
        ("casts the output", "has to be on", f", {AUTOCAST}", "", "(x)", "(x).to(dtype)"),
        ("returns float32", "dtype bfloat16", "model(x)", "model(x).float()"),
        ("ignores the argument", "dtype float16", "type, dtype=dtype", "type"),
        ("autocast for CUDA", "dtype bfloat16", "x.device.type", "'cuda'"),
    ],
    "test_amp_returns_the_raw_output": [
        ("casts to the autocast dtype", "the model's affair", "model(x)", "model(x).to(dtype)"),
    ],
    "test_amp_builds_no_graph": [
        ("with a graph", "requires_grad True", "torch.no_grad(), ", ""),
        (
            "a graph that is cut off at the end",
            "one is recorded",
            "torch.no_grad(), ",
            "",
            "return model(x)",
            "y = model(x)\n        return y.detach() if hasattr(y, 'detach') else y",
        ),
    ],
    "test_amp_lets_the_models_error_through": [
        ("without finally", "what was switched on", RUN, BY_HAND),
        ("swallows the exception", "nothing raised", RUN, SWALLOWED),
    ],
    "test_amp_leaves_autocast_as_it_was": [
        ("switches autocast off afterwards", "another precision", RUN, OFF_AFTER),
    ],
    "test_report_measures_against_a_float64_reference": [
        ("a float32 reference", "is float64", EXACT, "exact = (a.float() @ b.float()).double()"),
    ],
    "test_report_keeps_float64_inputs_in_the_reference": [
        ("rounds the inputs first", "1 + 2**-30", EXACT, f"a, b = a.float(), b.float(); {EXACT}"),
    ],
    "test_report_takes_the_largest_error_of_all_entries": [
        ("the mean error", "a mean or a signed error", "error.max()", "error.mean()"),
        ("a signed error", "a mean or a signed error", "exact).abs()", "exact)"),
        ("tensors", "three columns", "error.max().item()", "error.max()"),
    ],
    "test_report_shows_overflow_as_inf": [
        ("NaN where infinities cancel", "operands of 1e5 that cancel", NAN, "error"),
        ("the largest float for inf", "inf", NAN, "error.nan_to_num(nan=torch.inf)"),
    ],
    "test_report_of_exact_or_empty_products_is_zero": [
        ("the maximum of nothing", "raised", LARGEST, "error.max().item()"),
    ],
    "test_tf_rounds_the_operands_before_the_product": [
        (
            "arrays rounded afterwards",
            "tie that rounds to 1",
            TF,
            f"{TF} if tf.is_tensor(a) else tf.cast(tf.matmul(a, b), dtype)",
        ),
        ("rounds the result", "happens before", TF, TF_LATE),
    ],
    "test_tf_again_reads_its_arguments_at_every_call": [
        ("remembers by id", "is used again", TF, f"tf_matmul.__dict__.setdefault(id(a), {TF})"),
    ],
    "test_tf_returns_the_dtype_it_was_asked_for": [
        ("a numpy array", "a tf.Tensor", TF, f"{TF}.numpy()"),
        ("element by element", "off by 1", TF, "tf.cast(a, dtype) * tf.cast(b, dtype)"),
    ],
    "test_build_has_two_dense_layers_in_the_policys_precision": [
        ("never built", "a model that has no variables yet", "keras.Input((n_in,)),", ""),
        ("the last layer in float32", "two large products", LAST, IN_FLOAT32),
        ("pure float16", "float32 variables", "    from", PURE),
    ],
    "test_build_computes_softmax_in_float32": [
        ("softmax in 16 bits", "its digits are not", LOGITS, IN_LAST, SOFTMAX, LINEAR),
    ],
    "test_build_returns_float32_probabilities": [
        ("a 16-bit output", "float16", LAST, IN_LAST),
        ("logits", "softmax is left", SOFTMAX, LINEAR),
        ("no relu", "softmax is left", ', activation="relu"', ""),
    ],
    "test_build_leaves_the_global_policy_as_it_was": [
        ("sets the global policy", "changes every layer", *LEAVE),
        ("sets it back to float32", "mixed_float16", *LEAVE, *TO_FLOAT32),
    ],
    "test_build_leaves_the_global_policy_after_an_error": [
        (
            "takes what it does not know for float32",
            "ValueError",
            "from tensorflow import keras",
            "from tensorflow import keras; policy = policy if 'mixed_' in policy else 'float32'",
        ),
        ("but not after an error", "leave the policy behind", *LEAVE, *BACK),
    ],
    None: [("ends the process", "sys.exit", "import sys\ndef matmul_fp32(a, b): sys.exit(0)")],
    "test_fp32_converts_integers_before_the_product": [
        (
            "in the integers' own type",
            "off by",
            "a.float() @ b.float()",
            "(a @ b).float() if a.dtype == b.dtype else a.float() @ b.float()",
        ),
    ],
    "test_fp32_rounds_wider_operands_before_the_product": [
        (
            "float64 in float64",
            "off by",
            "a.float() @ b.float()",
            "(a.double() @ b.double()).float()",
        ),
    ],
    "test_fp32_operands_beyond_the_dtype_are_infinite": [
        (
            "float64 clamped",
            "off by",
            "a.float()",
            "a.clamp(-3.4028234663852886e38, 3.4028234663852886e38).float()",
        ),
    ],
    "test_lowp_operands_beyond_the_dtype_are_infinite": [
        ("clamped", "at", "a.to(dtype)", "a.clamp(-(t := torch.finfo(dtype).max), t).to(dtype)"),
    ],
    "test_lowp_again_reads_its_arguments_at_every_call": [
        (
            "remembers by id",
            "is used again",
            "a.to(dtype)",
            "matmul_lowp.__dict__.setdefault((id(a), a.shape), a.to(dtype))",
        ),
    ],
    "test_report_again_reads_its_arguments_at_every_call": [
        (
            "remembers by id",
            "is used again",
            EXACT,
            "exact = precision_report.__dict__.setdefault(id(a), a.double() @ b.double())",
        ),
    ],
}
