"""Right answers to amp/amp_basics, each in its own style."""

RIGHT = {
    "einsum, matmul and to()": """
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
    "float32 arithmetic on rounded operands, float64 for the reference": """
def matmul_fp32(a, b):
    return (a.float().double() @ b.float().double()).float()
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
    "a functional Keras model and tf.linalg": """
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
    "the global policy, put back in a finally": """
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
}
