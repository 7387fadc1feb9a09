"""Wrong and right answers to amp/amp_basics: each wrong one is one misconception."""

from halfbits.course.authoring.contract import RightAnswer, WrongAnswer

REPORT = """
import torch
def precision_report(a, b):
    # BODY
    return {
        "fp32": error(matmul_fp32(a, b)),
        "fp16": error(matmul_lowp(a, b, torch.float16)),
        "bf16": error(matmul_lowp(a, b, torch.bfloat16)),
    }
"""


def report(body: str) -> str:
    """A precision_report whose first lines define `error(product)`."""
    return REPORT.replace("    # BODY", body.strip("\n"))


WRONG = [
    WrongAnswer(
        "fp32: multiply in the input dtype, convert the result",
        """
def matmul_fp32(a, b):
    return (a @ b.to(a.dtype)).float()
""",
        rejected_by="test_fp32_multiplies_in_float32_not_in_the_input_dtype",
        says="720000",
    ),
    WrongAnswer(
        "fp32: promote to the wider input dtype instead of float32",
        """
import torch
def matmul_fp32(a, b):
    wide = torch.promote_types(a.dtype, b.dtype)
    return a.to(wide) @ b.to(wide)
""",
        rejected_by="test_fp32_returns_float32_for_every_input_dtype",
        says="tensor float16 [2, 4]",
    ),
    WrongAnswer(
        "fp32: pass through bfloat16 on the way",
        """
def matmul_fp32(a, b):
    return a.bfloat16().float() @ b.bfloat16().float()
""",
        rejected_by="test_fp32_stays_within_the_float32_error_bound",
        says="off by",
    ),
    WrongAnswer(
        "fp32: NaN from dividing zero by zero",
        """
def matmul_fp32(a, b):
    product = a.float() @ b.float()
    return product / product.abs() * product.abs()
""",
        rejected_by="test_fp32_accepts_empty_and_all_zero_inputs",
        says="NaN",
    ),
    WrongAnswer(
        "fp32: convert the inputs in place",
        """
def matmul_fp32(a, b):
    a.data, b.data = a.float(), b.float()
    return a @ b
""",
        rejected_by="test_fp32_leaves_its_inputs_as_they_were",
        says="changed",
    ),
    WrongAnswer(
        "fp32: hard-coded for the published example",
        """
import torch
def matmul_fp32(a, b):
    return torch.full((*a.shape[:-1], b.shape[-1]), 720000.0)
""",
        rejected_by="test_fp32_stays_within_the_float32_error_bound",
        says="off by",
    ),
    WrongAnswer(
        "fp32: a two-dimensional loop that forgets the batch",
        """
import torch
def matmul_fp32(a, b):
    return torch.mm(a.float(), b.float())
""",
        rejected_by="test_fp32_stays_within_the_float32_error_bound",
        says="must be a matrix",
    ),
    WrongAnswer(
        "lowp: multiply in float32, round the result",
        """
def matmul_lowp(a, b, dtype):
    return (a.float() @ b.float()).to(dtype)
""",
        rejected_by="test_lowp_rounds_the_operands_before_the_product",
        says="rounding happens before the product",
    ),
    WrongAnswer(
        "lowp: round only the first operand",
        """
def matmul_lowp(a, b, dtype):
    return (a.to(dtype).float() @ b.float()).to(dtype)
""",
        rejected_by="test_lowp_rounds_the_operands_before_the_product",
        says="in b, minus 1",
    ),
    WrongAnswer(
        "lowp: cut the digits off instead of rounding",
        """
import torch
def matmul_lowp(a, b, dtype):
    drop = 13 if dtype == torch.float16 else 16
    cut = lambda x: ((x.float().view(torch.int32) >> drop) << drop).view(torch.float32)
    return (cut(a) @ cut(b)).to(dtype)
""",
        rejected_by="test_lowp_loses_what_random_operands_lose",
        says="random x",
    ),
    WrongAnswer(
        "lowp: return float32",
        """
def matmul_lowp(a, b, dtype):
    return a.to(dtype).float() @ b.to(dtype).float()
""",
        rejected_by="test_lowp_returns_the_dtype_it_was_asked_for",
        says="tensor float32 [2, 4]",
    ),
    WrongAnswer(
        "lowp: always float16",
        """
def matmul_lowp(a, b, dtype):
    return a.half() @ b.half()
""",
        rejected_by="test_lowp_returns_the_dtype_it_was_asked_for",
        says="tensor bfloat16 [2, 4]",
    ),
    WrongAnswer(
        "lowp: clamp to the largest finite number",
        """
import torch
def matmul_lowp(a, b, dtype):
    top = torch.finfo(dtype).max
    low = lambda x: x.clamp(-top, top).to(dtype)
    return (low(a).float() @ low(b).float()).clamp(-top, top).to(dtype)
""",
        rejected_by="test_lowp_overflows_to_infinity",
        says="65504",
    ),
    WrongAnswer(
        "amp: cast the model and the input",
        """
import torch
def amp_forward(model, x, dtype=torch.bfloat16):
    with torch.no_grad():
        return model.to(dtype)(x.to(dtype))
""",
        rejected_by="test_amp_leaves_model_and_input_as_they_were",
        says="float32",
    ),
    WrongAnswer(
        "amp: cast the input by hand",
        """
import torch
def amp_forward(model, x, dtype=torch.bfloat16):
    with torch.no_grad(), torch.autocast(x.device.type, dtype=dtype):
        return model(x.to(dtype))
""",
        rejected_by="test_amp_accepts_token_ids",
        says="raised",
    ),
    WrongAnswer(
        "amp: cast a float input by hand",
        """
import torch
def amp_forward(model, x, dtype=torch.bfloat16):
    with torch.no_grad(), torch.autocast(x.device.type, dtype=dtype):
        return model(x.to(dtype) if x.is_floating_point() else x)
""",
        rejected_by="test_amp_lets_autocast_do_the_casting",
        says="takes that choice away",
    ),
    WrongAnswer(
        "amp: run in float32 and cast the output",
        """
import torch
def amp_forward(model, x, dtype=torch.bfloat16):
    with torch.no_grad():
        return model(x).to(dtype)
""",
        rejected_by="test_amp_computes_in_bfloat16_unless_told_otherwise",
        says="autocast has to be on",
    ),
    WrongAnswer(
        "amp: convert the output to float32",
        """
import torch
def amp_forward(model, x, dtype=torch.bfloat16):
    with torch.no_grad(), torch.autocast(x.device.type, dtype=dtype):
        return model(x).float()
""",
        rejected_by="test_amp_computes_in_bfloat16_unless_told_otherwise",
        says="dtype bfloat16",
    ),
    WrongAnswer(
        "amp: convert the output to the autocast dtype",
        """
import torch
def amp_forward(model, x, dtype=torch.bfloat16):
    with torch.no_grad(), torch.autocast(x.device.type, dtype=dtype):
        return model(x).to(dtype)
""",
        rejected_by="test_amp_returns_the_raw_output",
        says="the model's affair",
    ),
    WrongAnswer(
        "amp: ignore the dtype argument",
        """
import torch
def amp_forward(model, x, dtype=torch.bfloat16):
    with torch.no_grad(), torch.autocast(x.device.type):
        return model(x)
""",
        rejected_by="test_amp_computes_in_bfloat16_unless_told_otherwise",
        says="dtype float16",
    ),
    WrongAnswer(
        "amp: autocast for CUDA, whatever x lies on",
        """
import torch
def amp_forward(model, x, dtype=torch.bfloat16):
    with torch.no_grad(), torch.autocast("cuda", dtype=dtype):
        return model(x)
""",
        rejected_by="test_amp_computes_in_bfloat16_unless_told_otherwise",
        says="dtype bfloat16",
    ),
    WrongAnswer(
        "amp: forget that inference needs no graph",
        """
import torch
def amp_forward(model, x, dtype=torch.bfloat16):
    with torch.autocast(x.device.type, dtype=dtype):
        return model(x)
""",
        rejected_by="test_amp_builds_no_graph",
        says="requires_grad True",
    ),
    WrongAnswer(
        "amp: switch gradients off for good",
        """
import torch
def amp_forward(model, x, dtype=torch.bfloat16):
    model.requires_grad_(False)
    with torch.no_grad(), torch.autocast(x.device.type, dtype=dtype):
        return model(x)
""",
        rejected_by="test_amp_leaves_model_and_input_as_they_were",
        says="changed",
    ),
    WrongAnswer(
        "amp: put the model into eval mode for good",
        """
import torch
def amp_forward(model, x, dtype=torch.bfloat16):
    model.eval()
    with torch.no_grad(), torch.autocast(x.device.type, dtype=dtype):
        return model(x)
""",
        rejected_by="test_amp_leaves_model_and_input_as_they_were",
        says="training",
    ),
    WrongAnswer(
        "amp: switch autocast on and off by hand, without finally",
        """
import torch
def amp_forward(model, x, dtype=torch.bfloat16):
    on, was = torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")
    torch.set_autocast_enabled("cpu", True)
    torch.set_autocast_dtype("cpu", dtype)
    with torch.no_grad():
        y = model(x)
    torch.set_autocast_enabled("cpu", on)
    torch.set_autocast_dtype("cpu", was)
    return y
""",
        rejected_by="test_amp_lets_the_models_error_through",
        says="an error is not a state",
    ),
    WrongAnswer(
        "amp: switch autocast off afterwards, whatever it was",
        """
import torch
def amp_forward(model, x, dtype=torch.bfloat16):
    torch.set_autocast_dtype("cpu", dtype)
    torch.set_autocast_enabled("cpu", True)
    try:
        with torch.no_grad():
            return model(x)
    finally:
        torch.set_autocast_enabled("cpu", False)
        torch.set_autocast_dtype("cpu", torch.bfloat16)
""",
        rejected_by="test_amp_leaves_autocast_as_it_was",
        says="another precision",
    ),
    WrongAnswer(
        "amp: swallow the model's exception",
        """
import torch
def amp_forward(model, x, dtype=torch.bfloat16):
    try:
        with torch.no_grad(), torch.autocast(x.device.type, dtype=dtype):
            return model(x)
    except Exception:
        return None
""",
        rejected_by="test_amp_lets_the_models_error_through",
        says="nothing raised",
    ),
    WrongAnswer(
        "report: float32 as the reference",
        report("""
    exact = a.float() @ b.float()
    def error(y):
        gap = (y.double() - exact.double()).abs()
        return torch.where(gap.isnan(), torch.inf, gap).max().item() if y.numel() else 0.0
"""),
        rejected_by="test_report_measures_against_a_float64_reference",
        says="the reference is float64",
    ),
    WrongAnswer(
        "report: round float64 inputs before the reference",
        report("""
    a, b = a.float(), b.float()
    exact = a.double() @ b.double()
    def error(y):
        gap = (y.double() - exact).abs()
        return torch.where(gap.isnan(), torch.inf, gap).max().item() if y.numel() else 0.0
"""),
        rejected_by="test_report_keeps_float64_inputs_in_the_reference",
        says="1 + 2**-30",
    ),
    WrongAnswer(
        "report: the mean error",
        report("""
    exact = a.double() @ b.double()
    def error(y):
        return float((y.double() - exact).abs().mean())
"""),
        rejected_by="test_report_takes_the_largest_error_of_all_entries",
        says="a mean or a signed error hides it",
    ),
    WrongAnswer(
        "report: the largest signed error",
        report("""
    exact = a.double() @ b.double()
    def error(y):
        return float((y.double() - exact).max())
"""),
        rejected_by="test_report_takes_the_largest_error_of_all_entries",
        says="a mean or a signed error hides it",
    ),
    WrongAnswer(
        "report: NaN where infinities cancel",
        report("""
    exact = a.double() @ b.double()
    def error(y):
        return float((y.double() - exact).abs().max()) if y.numel() else 0.0
"""),
        rejected_by="test_report_shows_overflow_as_inf",
        says="operands of 1e5 that cancel",
    ),
    WrongAnswer(
        "report: replace inf by the largest float",
        report("""
    exact = a.double() @ b.double()
    def error(y):
        gap = (y.double() - exact).abs().nan_to_num(nan=torch.inf)
        return gap.max().item() if y.numel() else 0.0
"""),
        rejected_by="test_report_shows_overflow_as_inf",
        says="inf",
    ),
    WrongAnswer(
        "report: tensors instead of Python floats",
        report("""
    exact = a.double() @ b.double()
    def error(y):
        return (y.double() - exact).abs().max()
"""),
        rejected_by="test_report_has_three_python_floats",
        says="Tensor",
    ),
    WrongAnswer(
        "report: the maximum of an empty tensor",
        report("""
    exact = a.double() @ b.double()
    def error(y):
        gap = (y.double() - exact).abs()
        return torch.where(gap.isnan(), torch.inf, gap).max().item()
"""),
        rejected_by="test_report_of_exact_or_empty_products_is_zero",
        says="raised",
    ),
    WrongAnswer(
        "tf: multiply in float32, cast the result",
        """
def tf_matmul(a, b, dtype):
    import tensorflow as tf
    return tf.cast(tf.matmul(tf.cast(a, tf.float32), tf.cast(b, tf.float32)), dtype)
""",
        rejected_by="test_tf_rounds_the_operands_before_the_product",
        says="rounding happens before the product",
    ),
    WrongAnswer(
        "tf: return a numpy array",
        """
def tf_matmul(a, b, dtype):
    import tensorflow as tf
    return tf.matmul(tf.cast(a, dtype), tf.cast(b, dtype)).numpy()
""",
        rejected_by="test_tf_returns_the_dtype_it_was_asked_for",
        says="a tf.Tensor",
    ),
    WrongAnswer(
        "tf: an element-wise product",
        """
def tf_matmul(a, b, dtype):
    import tensorflow as tf
    return tf.cast(a, dtype) * tf.cast(b, dtype)
""",
        rejected_by="test_tf_returns_the_dtype_it_was_asked_for",
        says="off by 1",
    ),
    WrongAnswer(
        "build: a subclassed model whose layers are never built",
        """
def tf_build(n_in, n_hidden, n_out, policy):
    import keras

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.hidden = keras.layers.Dense(n_hidden, activation="relu", dtype=policy)
            self.output_layer = keras.layers.Dense(n_out, dtype=policy)
            self.softmax = keras.layers.Softmax(dtype="float32")

        def call(self, x):
            return self.softmax(self.output_layer(self.hidden(x)))

    return Net()
""",
        rejected_by="test_build_has_two_dense_layers_in_the_policys_precision",
        says="a model that has no variables yet",
    ),
    WrongAnswer(
        "build: softmax inside the last dense layer, cast afterwards",
        """
def tf_build(n_in, n_hidden, n_out, policy):
    from tensorflow import keras
    return keras.Sequential([
        keras.Input((n_in,)),
        keras.layers.Dense(n_hidden, activation="relu", dtype=policy),
        keras.layers.Dense(n_out, activation="softmax", dtype=policy),
        keras.layers.Activation("linear", dtype="float32"),
    ])
""",
        rejected_by="test_build_computes_softmax_in_float32",
        says="its digits are not",
    ),
    WrongAnswer(
        "build: a 16-bit output",
        """
def tf_build(n_in, n_hidden, n_out, policy):
    from tensorflow import keras
    return keras.Sequential([
        keras.Input((n_in,)),
        keras.layers.Dense(n_hidden, activation="relu", dtype=policy),
        keras.layers.Dense(n_out, activation="softmax", dtype=policy),
    ])
""",
        rejected_by="test_build_returns_float32_probabilities",
        says="float16",
    ),
    WrongAnswer(
        "build: the whole last layer in float32",
        """
def tf_build(n_in, n_hidden, n_out, policy):
    from tensorflow import keras
    return keras.Sequential([
        keras.Input((n_in,)),
        keras.layers.Dense(n_hidden, activation="relu", dtype=policy),
        keras.layers.Dense(n_out, activation="softmax", dtype="float32"),
    ])
""",
        rejected_by="test_build_has_two_dense_layers_in_the_policys_precision",
        says="the two large products",
    ),
    WrongAnswer(
        "build: pure float16, variables included",
        """
def tf_build(n_in, n_hidden, n_out, policy):
    from tensorflow import keras
    pure = policy.removeprefix("mixed_")
    return keras.Sequential([
        keras.Input((n_in,)),
        keras.layers.Dense(n_hidden, activation="relu", dtype=pure),
        keras.layers.Dense(n_out, dtype=pure),
        keras.layers.Softmax(dtype="float32"),
    ])
""",
        rejected_by="test_build_has_two_dense_layers_in_the_policys_precision",
        says="float32 variables",
    ),
    WrongAnswer(
        "build: logits without a softmax",
        """
def tf_build(n_in, n_hidden, n_out, policy):
    from tensorflow import keras
    return keras.Sequential([
        keras.Input((n_in,)),
        keras.layers.Dense(n_hidden, activation="relu", dtype=policy),
        keras.layers.Dense(n_out, dtype=policy),
        keras.layers.Activation("linear", dtype="float32"),
    ])
""",
        rejected_by="test_build_returns_float32_probabilities",
        says="softmax is left",
    ),
    WrongAnswer(
        "build: no relu",
        """
def tf_build(n_in, n_hidden, n_out, policy):
    from tensorflow import keras
    return keras.Sequential([
        keras.Input((n_in,)),
        keras.layers.Dense(n_hidden, dtype=policy),
        keras.layers.Dense(n_out, dtype=policy),
        keras.layers.Softmax(dtype="float32"),
    ])
""",
        rejected_by="test_build_returns_float32_probabilities",
        says="softmax is left",
    ),
    WrongAnswer(
        "build: set the global policy and leave it",
        """
def tf_build(n_in, n_hidden, n_out, policy):
    from tensorflow import keras
    keras.mixed_precision.set_global_policy(policy)
    return keras.Sequential([
        keras.Input((n_in,)),
        keras.layers.Dense(n_hidden, activation="relu"),
        keras.layers.Dense(n_out),
        keras.layers.Softmax(dtype="float32"),
    ])
""",
        rejected_by="test_build_leaves_the_global_policy_as_it_was",
        says="a changed policy changes every layer",
    ),
    WrongAnswer(
        "build: set the global policy back to float32",
        """
def tf_build(n_in, n_hidden, n_out, policy):
    from tensorflow import keras
    keras.mixed_precision.set_global_policy(policy)
    try:
        return keras.Sequential([
            keras.Input((n_in,)),
            keras.layers.Dense(n_hidden, activation="relu"),
            keras.layers.Dense(n_out),
            keras.layers.Softmax(dtype="float32"),
        ])
    finally:
        keras.mixed_precision.set_global_policy("float32")
""",
        rejected_by="test_build_leaves_the_global_policy_as_it_was",
        says="mixed_bfloat16",
    ),
    WrongAnswer(
        "build: restore the global policy, but not after an error",
        """
def tf_build(n_in, n_hidden, n_out, policy):
    from tensorflow import keras
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    model = keras.Sequential([
        keras.Input((n_in,)),
        keras.layers.Dense(n_hidden, activation="relu"),
        keras.layers.Dense(n_out),
        keras.layers.Softmax(dtype="float32"),
    ])
    keras.config.set_dtype_policy(before)
    return model
""",
        rejected_by="test_build_leaves_the_global_policy_after_an_error",
        says="must not leave the policy behind",
    ),
    WrongAnswer(
        "end the process before a check can fail",
        """
import sys
def matmul_fp32(a, b):
    sys.exit(0)
""",
        rejected_by=None,
        says="sys.exit",
    ),
]

