"""Wrong and right answers to amp/repair_masks: each wrong one is one misconception."""

from halfbits.course.authoring.contract import RightAnswer, swap

PAST = "torch.ones(n, n, dtype=torch.bool).tril()"
SEEN = "past & valid[:, None, :]"
MASKED = "torch.where(seen, scores, torch.finfo(scores.dtype).min)"
RESULT = "return torch.softmax(masked, dim=2)"
ADDED = (
    "scores + torch.where(past, 0.0, torch.finfo(scores.dtype).min).to(scores.dtype)"
    " + torch.where(valid, 0.0, torch.finfo(scores.dtype).min).to(scores.dtype)[:, None, :]"
)

EQUIVALENT = {"n = scores.shape[2]": "there are as many keys as queries"}

WRONG = {
    "test_padding_on_the_left_gives_no_nan": [
        ("as it came", "from 0 to 1", MASKED, ADDED),
        ("minus infinity", "from 0 to 1", MASKED, "scores.masked_fill(~seen, -torch.inf)"),
        (
            "minus a billion",
            "from 0 to 1",
            MASKED,
            "(scores + torch.where(seen, 0.0, -1e9)).to(scores.dtype)",
        ),
        ("NaN becomes 1", "from 0 to 1", RESULT, f"{RESULT}.masked_fill(~seen.any(2, True), 2.0)"),
        (
            "added to the score",
            "from 0 to 1",
            MASKED,
            "scores + torch.where(seen, 0.0, torch.finfo(scores.dtype).min).to(scores.dtype)",
        ),
    ],
    "test_prompt_does_not_depend_on_its_neighbors": [
        ("padding is seen", "must not change", SEEN, "past.expand(len(valid), n, n)"),
        ("queries are masked, not keys", "must not change", SEEN, "past & valid[:, :, None]"),
        ("the padding of the first prompt", "must not change", SEEN, "past & valid[:1, None, :]"),
        ("a softmax over queries", "must not change", RESULT, RESULT.replace("dim=2", "dim=1")),
    ],
    "test_nobody_sees_the_future_or_padding": [
        ("the future is seen", "expected", SEEN, "valid[:, None, :].expand(-1, n, n)"),
        ("not itself", "expected", PAST, "torch.ones(n, n, dtype=torch.bool).tril(-1)"),
        ("one step ahead", "expected", PAST, "torch.ones(n, n, dtype=torch.bool).tril(1)"),
        (
            "a mask of -20",
            "expected",
            MASKED,
            "scores + torch.where(seen, 0.0, -20.0).to(scores.dtype)",
        ),
        ("the past is hidden", "expected", PAST, "torch.ones(n, n, dtype=torch.bool).triu()"),
        ("a mask of 0", "expected", MASKED, "scores * seen"),
    ],
    "test_padding_may_stand_anywhere": [
        (
            "as many as are valid, from the right",
            "expected",
            SEEN,
            "past & (torch.arange(n) >= n - valid.sum(1)[:, None])[:, None, :]",
        ),
    ],
    "test_inputs_are_left_as_they_were": [
        (
            "masks in place",
            "left as it was",
            MASKED,
            "scores.masked_fill_(~seen, torch.finfo(scores.dtype).min)",
        ),
        ("a float32 result", "float32", RESULT, "return torch.softmax(masked.float(), dim=2)"),
    ],
}

CLAMPED = """
import torch
def attention_weights(scores, valid):
    lowest = torch.finfo(scores.dtype).min
    n = scores.size(-1)
    mask = torch.full((n, n), lowest, dtype=torch.float64).triu(1)
    mask = mask + torch.where(valid, 0.0, lowest).double()[:, None, :]
    total = (scores.double() + mask).clamp(min=lowest).to(scores.dtype)
    return total.softmax(-1)
"""
ZEROED = """
import torch
def attention_weights(scores, valid):
    n = scores.shape[-1]
    hidden = torch.ones(n, n, dtype=torch.bool).triu(1) | ~valid.unsqueeze(1)
    weights = scores.float().masked_fill(hidden, float("-inf")).softmax(dim=-1)
    return torch.nan_to_num(weights, nan=0.0).to(scores.dtype)
"""
LOOPS = """
import torch
def attention_weights(scores, valid):
    out = torch.zeros_like(scores)
    for b in range(scores.shape[0]):
        for i in range(scores.shape[1]):
            keys = [j for j in range(i + 1) if valid[b, j]]
            if keys:
                out[b, i, keys] = torch.softmax(scores[b, i, keys].float(), 0).to(scores.dtype)
    return out
"""

RIGHT = [
    RightAnswer("added in float64 and clamped", CLAMPED),
    RightAnswer("minus infinity, then zeros for NaN", ZEROED),
    RightAnswer("loops over the keys that are seen", LOOPS),
    RightAnswer(
        "masked_fill",
        swap(
            "attention_weights", MASKED, "scores.masked_fill(~seen, torch.finfo(scores.dtype).min)"
        ),
    ),
]
