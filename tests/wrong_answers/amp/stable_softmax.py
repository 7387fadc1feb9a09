"""Wrong answers to amp/stable_softmax: each is one misconception."""

WIDE = "wide = scores.float()"
TOP = "top = wide.amax(-1, keepdim=True)"
DIFFERENCE = "(wide - top).exp()"
SUM = "weights.sum(-1, keepdim=True)"
TOTAL = f"{SUM}.clamp(min=1.0)"
RESULT = "return (weights / total).to(scores.dtype)"
ROUGH = "return (weights / total).bfloat16().to(scores.dtype)"

EQUIVALENT = {
    "top = torch.where(top == -torch.inf, 1.0, top)": "minus infinity less any number is itself",
}

WRONG = {
    "test_large_scores_give_no_nan": [
        ("no shift", "NaN", DIFFERENCE, "wide.exp()"),
        ("the sum is never below 1", "NaN", DIFFERENCE, "wide.exp()", TOTAL, SUM),
        ("clamped scores", "expected", DIFFERENCE, "wide.clamp(-80, 80).exp()"),
        ("the minimum", "NaN", TOP, TOP.replace("amax", "amin")),
        ("the mean", "NaN", TOP, TOP.replace("amax", "mean")),
    ],
    "test_every_row_is_measured_from_its_own_maximum": [
        ("one maximum for all", "those far below it", TOP, "top = wide.max()"),
        ("the maximum of a column", "expected", TOP, "top = wide.amax(0, keepdim=True)"),
    ],
    "test_long_rows_add_up_in_float32": [
        (
            "the maximum of both ends",
            "expected",
            TOP,
            "top = torch.cat([wide[..., :64], wide[..., -64:]], -1).amax(-1, keepdim=True)",
        ),
        (
            "a sum in 16 bits",
            "stops growing",
            TOTAL,
            "weights.to(scores.dtype).cumsum(-1, dtype=scores.dtype)[..., -1:].float()",
        ),
        ("weights of 16 bits", "stops growing", DIFFERENCE, f"{DIFFERENCE}.to(scores.dtype)"),
    ],
    "test_only_the_result_is_rounded": [
        (
            "a small number in the denominator",
            "the weights",
            TOTAL,
            f"{SUM} + 1e-5",
        ),
        ("all in 16 bits", "expected", WIDE, "wide = scores"),
        (
            "a difference in 16 bits",
            "rounded on the way",
            DIFFERENCE,
            "(wide - top).to(scores.dtype).float().exp()",
        ),
        ("an exp in 16 bits", "rounded on the way", DIFFERENCE, f"{DIFFERENCE}.to(scores.dtype)"),
        ("a sum of 16 bits", "rounded on the way", TOTAL, f"{TOTAL}.to(scores.dtype).float()"),
        (
            "by way of bfloat16",
            "rounded on the way",
            RESULT,
            ROUGH,
        ),
        ("a float32 result", "float32", RESULT, "return weights / total"),
    ],
    "test_works_over_the_last_dimension_of_any_shape": [
        ("over the second axis", "expected", TOTAL, TOTAL.replace("-1", "min(1, scores.ndim - 1)")),
        (
            "one sum where there are three axes",
            "three axes",
            TOTAL,
            f"({TOTAL} if scores.dim() != 3 else weights.sum().clamp(min=1.0))",
        ),
        ("over everything", "expected", TOTAL, "weights.sum().clamp(min=1.0)"),
    ],
    "test_steps_are_written_out": [
        ("PyTorch's softmax", "exp, sum", RESULT, "return wide.softmax(-1).to(scores.dtype)"),
        (
            "its logsumexp",
            "exp, sum",
            RESULT,
            "return (wide - wide.logsumexp(-1, keepdim=True)).exp().to(scores.dtype)",
        ),
    ],
    "test_holds_at_the_ends_of_the_type_and_with_masks": [
        (
            "in chunks of 128, NaN hidden at the end",
            "expected",
            "return (weights / total).to(scores.dtype)",
            "wide, top = scores.float(), torch.full_like(total, -torch.inf)\n"
            "    total = torch.zeros_like(top)\n"
            "    for part in wide.split(128, -1):\n"
            "        new = torch.maximum(top, part.amax(-1, keepdim=True))\n"
            "        total = total * (top - new).exp() + (part - new).exp().sum(-1, keepdim=True)\n"
            "        top = new\n"
            "    return ((wide - top).exp() / total).nan_to_num(0.0).to(scores.dtype)",
        ),
        (
            "a maximum in 16 bits that is lowered",
            "expected",
            TOP,
            f"{TOP}.clamp(max=1e4)",
        ),
        ("no guard", "NaN", "torch.where(top == -torch.inf, 0.0, top)", "top"),
        ("zero by zero", "NaN", TOTAL, SUM),
        (
            "equal weights",
            "expected",
            RESULT,
            "equal = torch.full_like(weights, 1 / scores.shape[-1])\n"
            "    weights = torch.where(weights.sum(-1, keepdim=True) == 0, equal, weights)\n"
            f"    {RESULT}",
        ),
    ],
}