RIGHT = [
    RightAnswer(
        "einsum, matmul and to()",
        """
import torch

def matmul_fp32(a, b):
    return torch.einsum("...mk,...kn->...mn", a.to(torch.float32), b.to(torch.float32))

def matmul_lowp(a, b, dtype):
    return torch.matmul(a.to(dtype), b.to(dtype)).to(dtype)

def amp_forward(model, x, dtype=torch.bfloat16):
    with torch.inference_mode():
        with torch.amp.autocast(device_type=x.device.type, dtype=dtype):
            return model(x)

def precision_report(a, b):
    exact = torch.matmul(a.double(), b.double())
    products = {
        "bf16": matmul_lowp(a, b, torch.bfloat16),
        "fp16": matmul_lowp(a, b, torch.float16),
        "fp32": matmul_fp32(a, b),
    }
    report = {}
    for name, product in products.items():
        gap = (exact - product.to(torch.float64)).abs().nan_to_num(nan=torch.inf, posinf=torch.inf)
        report[name] = max(gap.flatten().tolist(), default=0.0)
    return report
""",
    ),
    RightAnswer(
        "float32 arithmetic on rounded operands, float64 for the reference",
        """
import torch

def matmul_fp32(a, b):
    return (a.double() @ b.double()).float()

def matmul_lowp(a, b, dtype):
    return (a.to(dtype).float() @ b.to(dtype).float()).to(dtype)

@torch.no_grad()
def amp_forward(model, x, dtype=torch.bfloat16):
    with torch.autocast(device_type=x.device.type, dtype=dtype, cache_enabled=False):
        y = model(x)
    return y

def precision_report(a, b):
    exact = a.to(torch.float64) @ b.to(torch.float64)
    report = {"fp32": 0.0, "fp16": 0.0, "bf16": 0.0}
    if exact.numel() == 0:
        return report
    for name, dtype in zip(report, (torch.float32, torch.float16, torch.bfloat16)):
        product = a.to(dtype) @ b.to(dtype)
        if product.isfinite().all():
            report[name] = torch.dist(product.double(), exact, p=float("inf")).item()
        else:
            report[name] = float("inf")
    return report
""",
    ),
    RightAnswer(
        "a functional Keras model and tf.linalg",
        """
def tf_matmul(a, b, dtype):
    import tensorflow as tf
    dtype = tf.as_dtype(dtype)
    return tf.linalg.matmul(tf.cast(a, dtype), tf.cast(b, dtype))

def tf_build(n_in, n_hidden, n_out, policy):
    import keras
    policy = keras.DTypePolicy(policy)
    inputs = keras.Input(shape=(n_in,), dtype="float32")
    hidden = keras.layers.Dense(n_hidden, dtype=policy)(inputs)
    hidden = keras.layers.ReLU(dtype=policy)(hidden)
    logits = keras.layers.Dense(n_out, dtype=policy)(hidden)
    return keras.Model(inputs, keras.layers.Activation("softmax", dtype="float32")(logits))
""",
    ),
    RightAnswer(
        "the global policy, put back in a finally",
        """
def tf_matmul(a, b, dtype):
    import tensorflow as tf
    return tf.cast(a, dtype) @ tf.cast(b, dtype)

def tf_build(n_in, n_hidden, n_out, policy):
    import tensorflow as tf
    before = tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy(policy)
    try:
        model = tf.keras.Sequential()
        model.add(tf.keras.Input((n_in,)))
        model.add(tf.keras.layers.Dense(n_hidden, activation="relu"))
        model.add(tf.keras.layers.Dense(n_out))
        model.add(tf.keras.layers.Activation("softmax", dtype="float32"))
        return model
    finally:
        tf.keras.mixed_precision.set_global_policy(before)
""",
    ),
]
