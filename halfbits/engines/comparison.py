"""One quantized model in several engines: quality against float32, speed against our own loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from halfbits.checkpoints.exports import bytes_of, export
from halfbits.engines.engine import Engine, MissingEngineError, as_module
from halfbits.engines.installed import ENGINES, open_engine
from halfbits.engines.own import Own
from halfbits.evaluate import Change, Perplexity, compare, document_groups, perplexity
from halfbits.models.language_model import LanguageModel
from halfbits.perf.measure import Ratio, paired_ratio

PROMPT, NEW, PAIRS = 64, 32, 7


@dataclass(frozen=True)
class Row:
    """One engine with one model.

    `change` is the perplexity minus that of float32, with its standard error; `apart` the largest
    |logit - logit| to our own model with the same codes, and `same` the share of predictions of
    equal rank 1, over the first window. `decode` and `prefill` are times of our own float32 model
    over the engine's. `nbytes` are those of the weights' files.
    """

    engine: str
    version: str
    form: str
    nbytes: int
    change: Change
    apart: float
    same: float
    prefill: Ratio
    decode: Ratio
    ran: str


@dataclass(frozen=True)
class Text:
    """Token ids int64 [n] that begin with the end token, and the length of a window."""

    ids: Tensor
    end: int
    context: int = 512

    def judge(self, engine: Engine) -> Perplexity:
        """Perplexity in windows of the context, each half of them new."""
        groups = document_groups(self.ids, self.end)
        return perplexity(as_module(engine), self.ids, self.context, groups=groups)


def rows(
    exact: LanguageModel,
    quantized: LanguageModel,
    text: Text,
    folder: Path,
    engines: list[str] | None = None,
    missing: Callable[[str], None] = print,
) -> Iterator[Row]:
    """A row for our own loop, then one for each engine; `quantized` is exported below `folder`.

    A missing engine is told to `missing` in one sentence and left out.
    """
    base, own = Own(exact.model), Own(quantized.model)
    reference = text.judge(base)
    first = own.logits(text.ids[: text.context])
    yield _row(own, base, text, reference, first, "memory", 0)
    for name in engines or ENGINES:
        form = ENGINES[name]
        try:
            path = export(quantized, form, folder / form)
            with open_engine(name, path) as engine:
                yield _row(engine, base, text, reference, first, form, bytes_of(path))
        except MissingEngineError as error:
            missing(str(error))


def _row(
    engine: Engine,
    base: Engine,
    text: Text,
    reference: Perplexity,
    first: Tensor,
    form: str,
    nbytes: int,
) -> Row:
    logits = engine.logits(text.ids[: text.context])
    prompt = text.ids[:PROMPT]
    long = text.ids[: text.context - 1]
    return Row(
        engine.name,
        engine.version,
        form,
        nbytes,
        compare(reference, text.judge(engine)),
        (logits - first).abs().max().item(),
        (logits.argmax(-1) == first.argmax(-1)).float().mean().item(),
        paired_ratio(lambda: base.greedy(long, 1), lambda: engine.greedy(long, 1), pairs=PAIRS),
        paired_ratio(
            lambda: base.greedy(prompt, NEW), lambda: engine.greedy(prompt, NEW), pairs=PAIRS
        ),
        engine.what_ran(),
    )
