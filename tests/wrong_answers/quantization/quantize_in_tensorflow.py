"""Wrong answers to quantization/quantize_in_tensorflow: each is one misconception."""

SHAPE = "(w.shape[0], -1, group_size)"
SCALE = "tf.reduce_max(tf.abs(groups), axis=-1) / 7"
GUARD = "scale = tf.where(scale > 0, scale, 1.0)"
CODES = "tf.cast(tf.round(groups / scale[..., None]), tf.int8)"
INSIDE = "tf.clip_by_value(x, -top * scale, top * scale)"
ROUNDED = "tf.round(inside / scale) * scale"
RESULT = "inside + tf.stop_gradient(rounded - inside)"
STEPS = "groups / scale[..., None]"
HALVES = {
    "up": f"tf.floor({STEPS} + 0.5)",
    "away from zero": f"tf.sign(groups) * tf.floor(tf.abs({STEPS}) + 0.5)",
}
WHOLE_ROWS = "0 * groups[:, :, 0] + tf.reduce_max(tf.abs(groups), axis=(1, 2))[:, None] / 7"

EQUIVALENT = {
    "scale = tf.where(scale > 0, scale, 2.0)": "zeros are zeros with any scale",
}

WRONG = {
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers by id",
            "is used again",
            CODES,
            f"tf_group_scales.__dict__.setdefault(id(w), {CODES})",
        ),
    ],
    "test_fake_again_reads_its_arguments_at_every_call": [
        (
            "remembers by id",
            "is used again",
            INSIDE,
            f"tf_fake_quantize.__dict__.setdefault(id(x), {INSIDE})",
        ),
    ],
    "test_each_group_of_a_row_has_its_own_scale": [
        (
            "groups down a column",
            "expected",
            f"tf.reshape(w, {SHAPE})",
            "tf.reshape(tf.transpose(w), (w.shape[0], -1, group_size))",
        ),
        (
            "every n-th column",
            "along a row",
            f"tf.reshape(w, {SHAPE})",
            "tf.transpose(tf.reshape(w, (w.shape[0], group_size, -1)), (0, 2, 1))",
        ),
        *(
            (
                f"rounds halves {how}",
                "Halves go",
                CODES,
                CODES.replace("tf.round(groups / scale[..., None])", to),
            )
            for how, to in HALVES.items()
        ),
        (
            "one scale a row",
            "expected",
            SCALE,
            WHOLE_ROWS,
        ),
        *(
            (f"one scale a row where {when}", says, SCALE, f"{WHOLE_ROWS} if {when} else {SCALE}")
            for when, says in (
                ("w.shape[0] > w.shape[1]", "40 x 6"),
                ("w.shape[0] == w.shape[1]", "16 x 16"),
                ("w.shape[1] > 64", "150 x 260"),
            )
        ),
    ],
    "test_zero_group_gives_zeros": [
        ("no guard", "above 0", GUARD, "pass"),
        (
            "a scale of 0 and no NaN",
            "above 0",
            GUARD,
            "pass",
            "groups / scale[..., None]",
            "tf.math.divide_no_nan(groups, scale[..., None])",
        ),
    ],
    "test_huge_weights_do_not_overflow": [
        ("multiplied first", "expected", CODES, CODES.replace("groups /", "groups * 7 / 7 /")),
        ("a small floor", "expected", SCALE, f"tf.maximum({SCALE}, 1e-12)"),
    ],
    "test_infinities_end_at_the_last_code_and_nothing_is_a_shape": [
        (
            "an int32 before the clip, infinities aside",
            "values",
            "tf.round(inside / scale) * scale",
            "tf.where(tf.math.is_inf(x), inside, scale * tf.clip_by_value(tf.cast("
            "tf.cast(tf.round(x / scale), tf.int32), tf.float32), -top, top))",
        ),
        ("nothing is refused", "raised", INSIDE, f"{INSIDE}; assert 0 not in x.shape"),
        (
            "a difference of infinities",
            "no NaN",
            RESULT,
            "tf.where(tf.abs(x) <= top * scale, x, tf.stop_gradient(x))"
            " + tf.stop_gradient(rounded - x)",
        ),
    ],
    "test_forward_rounds_and_clamps": [
        (
            "4 to 7 bits refused",
            "raised",
            INSIDE,
            f"{INSIDE}; assert not 4 < bits < 8",
        ),
        ("three axes refused", "raised", INSIDE, f"{INSIDE}; assert len(x.shape) < 3"),
        ("no clamp", "expected", INSIDE, "x"),
        ("truncated", "expected", ROUNDED, "(inside - tf.math.floormod(inside, scale))"),
        ("half up", "expected", ROUNDED, "tf.floor(inside / scale + 0.5) * scale"),
        (
            "the built-in one rounds halves up",
            "expected",
            RESULT,
            "tf.quantization.fake_quant_with_min_max_args(\n"
            "        x, -top * scale, top * scale, num_bits=bits, narrow_range=True\n    )",
        ),
    ],
    "test_gradient_passes_inside_and_is_zero_outside": [
        ("rounds for good", "None", RESULT, "rounded"),
        ("passes everywhere", "does not depend on x", RESULT, "x + tf.stop_gradient(rounded - x)"),
        ("passes nowhere", "None", RESULT, "tf.stop_gradient(rounded) + 0"),
        (
            "one outside stops all",
            "expected",
            INSIDE,
            f"{INSIDE}\n    if tf.reduce_max(tf.abs(x)) > top * scale:\n"
            "        inside = tf.stop_gradient(inside) + 0 * inside",
        ),
    ],
    "test_groups_run_inside_a_tf_function": [
        (
            "numpy in between",
            "numpy",
            f"tf.reshape(w, {SHAPE})",
            f"tf.constant(w.numpy().reshape({SHAPE}))",
        ),
        (
            "asks for values",
            "raised",
            GUARD,
            "if tf.reduce_min(scale) == 0:\n        scale = tf.where(scale > 0, scale, 1.0)",
        ),
    ],
    "test_rounding_runs_inside_a_tf_function": [
        (
            "numpy in between",
            "numpy",
            ROUNDED,
            "tf.constant((inside / scale).numpy().round() * scale)",
        ),
    ],
}
