"""Wrong answers to methods/outlier_columns: each is one misconception."""

LOUD = "(x.abs() >= threshold).any(0)"
SCALE = "rest.abs().amax(1, keepdim=True) / 127"
GUARD = "scale = torch.where(scale == 0, 1.0, scale)"
CODES = "torch.round(rest / scale).double()"
X_REST = "coded(torch.where(loud, 0.0, x))"
W_REST = "coded(torch.where(loud, 0.0, w))"
FLOATS = "x[:, loud] @ w[:, loud].T"
RESULT = f"return {FLOATS} + integers * x_scale * w_scale.T"

EQUIVALENT = {
    "scale = torch.where(scale == 0, 2.0, scale)": "zeros are zeros with any scale",
    "return torch.round(rest / scale), scale": "float32 holds sums of so few products exactly",
}

WRONG = {
    "test_loud_columns_hurt_no_other": [
        (
            "nothing is taken out",
            "its step is theirs",
            LOUD,
            "torch.zeros(x.shape[1], dtype=torch.bool)",
        ),
        (
            "w keeps the columns in its scale",
            "its step is theirs",
            W_REST,
            "coded(w)",
            "(x_codes @ w_codes.T)",
            "(x_codes @ (w_codes * ~loud).T)",
        ),
        (
            "x keeps the columns in its scale",
            "its step is theirs",
            X_REST,
            "coded(x)",
            "(x_codes @ w_codes.T)",
            "((x_codes * ~loud) @ w_codes.T)",
        ),
        ("counted twice", "its step is theirs", X_REST, "coded(x)", W_REST, "coded(w)"),
        (
            "clamped to the threshold",
            "its step is theirs",
            FLOATS,
            "x[:, loud].clamp(-threshold, threshold) @ w[:, loud].T",
        ),
        (
            "outliers left out",
            "its step is theirs",
            RESULT,
            "return integers * x_scale * w_scale.T",
        ),
        (
            "floats in bfloat16",
            "its step is theirs",
            FLOATS,
            "(x[:, loud].bfloat16() @ w[:, loud].bfloat16().T).float()",
        ),
    ],
    "test_one_loud_token_is_enough": [
        ("zeros in place", "left as it was", X_REST, "coded(x.masked_fill_(loud, 0.0))"),
        (
            "all tokens have to be loud",
            "exactly at the threshold",
            LOUD,
            LOUD.replace("any", "all"),
        ),
        ("above the threshold", "exactly at the threshold", LOUD, LOUD.replace(">=", ">")),
        ("positive ones alone", "exactly at the threshold", LOUD, "(x >= threshold).any(0)"),
        ("the mean of a column", "exactly at the threshold", LOUD, "x.abs().mean(0) >= threshold"),
    ],
    "test_without_outliers_it_is_the_int8_product": [
        ("by the weights", "expected", LOUD, "(w.abs() >= threshold).any(0)"),
        ("always 6", "expected", LOUD, LOUD.replace("threshold", "6.0")),
        (
            "one scale for the matrix",
            "its own scale",
            SCALE,
            "rest.abs().amax().expand(len(rest), 1) / 127",
        ),
        ("7 bits", "expected", SCALE, SCALE.replace("127", "63")),
        (
            "one scale where w is tall",
            "a tall w",
            RESULT,
            RESULT.replace("w_scale", "(w_scale if len(w) <= w.shape[1] else w_scale.max())"),
        ),
        (
            "128 tokens at most",
            "many tokens",
            RESULT,
            RESULT.replace("x_scale", "(x_scale if len(x) < 129 else x_scale.max())"),
        ),
        ("truncated", "expected", CODES, CODES.replace("round", "trunc")),
        ("the scale of x alone", "expected", RESULT, f"return {FLOATS} + integers * x_scale"),
    ],
    "test_rest_is_really_in_8_bits": [
        (
            "floats for a single token",
            "one token",
            RESULT,
            RESULT.replace("return ", "return x @ w.T if len(x) == 1 else "),
        ),
        ("everything in floats", "no faster", RESULT, "return x @ w.T"),
        ("codes that are not rounded", "no faster", CODES, "(rest / scale).double()"),
        ("16 bits", "no faster", SCALE, SCALE.replace("127", "32767")),
    ],
    "test_all_columns_or_none_left_are_fine": [
        ("no guard", "NaN", GUARD, "pass"),
        ("cut out", "raised", X_REST, "coded(x[:, ~loud])", W_REST, "coded(w[:, ~loud])"),
    ],
    "test_quiet_tokens_and_views_are_multiplied_too": [
        ("a smallest scale of 1e-8", "expected", GUARD, "scale = scale.clamp(min=1e-8)"),
        (
            "needs one block of memory",
            "raised",
            LOUD,
            LOUD.replace("x.abs()", "x.view(-1).view(x.shape).abs()"),
        ),
    ],
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers by id",
            "is used again",
            X_REST,
            f"mixed_product.__dict__.setdefault(id(x), {X_REST})",
        ),
    ],
}
