"""Wrong answers to kv_cache/int8_attention: each is one misconception."""

SCALE = "x.abs().amax(axis, keepdim=True) / 127"
GUARD = "scale = torch.where(scale == 0, 1.0, scale)"
CODES = "torch.round(x / scale).int()"
FLOATS = CODES.removesuffix(".int()")
SCORES = "(q_codes @ k_codes.T) * q_scale * k_scale.T / q.shape[1] ** 0.5"
CODED = "coded(q, 1), coded(k, 1)"
PARTS = f"(q_codes, q_scale), (k_codes, k_scale) = {CODED}"
LAST_KEYS = f"""kept, key = int8_scores.__dict__, (k.data_ptr(), k.shape, k._version)
    if key not in kept:
        kept.clear()
        kept[key] = coded(k, 1)
    {PARTS.replace("coded(k, 1)", "kept[key]")}"""
OUTPUT = "(p_codes @ v_codes) * p_scale * v_scale"
OWN = "coded(p, 1), coded(v, 0)"

NAN = "a NaN becomes some whole number, and the scale of 0 makes it 0"
EQUIVALENT = {
    "scale = torch.where(scale == 0, 2.0, scale)": "zeros are zeros with any scale",
    "scale = torch.where(scale == 1, 1.0, scale)": NAN,
    "scale = torch.where(scale == -1, 1.0, scale)": NAN,
    "return torch.round(x / scale), scale": "float32 holds these sums exactly",
}

WRONG = {
    "test_scores_again_reads_its_arguments_at_every_call": [
        ("remembers the last keys by their place and version", "is used again", PARTS, LAST_KEYS),
    ],
    "test_scores_are_exact_sums_times_the_scales_of_query_and_token": [
        (
            "an int8 product",
            "wraps around",
            "q_codes @ k_codes.T",
            "q_codes.to(torch.int8) @ k_codes.T.to(torch.int8)",
        ),
        (
            "scaled before the sum",
            "before the sum",
            SCORES,
            "(q_codes * q_scale) @ (k_codes * k_scale).T / q.shape[1] ** 0.5",
        ),
        ("not quantized", "before the sum", SCORES, "q @ k.T / q.shape[1] ** 0.5"),
        ("one scale for all keys", "expected", SCALE, "x.abs().amax().reshape(1, 1) / 127"),
        ("no root", "expected", SCORES, SCORES.removesuffix(" / q.shape[1] ** 0.5")),
        ("the tokens' scales forgotten", "expected", SCORES, SCORES.replace(" * k_scale.T", "")),
        ("the query's scale forgotten", "expected", SCORES, SCORES.replace(" * q_scale", "")),
        ("a level too many", "expected", SCALE, SCALE.replace("127", "128")),
        ("truncated", "expected", CODES, "(x / scale).int()"),
        (
            "keys by channel",
            "expected",
            SCORES,
            "(q_codes @ coded(k, 0)[0].T) * q_scale * coded(k, 0)[1].mean() / q.shape[1] ** 0.5",
        ),
        (
            "keys by channel where they are square",
            "as many tokens as channels",
            SCORES,
            SCORES.replace("k_scale.T", "(coded(k, int(len(k) != q.shape[1]))[1].reshape(1, -1))"),
        ),
        ("128 tokens at most", "before the sum", SCORES, f"{SCORES} if len(k) < 129 else q @ k.T"),
        (
            "128 channels at most",
            "before the sum",
            SCORES,
            f"{SCORES} if q.shape[1] < 129 else q @ k.T / q.shape[1] ** 0.5",
        ),
        ("the root of the tokens", "expected", SCORES, SCORES.replace("q.shape[1]", "k.shape[0]")),
    ],
    "test_row_of_zeros_gives_scores_of_zero": [
        ("no guard", "NaN", GUARD, "pass", CODES, FLOATS),
        (
            "a guard for the whole",
            "NaN",
            GUARD,
            "scale = scale if scale.any() else scale + 1",
            CODES,
            FLOATS,
        ),
    ],
    "test_output_has_scales_of_query_and_channel": [
        (
            "a scale for each token",
            "cannot leave the sum",
            f"(p_codes, p_scale), (v_codes, v_scale) = {OWN}\n    return {OUTPUT}",
            "(p_codes, p_scale), (v_codes, v_scale) = coded(p, 1), coded(v, 1)\n"
            "    return (p_codes @ v_codes) * p_scale * v_scale.mean()",
        ),
        (
            "a token's scale inside the sum",
            "cannot leave the sum",
            f"(p_codes, p_scale), (v_codes, v_scale) = {OWN}\n    return {OUTPUT}",
            "(p_codes, p_scale), (v_codes, v_scale) = coded(p, 1), coded(v, 1)\n"
            "    return (p_codes * p_scale) @ (v_codes * v_scale)",
        ),
        ("values as they are", "expected", OUTPUT, "(p_codes.float() @ v) * p_scale"),
        ("weights as they are", "expected", OUTPUT, "(p @ v_codes.float()) * v_scale"),
        (
            "weights of 1/127",
            "expected",
            OUTPUT,
            "(torch.round(p * 127).int() @ v_codes) / 127 * v_scale",
        ),
        (
            "one scale where there are many queries",
            "as many",
            OUTPUT,
            OUTPUT.replace("p_scale", "(p_scale if len(p) < p.shape[1] else p_scale.amax())"),
        ),
        (
            "weights as they lie",
            "expected",
            OWN,
            OWN.replace("coded(p", "coded(p.as_strided(p.shape, (p.shape[1], 1))"),
        ),
        ("divided by the sum", "expected", OUTPUT, f"{OUTPUT} / p.sum(1, keepdim=True) / 1.01"),
    ],
    "test_long_text_has_an_exact_sum": [
        (
            "an int16 product",
            "127 * 127 * 1000",
            "p_codes @ v_codes",
            "p_codes.to(torch.int16) @ v_codes.to(torch.int16)",
        ),
        (
            "sums in bfloat16",
            "without a gap",
            "p_codes @ v_codes",
            "(p_codes.double() @ v_codes.double()).to(torch.bfloat16).float()",
        ),
    ],
    "test_dead_channel_gives_zeros": [
        (
            "a floor under the scales of columns",
            "no column of zeros",
            OWN,
            OWN.replace("coded(v, 0)", "(lambda s: (torch.round(v / s).int(), s))(SCALE)").replace(
                "SCALE", "v.abs().amax(0, keepdim=True).clamp(min=1e-10) / 127"
            ),
        ),
        (
            "divided by amax",
            "NaN",
            OUTPUT,
            "(p_codes @ torch.round(v / v.abs().amax(0) * 127).nan_to_num().int())"
            " * p_scale * (v.abs().amax(0) / 127) / (v_scale != 1)",
        ),
    ],
    "test_faint_tokens_are_like_any_other": [
        ("a floor", "such a token", GUARD, "scale = scale.clamp(min=1e-8)"),
    ],
}
