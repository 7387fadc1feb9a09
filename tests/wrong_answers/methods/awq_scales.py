"""Wrong answers to methods/awq_scales: each is one misconception."""

MEAN = "x.abs().mean(0)"
FACTORS = "torch.where(mean == 0, 1.0, mean**alpha)"
SCALED = "w * s"
SCALE = "scaled.abs().amax(1, keepdim=True) / 7"
GUARD = "scale = torch.where(scale == 0, 1.0, scale)"
ERROR = "((x / s) @ rounded.T - exact).square().sum().item()"
BEST = "_, alpha, s = min(tried, key=lambda one: one[0])"

EQUIVALENT = {
    "error = ((x / s) @ rounded.T - exact).square().mean().item()": "all errors have as many terms",
    "error = ((x / s) @ rounded.T - exact).square().sum()": "tensors of one number compare as well",
    "scale = torch.where(scale == 0, 2.0, scale)": "zeros are zeros with any scale",
    "_, alpha, s = min(tried)": "the alpha decides between equal errors, and either is accepted",
}

WRONG = {
    "test_alpha_has_the_least_output_error": [
        (
            "every second sample of many",
            "multiplies it by",
            ERROR,
            ERROR.replace(".square()", "[:: max(1, len(x) // 64)].square()"),
        ),
        ("one scale for the matrix", "expected", SCALE, "scaled.abs().amax() / 7"),
        (
            "the weights decide",
            "multiplies it by",
            ERROR,
            "(rounded / s - w).square().sum().item()",
        ),
        (
            "rows for columns where w is square",
            "multiplies it by",
            "tried = []",
            "tried, w = [], w if w.shape[0] != w.shape[1] else w.T",
        ),
        (
            "w as it lies",
            "multiplies it by",
            "tried = []",
            "tried, w = [], w.as_strided(w.shape, (w.shape[1], 1))",
        ),
        (
            "the scaled weights decide",
            "multiplies it by",
            ERROR,
            "(rounded - scaled).square().sum().item()",
        ),
        (
            "always the largest",
            "multiplies it by",
            BEST,
            "_, alpha, s = max(tried, key=lambda one: one[1])",
        ),
        (
            "always 0.5",
            "multiplies it by",
            BEST,
            "_, alpha, s = min(tried, key=lambda one: abs(one[1] - 0.5))",
        ),
        ("the most error", "multiplies it by", BEST, BEST.replace("min", "max")),
        (
            "the first 64 samples decide",
            "multiplies it by",
            ERROR,
            ERROR.replace("exact)", "exact)[:64]"),
        ),
        ("x is not divided", "multiplies it by", ERROR, ERROR.replace("(x / s)", "x")),
        (
            "the scale before the factors",
            "multiplies it by",
            SCALE,
            "w.abs().amax(1, keepdim=True) / 7",
        ),
    ],
    "test_factors_belong_to_their_alpha": [
        ("the largest input", "expected", MEAN, "x.abs().amax(0)"),
        ("a signed mean", "expected", MEAN, "x.mean(0).abs()"),
        ("the root mean square", "expected", MEAN, "x.square().mean(0).sqrt()"),
        ("means of the weights", "expected", MEAN, "w.abs().mean(0)"),
        ("the inverse", "expected", BEST, f"{BEST}\n    s = 1 / s"),
        ("divided by the mean of all", "expected", MEAN, "x.abs().mean(0) / x.abs().mean()"),
    ],
    "test_order_of_the_list_does_not_matter": [
        (
            "stops at the first rise",
            "expected",
            "for alpha in alphas:",
            "for alpha in sorted(alphas):",
            "tried.append((error, alpha, s))",
            "if tried and error > tried[-1][0]:\n            break\n"
            "        tried.append((error, alpha, s))",
        ),
        ("w in place", "left as it was", SCALED, "w.mul_(s)"),
        ("sorts the list", "left as it was", "tried = []", "tried = []\n    alphas.sort()"),
        (
            "the first that improves",
            "knows nothing but the list",
            BEST,
            "_, alpha, s = next((t for t in tried if t[0] < tried[0][0]), tried[0])",
        ),
        (
            "a list of its own",
            "one of",
            "for alpha in alphas",
            "for alpha in [i / 20 for i in range(21)]",
        ),
    ],
    "test_dead_inputs_have_a_factor_of_one": [
        ("no guard", "expected", FACTORS, "mean**alpha"),
        ("a floor", "expected", FACTORS, "mean.clamp(min=1e-4) ** alpha"),
    ],
    "test_pruned_rows_and_views_disturb_nothing": [
        ("no guard for rows", "expected", GUARD, "pass"),
        ("needs one block of memory", "raised", MEAN, "x.view(-1).view(x.shape).abs().mean(0)"),
    ],
    "test_quiet_and_very_loud_inputs_keep_their_factors": [
        (
            "a floor of 1e-8",
            "factors",
            FACTORS,
            "torch.where(mean == 0, 1.0, mean.clamp(min=1e-8)**alpha)",
        ),
        ("a floor under the scale", "alpha", GUARD, "scale = scale.clamp(min=1e-8)"),
        ("at most 1e4", "factors", FACTORS, f"{FACTORS}.clamp(max=1e4)"),
    ],
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers by address",
            "is used again",
            MEAN,
            f"awq_scales.__dict__.setdefault(x.data_ptr(), {MEAN})",
        ),
    ],
}
