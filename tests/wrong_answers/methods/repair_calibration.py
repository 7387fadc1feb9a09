"""Wrong answers to methods/repair_calibration: each is one misconception."""

TOTAL = "total = batch.abs().sum(0)"
FIRST = "mean, count = total / len(batch), len(batch)"
RUN = "mean = mean + (total - len(batch) * mean) / count"
RESULT = "return mean"
LOOP = "for batch in batches:"
BUFFER = "mean_magnitude.__dict__.setdefault(len(mean), torch.empty_like(mean))"

EQUIVALENT = {
    "mean, count = None, 1": "the first batch sets the count",
    "mean, count = None, -1": "the first batch sets the count",
}

WRONG = {
    "test_every_token_counts_the_same": [
        ("as it came", "grows with the number", FIRST, "mean, count = total, len(batch)"),
        ("nothing is divided", "grows with the number", FIRST, "mean, count = total, 1"),
        ("the first batch is left out", "expected", FIRST, "mean, count = 0 * total, 0"),
        (
            "divided by the channels",
            "expected",
            FIRST,
            FIRST.replace("total / len(batch)", "total / batch.shape[1]"),
        ),
        (
            "a mean over channels",
            "expected",
            TOTAL,
            "total = batch.abs().sum().expand(batch.shape[1])",
        ),
        ("divided at the end as well", "expected", RESULT, "return mean / len(batches[0])"),
        ("abs in place", "left as it was", TOTAL, "total = batch.abs_().sum(0)"),
        ("empties the list", "left as it was", RESULT, "batches.clear()\n    return mean"),
        (
            "a mean of means",
            "a short batch more weight",
            RUN,
            "mean = mean + (total / len(batch) - mean) * len(batches[0]) / count",
        ),
        ("halfway each time", "more weight", RUN, "mean = (mean + total / len(batch)) / 2"),
        ("divided by the last batch", "expected", RUN, RUN.replace("/ count", "/ len(batch)")),
        ("the last batch", "expected", RUN, "mean = total / len(batch)"),
        (
            "as many as the first",
            "expected",
            RUN,
            RUN.replace("len(batch) * mean", "len(batches[0]) * mean"),
        ),
        (
            "single tokens are left out",
            "expected",
            RUN,
            f"if len(batch) > 1:\n            {RUN}\n        else:\n            count -= 1",
        ),
        (
            "two batches alike",
            "a short batch more weight",
            RESULT,
            "return mean if len(batches) != 2 else (batches[0].abs().mean(0)"
            " + batches[1].abs().mean(0)) / 2",
        ),
        ("the sums added", "expected", RUN, "mean = mean + total / count"),
    ],
    "test_order_of_the_batches_does_not_matter": [
        (
            "a moving average",
            "nothing special",
            RUN,
            "mean = 0.9 * mean + 0.1 * total / len(batch)",
        ),
        ("the largest", "expected", RUN, "mean = torch.maximum(mean, total / len(batch))"),
        (
            "never smaller than the first",
            "nothing special",
            RUN,
            f"{RUN}\n        mean = torch.maximum(mean, batches[0].abs().mean(0))",
        ),
    ],
    "test_magnitudes_are_averaged": [
        ("the size of the mean", "says nothing", TOTAL, "total = batch.sum(0).abs()"),
        (
            "the root mean square",
            "expected",
            TOTAL,
            "total = batch.square().mean(0).sqrt() * len(batch)",
        ),
    ],
    "test_zeros_and_repeated_tokens_count": [
        (
            "zeros are left out",
            "expected",
            TOTAL,
            "total = batch.abs().sum(0) / (batch != 0).sum(0).clamp(min=1) * len(batch)",
        ),
        (
            "each token once",
            "expected",
            TOTAL,
            f"batch = torch.unique(batch, dim=0)\n        {TOTAL}",
        ),
        (
            "each tensor once",
            "expected",
            LOOP,
            "for batch in {id(batch): batch for batch in batches}.values():",
        ),
    ],
    "test_broken_number_stays_in_its_channel": [
        (
            "NaN for 0",
            "the broken channel",
            TOTAL,
            "total = batch.abs().nan_to_num(posinf=0.0).sum(0)",
        ),
        (
            "the batch is left out",
            "the broken channel",
            TOTAL,
            "total = batch.abs().sum(0) if batch.isfinite().all() else batch.abs().sum(0) * 0",
            RESULT,
            "return mean.nan_to_num()",
        ),
        ("through a sum of all", "the others", TOTAL, f"{TOTAL} + 0 * batch.sum()"),
    ],
    "test_again_reads_views_like_their_copies": [
        (
            "needs one block of memory",
            "raised",
            TOTAL,
            "total = batch.view(-1).view(batch.shape).abs().sum(0)",
        ),
    ],
    "test_again_gives_a_result_that_is_the_callers": [
        (
            "a buffer for a single batch",
            "after a second call",
            RESULT,
            f"return mean if len(batches) > 1 else torch.abs(mean, out={BUFFER})",
        ),
    ],
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers by address",
            "is used again",
            TOTAL,
            "total = mean_magnitude.__dict__.setdefault(batch.data_ptr(), batch.abs().sum(0))",
        ),
    ],
}
