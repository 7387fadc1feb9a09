"""Wrong answers to amp/repair_masks: each is one misconception."""

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
        ("zeros beyond 64 tokens", "expected", RESULT, f"{RESULT} * (n <= 64)"),
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
        (
            "a score of 0 is taken for masked",
            "expected",
            SEEN,
            f"{SEEN} & (scores != 0)",
        ),
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
            "padding sees nothing",
            "rows of queries that see a key",
            RESULT,
            f"{RESULT} * valid[:, :, None]",
        ),
        (
            "masks in place",
            "left as it was",
            MASKED,
            "scores.masked_fill_(~seen, torch.finfo(scores.dtype).min)",
        ),
        ("a float32 result", "float32", RESULT, "return torch.softmax(masked.float(), dim=2)"),
        (
            "as many as are valid, from the right",
            "expected",
            SEEN,
            "past & (torch.arange(n) >= n - valid.sum(1)[:, None])[:, None, :]",
        ),
    ],
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers by address",
            "is used again",
            MASKED,
            f"attention_weights.__dict__.setdefault(scores.data_ptr(), {MASKED})",
        ),
    ],
    "test_views_single_tokens_and_empty_batches": [
        (
            "needs one block of memory",
            "raised",
            MASKED,
            MASKED.replace("scores,", "scores.view(-1).view(scores.shape),"),
        ),
        (
            "valid in the order of memory",
            "expected",
            SEEN,
            "past & valid.as_strided(valid.shape, (n, 1))[:, None, :]",
        ),
        (
            "the order of memory",
            "expected",
            MASKED,
            "torch.where(seen, scores.as_strided(scores.shape, (n * n, n, 1))"
            " if scores.numel() else scores, torch.finfo(scores.dtype).min)",
        ),
    ],
}
