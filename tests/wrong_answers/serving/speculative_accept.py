"""Wrong answers to serving/speculative_accept: each is one misconception."""

CHANCE = "torch.where(q > 0, p / q, 1.0).clamp(max=1.0)"
MISSING = "(p - q).clamp(min=0.0)"
NORMAL = "missing / missing.sum() if missing.sum() > 0 else p.clone()"
TEST = "uniforms[i] >= accept_probability(p[i], q[i])[token]"
REJECTED = "[*drafted[:i], drawn(residual(p[i], q[i]))]"
ALL = "[*drafted, drawn(p[-1])]"
DRAWN = "int((torch.cumsum(probabilities, 0) <= uniforms[-1]).sum())"

EQUIVALENT = {
    "return torch.where(q > 0, p / q, 2.0).clamp(max=1.0)": "the clamp makes it 1",
    "return missing / missing.sum() if missing.mean() > 0 else p.clone()": "both are above 0",
    "return missing / missing.sum() if missing.sum() > 0 else p": "p is not changed afterwards",
    "return int((torch.cumsum(probabilities, -1) <= uniforms[-1]).sum())": "there is one axis",
}

WRONG = {
    "test_chance_is_p_over_q_at_most_one": [
        ("no limit", "p / q", CHANCE, CHANCE.removesuffix(".clamp(max=1.0)")),
        ("q over p", "p / q", CHANCE, CHANCE.replace("p / q", "q / p")),
        ("p alone", "p / q", CHANCE, "p.clone()"),
        ("yes or no", "p / q", CHANCE, "(p >= q).double()"),
        ("the smaller one", "p / q", CHANCE, "torch.minimum(p, q)"),
        ("never drafted is never kept", "p / q", CHANCE, CHANCE.replace(", 1.0)", ", 0.0)")),
        ("float32", "float64", CHANCE, f"{CHANCE}.float()"),
    ],
    "test_kept_and_replaced_tokens_together_are_the_target": [
        ("drawn from p", "too often", NORMAL, "p.clone()"),
        ("not normalized", "expected", NORMAL, "missing"),
        ("both directions", "expected", MISSING, "(p - q).abs()"),
        ("the other direction", "expected", MISSING, "(q - p).clamp(min=0.0)"),
        ("a softmax", "expected", NORMAL, "torch.softmax(missing, 0)"),
        ("without what was overrated", "expected", MISSING, "torch.where(p > q, p, 0.0)"),
        ("the best of it", "too often", NORMAL, "(missing == missing.max()).double()"),
        ("a thousand tokens", "expected", NORMAL, f"p if len(p) > 1000 else {NORMAL}"),
    ],
    "test_tokens_are_kept_up_to_the_first_rejection": [
        (
            "goes on after a rejection",
            "does not exist",
            f"            return {REJECTED}\n",
            "            drafted = [*drafted[:i], drawn(residual(p[i], q[i])),"
            " *drafted[i + 1 :]]\n",
        ),
        ("replaced from p", "expected", REJECTED, "[*drafted[:i], drawn(p[i])]"),
        ("replaced at the next place", "expected", REJECTED, "[*drafted[:i], drawn(p[i + 1])]"),
        ("nothing in its place", "expected", REJECTED, "drafted[:i]"),
        ("the rejected one stays", "expected", REJECTED, REJECTED.replace(":i]", ": i + 1]")),
        ("kept if likelier", "expected", TEST, "p[i, token] < q[i, token]"),
        (
            "the likeliest",
            "expected",
            REJECTED,
            "[*drafted[:i], int(residual(p[i], q[i]).argmax())]",
        ),
        ("one number for all", "expected", TEST, TEST.replace("uniforms[i]", "uniforms[0]")),
        ("the same number again", "expected", REJECTED, REJECTED + " if i else [0]"),
        ("kept if the number is large", "expected", TEST, TEST.replace(">=", "<")),
        ("tensors", "ints", DRAWN, DRAWN.removeprefix("int")),
    ],
    "test_one_more_token_comes_when_all_are_kept": [
        ("no token more", "best case", ALL, "drafted"),
        ("the draft's last row", "best case", ALL, "[*drafted, drawn(q[-1])]"),
        ("the first row", "best case", ALL, "[*drafted, drawn(p[0])]"),
        ("the likeliest", "best case", ALL, "[*drafted, int(p[-1].argmax())]"),
        (
            "p as it lies",
            "expected",
            ALL,
            ALL.replace("p[-1]", "p.as_strided(p.shape, (p.shape[1], 1))[-1]"),
        ),
    ],
    "test_equal_models_have_a_residual_too": [
        ("0 over 0", "NaN", NORMAL, "missing / missing.sum()"),
        ("zeros", "spreads", NORMAL, "missing / missing.sum().clamp(min=1e-30)"),
    ],
    "test_impossible_tokens_never_come_out": [
        ("kept at equality", "lets", TEST, TEST.replace(">=", ">")),
        ("drawn at equality", "lets", DRAWN, DRAWN.replace("<=", "<")),
    ],
}
