"""Right answers to evaluation/perplexity, each in its own style."""

from halfbits.course.authoring.contract import swap

FIRST = """
import math
import torch
def perplexity(model, ids, context, stride):
    if stride < 1 or stride > context:
        raise ValueError(stride)
    if len(ids) < 2:
        raise ValueError("nothing to predict")
    nll = torch.full((len(ids),), math.nan, dtype=torch.float64)
    for start in reversed(range(0, len(ids) - 1, stride)):
        window = ids[start : start + context]
        p = torch.softmax(model(window[None]).double(), -1)[0]
        for place in range(len(window)):
            token = start + place + 1
            if token < len(ids):
                nll[token] = -torch.log(p[place, ids[token]])
    return nll[1:].mean().exp().item()
"""
MASKED = """
import torch
from torch.nn import functional as F
def perplexity(model, ids, context, stride):
    if not 0 < stride <= context or ids.numel() < 2:
        raise ValueError
    n, begin, previous = len(ids) - 1, 0, 0
    losses = []
    while True:
        end = min(begin + context, n)
        labels = ids[begin + 1 : end + 1].clone()
        labels[: previous - begin] = -100
        logits = model(ids[begin:end][None]).squeeze(0).to(torch.float32)
        losses.append(F.cross_entropy(logits, labels, ignore_index=-100, reduction="sum"))
        if end == n:
            return torch.exp(torch.stack(losses).sum() / n)
        begin, previous = begin + stride, end
"""
BATCHED = """
import math
import numpy as np
import torch
def perplexity(model, ids, context, stride):
    if stride not in range(1, context + 1) or len(ids) < 2:
        raise ValueError("bad stride or text")
    total = 0.0
    by_window = {}
    for token in range(1, len(ids)):
        by_window.setdefault(max(0, -((context - token) // stride)), []).append(token)
    for k, tokens in by_window.items():
        start = k * stride
        logits = model(ids[start : tokens[-1]].reshape(1, -1)).float().numpy()[0]
        for token in tokens:
            row = logits[token - start - 1].astype(np.float64)
            total += np.log(np.exp(row - row.max()).sum()) + row.max() - row[ids[token]]
    return math.exp(total / (len(ids) - 1))
"""

RIGHT = {
    "from the end, the first window written last": FIRST,
    "labels of -100, one sum": MASKED,
    "tokens by window, in numpy": BATCHED,
    "log-softmax and gather": swap(
        "perplexity",
        'F.cross_entropy(logits.float(), ids[start + 1 : last + 1], reduction="none")',
        "-logits.float().log_softmax(-1).gather(1, ids[start + 1 : last + 1, None])[:, 0]",
    ),
}
