"""How good a model is, and whether a difference between two is more than chance."""

from halfbits.evaluate.token_loss import (
    Change,
    Perplexity,
    compare,
    document_groups,
    perplexity,
    summarize,
    token_losses,
    window_losses,
)

__all__ = [
    "Change",
    "Perplexity",
    "compare",
    "document_groups",
    "perplexity",
    "summarize",
    "token_losses",
    "window_losses",
]
