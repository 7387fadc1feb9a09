"""Wrong answers to evaluation/perplexity: each is one misconception."""

NEW = "losses[counted - start :]"
TARGETS = "ids[start + 1 : last + 1]"
LAST = "last = min(start + context, len(ids) - 1)"
RESULT = "return math.exp(total / counted)"
REFUSED = "if not 1 <= stride <= context or len(ids) < 2:"
WHOLE = "logits = model(ids[start:last].unsqueeze(0))[0]"
FLOAT = "logits.float()"

MEAN_OF_WINDOWS = """
def perplexity(model, ids, context, stride):
    if not 1 <= stride <= context or len(ids) < 2:
        raise ValueError
    start, counted, each = 0, 0, []
    while counted < len(ids) - 1:
        last = min(start + context, len(ids) - 1)
        losses = F.cross_entropy(
            model(ids[None, start:last])[0].float(), ids[start + 1 : last + 1], reduction="none"
        )
        each.append(REDUCED)
        start, counted = start + stride, last
    return RESULT
"""
OWN_MEAN = MEAN_OF_WINDOWS.replace("REDUCED", "losses[counted - start :].mean().item()")
SKIPS = """
def perplexity(model, ids, context, stride):
    if not 1 <= stride <= context or len(ids) < 2:
        raise ValueError
    losses, counted = [], 0
    for start in range(0, len(ids) - 1, stride):
        window = ids[start : start + context]
        found = F.cross_entropy(model(window[None])[0, :-1].float(), window[1:], reduction="none")
        losses.append(found[max(0, counted - start) :])
        counted = start + len(window) - 1
    return math.exp(torch.cat(losses).mean())
"""

EQUIVALENT = {
    "logits = model(ids[start:last].unsqueeze(0))[-1]": "there is one window in the batch",
    "total += losses[counted - start :].sum()": "math.exp takes a tensor of one number",
}

WRONG = {
    "test_windows_side_by_side_skip_no_token": [
        ("targets not moved by one", "not the one just read", TARGETS, "ids[start:last]"),
        ("divides by all tokens", "off by", RESULT, "return math.exp(total / len(ids))"),
        ("the loss itself", "off by", RESULT, "return total / counted"),
        (
            "200 tokens",
            "240 tokens",
            RESULT,
            RESULT.replace("total", "(total if counted < 200 else 0)"),
        ),
        ("a power of 2", "off by", RESULT, "return 2 ** (total / counted)"),
        (
            "no exponential of a mean, a mean of exponentials",
            "off by",
            MEAN_OF_WINDOWS.replace("REDUCED", "losses.exp().mean().item()").replace(
                "RESULT", "sum(each) / len(each)"
            ),
        ),
        ("a token a window is skipped", "counts by its tokens", SKIPS),
        (
            "the mean of the windows' losses",
            "counts by its tokens",
            OWN_MEAN.replace("RESULT", "math.exp(sum(each) / len(each))"),
        ),
        (
            "the mean of the windows' perplexities",
            "counts by its tokens",
            OWN_MEAN.replace("RESULT", "sum(map(math.exp, each)) / len(each)"),
        ),
        (
            "drops the short last window",
            "off by",
            "while counted < len(ids) - 1:",
            "while counted < len(ids) - 1 and (not counted or start + context < len(ids)):",
        ),
    ],
    "test_overlapping_windows_judge_what_is_new": [
        (
            "every prediction of every window",
            "counted twice weighs twice",
            MEAN_OF_WINDOWS.replace("each.append(REDUCED)", "each += losses.tolist()").replace(
                "RESULT", "math.exp(sum(each) / len(each))"
            ),
        ),
        ("the sum of all, over the right count", "off by", NEW, "losses"),
        ("one new token too many", "off by", NEW, "losses[max(0, counted - start - 1) :]"),
        ("one new token too few", "off by", NEW, "losses[counted - start + (counted > 0) :]"),
        ("the stride as the window", "off by", LAST, LAST.replace("context", "stride")),
        (
            "the last stride tokens, also of the last window",
            "off by",
            NEW,
            "losses[-stride if counted else 0 :]",
        ),
        (
            "no tokens before the new ones",
            "off by",
            "start, counted = start + stride, last",
            "start, counted = last, last",
        ),
    ],
    "test_model_reads_at_most_the_context": [
        (
            "the whole text at once",
            "at most 16",
            WHOLE,
            "logits = model(ids[:last].unsqueeze(0))[0, start:]",
        ),
        (
            "one token too many",
            "at most 16",
            WHOLE,
            "logits = model(ids[start : last + 1].unsqueeze(0))[0, : last - start]",
        ),
    ],
    "test_wrong_strides_and_texts_are_refused": [
        ("no refusal of long strides", "raised", REFUSED, "if stride < 1 or len(ids) < 2:"),
        (
            "no refusal of a short text",
            "expected: ValueError",
            REFUSED,
            "if not 1 <= stride <= context:",
        ),
        (
            "refuses with an assertion",
            "AssertionError",
            REFUSED,
            "assert 1 <= stride <= context\n    if len(ids) < 2:",
        ),
    ],
    "test_half_precision_logits_are_converted_first": [
        ("a softmax in the logits' type", "two or three digits", FLOAT, "logits"),
    ],
}
