"""A Llama with its tokenizer: text in, text out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from tokenizers import Tokenizer
from torch import Tensor

from halfbits.evaluate import Perplexity, document_groups, perplexity
from halfbits.models.generate import stream
from halfbits.models.llama import Llama

# Below this many documents a text's clusters are its windows: a few sums say nothing of spread.
MIN_DOCUMENTS = 10


@dataclass(frozen=True)
class LanguageModel:
    """`model` in eval mode, its `tokenizer`, and the id `end` that stands between documents."""

    model: Llama
    tokenizer: Tokenizer
    end: int

    def encode(self, text: str) -> Tensor:
        """Token ids int64 [n]; the name of the end token in the text becomes `end`."""
        return torch.tensor(self.tokenizer.encode(text).ids, dtype=torch.int64)

    def openings(self, texts: Sequence[str], length: int) -> Tensor:
        """The first `length` tokens of every text that has as many, behind `end`.

        int64 [texts that are long enough, length + 1]: the windows of `log_probabilities`, one a
        document.
        """
        rows = [self.encode(text)[:length] for text in texts]
        kept = [row for row in rows if len(row) == length]
        ends = torch.full((len(kept), 1), self.end)
        return torch.cat([ends, torch.stack(kept)], 1) if kept else ends.expand(0, length + 1)

    def decode(self, ids: Tensor) -> str:
        """The text of int64 [n], without special tokens."""
        return str(self.tokenizer.decode(ids.tolist()))

    def stream(self, prompt: str, max_new_tokens: int = 64, **options: float) -> Iterator[str]:
        """What follows the prompt, piece by piece; options as in `generate`."""
        new: list[int] = []
        shown = ""
        ids = self.encode(prompt)
        for token in stream(self.model, ids, max_new_tokens, end=self.end, **options):  # type: ignore[arg-type]
            new.append(token)
            text = self.decode(torch.tensor(new))
            # A character of several bytes is complete only with its last token.
            if not text.endswith("\ufffd"):
                yield text[len(shown) :]
                shown = text

    def generate(self, prompt: str, max_new_tokens: int = 64, **options: float) -> str:
        """The prompt and what follows it.

        Options: `temperature` (0, the default, is greedy), `top_k`, `seed`.
        """
        return prompt + "".join(self.stream(prompt, max_new_tokens, **options))

    def perplexity(
        self, text: str, context: int = 512, max_tokens: int | None = None
    ) -> Perplexity:
        """Perplexity a token of `text` (its first `max_tokens` tokens), each document opened by
        `end`, each token predicted from at least half a context.

        Its standard error is over documents, or over pieces of `context` tokens when there are
        fewer than MIN_DOCUMENTS.
        """
        ids = torch.cat([torch.tensor([self.end]), self.encode(text)])[:max_tokens]
        groups = document_groups(ids, self.end)
        many = len(groups.unique()) >= MIN_DOCUMENTS
        return perplexity(self.model, ids, context, groups=groups if many else None)

    def with_model(self, model: Llama) -> LanguageModel:
        """The same tokenizer around another model: a quantized copy, say."""
        return replace(self, model=model)
