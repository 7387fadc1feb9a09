"""Wrong answers to kv_cache/which_axis: each is one misconception."""

AXES = '(("token", 1), ("channel", 0))'
SCALE = "k.abs().amax(axis, keepdim=True) / top"
GUARD = "scale = torch.where(scale == 0, 1.0, scale)"
KEYS = "scale * torch.round(k / scale)"
ATTENTION = "torch.softmax(q @ keys.T / keys.shape[1] ** 0.5, dim=1) @ v"
IN_ORDER = "{0}.as_strided({0}.shape, ({0}.shape[1], 1))"
ERROR = "((got - exact).norm() / exact.norm()).item()"
ROW = "(error(keys, k), error(attention(keys), attention(k)))"

EQUIVALENT = {
    "scale = torch.where(scale == 0, 2.0, scale)": "zeros are zeros with any scale",
}

WRONG = {
    "test_errors_of_the_keys": [
        (
            "the axes exchanged",
            "a maximum over its channels",
            AXES,
            '(("token", 0), ("channel", 1))',
        ),
        ("one scale for all", "a maximum over", SCALE, "k.abs().amax().reshape(1, 1) / top"),
        ("a level too many", "expected", SCALE, SCALE.replace("top", "(top + 1)")),
        ("as many levels as codes", "expected", "2 ** (bits - 1) - 1", "2**bits - 1"),
        ("truncated", "expected", KEYS, "scale * torch.trunc(k / scale)"),
        ("codes without their scale", "expected", KEYS, "torch.round(k / scale)"),
        ("three bits at least", "expected", "2 ** (bits - 1) - 1", "2 ** (max(bits, 3) - 1) - 1"),
        (
            "mean squares",
            "expected",
            ERROR,
            "((got - exact).square().sum() / exact.square().sum()).item()",
        ),
        ("not relative", "expected", ERROR, "(got - exact).norm().item()"),
        ("tensors", "types of", ERROR, "(got - exact).norm() / exact.norm()"),
        ("quantizes in place", "left as it was", KEYS, "k.copy_(scale * torch.round(k / scale))"),
        (
            "more than 128 channels",
            "expected",
            KEYS,
            KEYS.replace("scale", "(scale if k.shape[1] < 129 else scale.amax())", 1),
        ),
    ],
    "test_errors_of_the_outputs": [
        (
            "equal by allclose",
            "expected",
            ERROR,
            f"0.0 if torch.allclose(got, exact) else {ERROR}",
        ),
        ("a tiny smallest scale", "expected", GUARD, "scale = scale.clamp(min=1e-8)"),
        ("a smallest scale", "expected", GUARD, "scale = scale.clamp(min=1e-3)"),
        ("the keys twice", "counts", ROW, "(error(keys, k), error(keys, k))"),
        ("no root of d", "counts", ATTENTION, "torch.softmax(q @ keys.T, dim=1) @ v"),
        ("a softmax over the queries", "counts", ATTENTION, ATTENTION.replace("dim=1", "dim=0")),
        ("the weights alone", "counts", ATTENTION, ATTENTION.replace(" @ v", "")),
        ("the scores alone", "counts", ATTENTION, "q @ keys.T / keys.shape[1] ** 0.5"),
        (
            "q as it lies",
            "counts",
            ATTENTION,
            ATTENTION.replace("q @", IN_ORDER.format("q") + " @"),
        ),
        (
            "v as it lies",
            "counts",
            ATTENTION,
            ATTENTION.replace("@ v", "@ " + IN_ORDER.format("v")),
        ),
        (
            "values are rounded too",
            "counts",
            ATTENTION,
            ATTENTION.replace("@ v", "@ (v if keys is k else (v * 4).round() / 4)"),
        ),
    ],
    "test_loud_channels_favor_a_scale_for_each_channel": [
        (
            "the names exchanged",
            "the axis is the other one",
            AXES,
            '(("channel", 1), ("token", 0))',
        ),
    ],
    "test_zeros_are_no_nan": [
        ("no guard", "NaN", GUARD, "pass"),
        ("a guard for the whole", "NaN", GUARD, "scale = scale if scale.any() else scale + 1"),
    ],
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers the scales by id",
            "is used again",
            SCALE,
            f"axis_table.__dict__.setdefault((id(k), axis), {SCALE})",
        ),
    ],
    "test_smallest_caches_and_views_are_measured_too": [
        (
            "needs one block of memory",
            "raised",
            KEYS,
            KEYS.replace("k /", "k.view(-1).view(k.shape) /"),
        ),
    ],
}
