"""How good a model is, and whether a difference between two is more than chance."""

from halfbits.evaluate.divergence import (
    Divergence,
    divergences,
    kl_divergence,
    log_probabilities,
    paired_means,
)
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
    "Divergence",
    "Perplexity",
    "compare",
    "divergences",
    "document_groups",
    "kl_divergence",
    "log_probabilities",
    "paired_means",
    "perplexity",
    "summarize",
    "token_losses",
    "window_losses",
]
