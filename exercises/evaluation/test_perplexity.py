"""What `perplexity` must do, one claim a check."""

import math

import torch
from torch import nn

from halfbits.course.checks import calls, cases, expect, hardened, tolerance
from halfbits.course.checks.cases import each

TASK = "perplexity"
CONTEXT, STATES, VOCABULARY = 16, 61, 11
again = calls.Calls("perplexity", lambda seed: (Reader(seed), text(seed, 40), CONTEXT, 4))


class Reader(nn.Module):
    """A model whose prediction depends on every token that its window holds so far."""

    table: torch.Tensor

    def __init__(self, seed, dtype=torch.float32):
        super().__init__()
        size = 1 + 2 * (seed % 2)  # so that two seeds differ clearly
        self.register_buffer("table", size * cases.normal(seed, STATES, VOCABULARY).to(dtype))
        self.longest = 0

    def forward(self, inputs):
        self.longest = max(self.longest, inputs.shape[-1])
        return self.table[(inputs + 1).cumsum(-1) % STATES]


def text(seed, n):
    """int64 [n]: a text of any tokens; one of an even number of them is a column of a batch."""
    return torch.randint(VOCABULARY, (n, 2 - n % 2), generator=cases.generator(seed))[:, 0]


def exact(model, ids, stride):
    """The perplexity token by token, in float64."""
    losses = []
    for token in range(1, len(ids)):
        start = stride * max(0, math.ceil((token - CONTEXT) / stride))
        state = int((ids[start:token] + 1).sum()) % STATES
        losses.append(-torch.log_softmax(model.table[state].double(), -1)[ids[token]].item())
    return math.exp(sum(losses) / len(losses))


def right(answer, seed, lengths, strides, dtype=torch.float32):
    """The perplexity of texts of these lengths is the one that the windows define."""
    several = {f"{n} tokens, stride {s}": (n, s) for n in lengths for s in strides}
    for n, stride in each(several):
        model, ids = Reader(seed + n, dtype), text(seed + n, n)
        want = exact(model, ids, stride)
        # Each loss is off by 4 eps of the largest logit, a float32 sum by n eps of the mean; exp
        # turns what the mean is off by into a share of the result.
        size = model.table.abs().max().item() + math.log(VOCABULARY)
        room = tolerance.eps() * (4 * size + n * math.log(want)) * want
        expect.close(answer.perplexity(model, ids, CONTEXT, stride), want, atol=room)


def test_windows_side_by_side_skip_no_token(answer, seed):
    """With a stride of `context` all tokens but the first of a text in any layout weigh alike.

    The first token of a window is predicted by the window before it, the last one needs no input,
    and a short window counts by its tokens. Logits predict the next token, not the one just read.
    """
    lengths = (2, 10, CONTEXT + 1, CONTEXT + 2, 2 * CONTEXT, 2 * CONTEXT + 1, 240)
    right(answer, seed, lengths, (CONTEXT,))


def test_overlapping_windows_judge_what_is_new(answer, seed):
    """With a shorter stride a token counts in the first window that predicts it, and only there.

    What is counted twice weighs twice, and its first judgment had more tokens before it or as many.
    """
    right(answer, seed, (CONTEXT + 2, 2 * CONTEXT + 1, 50, 57), (1, 4, 5, CONTEXT - 1))


def test_model_reads_at_most_the_context(answer, seed):
    """No window that the model gets is longer than `context`.

    A model has positions for its context, and answers badly, or not at all, beyond.
    """
    for stride in each({"side by side": CONTEXT, "overlapping": 4}):
        model = Reader(seed)
        answer.perplexity(model, text(seed, 50), CONTEXT, stride)
        expect.at_most(model.longest, CONTEXT, "tokens", of="the longest window")


def test_wrong_strides_and_texts_are_refused(answer, seed):
    """A stride of 0, or beyond `context`, and a text of fewer than 2 tokens raise ValueError.

    Beyond the context tokens between two windows would never be judged.
    """
    several = {"stride 0": (40, 0), "too long a stride": (40, CONTEXT + 1), "one token": (1, 4)}
    for n, stride in each(several):
        arguments = Reader(seed), text(seed, n), CONTEXT, stride
        expect.raises(ValueError, lambda: answer.perplexity(*arguments))  # noqa: B023


@hardened
def test_half_precision_logits_are_converted_first(answer, seed):
    """float16 and bfloat16 logits give the perplexity of the same numbers in float32.

    A log-softmax in 16 bits has two or three digits, less than two models differ by.
    """
    for dtype in each(cases.named(*cases.LOW)):
        right(answer, seed, (50,), (CONTEXT, 4), dtype)
