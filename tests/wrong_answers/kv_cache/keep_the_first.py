"""Wrong answers to kv_cache/keep_the_first: each is one misconception."""

MASK = "(places < first) | (places >= n - window)"
KEPT = "kept = keep(len(k), first, window)"
SCORES = "k[kept] @ q / len(q) ** 0.5"
RESULT = "return torch.softmax(scores, dim=0) @ v[kept]"
COUNT = "torch.arange(min(n, first + window))"

EQUIVALENT = {
    "return torch.softmax(scores, dim=-1) @ v[kept]": "the scores have one axis",
}

WRONG = {
    "test_kept_again_gives_a_result_that_is_the_callers": [
        (
            "hands out one kept tensor",
            "expected",
            f"return places[{MASK}]",
            f"return keep.__dict__.setdefault((n, first, window), places[{MASK}])",
        ),
    ],
    "test_first_and_last_tokens_stay": [
        ("the oldest go", "parks its weight", MASK, "places >= n - window"),
        ("the oldest go, as many stay", "parks its weight", MASK, "places >= n - window - first"),
        ("the newest go", "parks its weight", MASK, "places < first + window"),
        ("one of the first too many", "expected", MASK, MASK.replace("<", "<=")),
        ("four of the first at most", "expected", MASK, MASK.replace("first", "min(first, 4)")),
        ("one of the last too few", "expected", MASK, MASK.replace(">=", ">")),
        ("both ends at once", "expected", MASK, MASK.replace("|", "&")),
        ("a thousand tokens", "expected", MASK, f"({MASK}) | (n > 1000)"),
        (
            "the window counts the first",
            "expected",
            MASK,
            MASK.replace("n - window", "n - window + first"),
        ),
    ],
    "test_short_text_is_kept_whole_and_once": [
        (
            "joined without a look",
            "twice",
            f"return places[{MASK}]",
            "return torch.cat([places[:first], places[max(n - window, 0) :]])",
        ),
        (
            "a window from the first on",
            "expected",
            MASK,
            "(places < first) | (places - first >= window)",
        ),
        (
            "whole while the window holds it, joined then",
            "twice",
            f"return places[{MASK}]",
            "return places if n <= window else torch.cat([places[:first], places[-window:]])",
        ),
    ],
    "test_no_text_keeps_nothing": [
        ("always one", "expected", "torch.arange(n)", "torch.arange(max(n, 1))"),
    ],
    "test_dropped_tokens_take_no_part": [
        (
            "zeros after the softmax",
            "too small",
            RESULT,
            "weights = torch.softmax(k @ q / len(q) ** 0.5, 0)\n    return weights[kept] @ v[kept]",
        ),
        ("all tokens", "too small", KEPT, "kept = torch.arange(len(k))"),
        ("all of many tokens", "too small", KEPT, f"{KEPT} if len(k) < 129 else range(len(k))"),
        (
            "keys of zeros",
            "too small",
            RESULT,
            "mask = torch.zeros(len(k))\n    mask[kept] = 1\n"
            "    return torch.softmax((k @ q / len(q) ** 0.5) * mask, 0) @ (v * mask[:, None])",
        ),
        ("no root", "expected", SCORES, "k[kept] @ q"),
        ("the first left out", "expected", KEPT, "kept = keep(len(k), 0, window)"),
    ],
    "test_loud_token_that_was_dropped_is_not_heard": [
        (
            "masked by -10",
            "given away",
            RESULT,
            "mask = torch.full((len(k),), -10.0)\n    mask[kept] = 0\n"
            "    return torch.softmax(k @ q / len(q) ** 0.5 + mask, 0) @ v",
        ),
        (
            "a mean of what was dropped",
            "given away",
            RESULT,
            "return torch.softmax(scores, dim=0) @ v[kept] + 1e-3 * v.mean(0)",
        ),
    ],
    "test_loud_scores_do_not_overflow": [
        (
            "exp without the largest",
            "NaN",
            RESULT,
            "weights = scores.exp()\n    return weights / weights.sum() @ v[kept]",
        ),
        ("scores clamped", "expected", RESULT, RESULT.replace("scores,", "scores.clamp(-80, 80),")),
    ],
    "test_again_reads_views_like_their_copies": [
        (
            "needs one block of memory",
            "raised",
            SCORES,
            "k.view(-1).view(k.shape)[kept] @ q / len(q) ** 0.5",
        ),
    ],
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers the scores by id",
            "is used again",
            SCORES,
            f"attend.__dict__.setdefault(id(q), {SCORES})",
        ),
    ],
    "test_positions_are_places_in_the_cache": [
        ("places in the text", "trained on", COUNT, "keep(n, first, window)"),
        ("one too many", "expected", COUNT, "torch.arange(min(n, first + window) + 1)"),
        ("always as many as fit", "expected", COUNT, "torch.arange(first + window)"),
        ("modulo the window", "expected", COUNT, "keep(n, first, window) % window"),
        ("from 1 on", "expected", COUNT, f"{COUNT} + 1"),
    ],
}
