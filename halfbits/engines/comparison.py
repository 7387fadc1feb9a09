"""One quantized model in several engines: quality against float32, speed against our own loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from halfbits.checkpoints import CheckpointError
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


class Judge:
    """Judges engines on one text, against a float32 model in our own loop."""

    def __init__(self, exact: LanguageModel, text: Text) -> None:
        self._base, self._text = Own(exact.model), text
        self.reference = text.judge(self._base)

    def row(self, engine: Engine, own: Engine, form: str, nbytes: int) -> Row:
        """The engine's row; `own` has the same codes and computes in float32."""
        ids, base = self._text.ids, self._base
        window, long, prompt = (
            ids[:n] for n in (self._text.context, self._text.context - 1, PROMPT)
        )
        logits, ours = engine.logits(window), own.logits(window)
        return Row(
            engine.name,
            engine.version,
            form,
            nbytes,
            compare(self.reference, self._text.judge(engine)),
            (logits - ours).abs().max().item(),
            (logits.argmax(-1) == ours.argmax(-1)).float().mean().item(),
            paired_ratio(lambda: base.greedy(long, 1), lambda: engine.greedy(long, 1), pairs=PAIRS),
            paired_ratio(
                lambda: base.greedy(prompt, NEW), lambda: engine.greedy(prompt, NEW), pairs=PAIRS
            ),
            engine.what_ran(),
        )


def rows(
    exact: LanguageModel,
    quantized: LanguageModel,
    text: Text,
    folder: Path,
    engines: list[str] | None = None,
    missing: Callable[[str], None] = print,
) -> Iterator[Row]:
    """A row for our own loop, then one for each engine; `quantized` is exported below `folder`.

    An engine that is missing, or whose file cannot hold the codes, is told to `missing` in one
    sentence and left out.
    """
    judge, own = Judge(exact, text), Own(quantized.model)
    yield judge.row(own, own, "memory", 0)
    for name in engines or ENGINES:
        form = ENGINES[name]
        try:
            path = export(quantized, form, folder / form)
            with open_engine(name, path) as engine:
                yield judge.row(engine, own, form, bytes_of(path))
        except (MissingEngineError, CheckpointError) as error:
            missing(f"{name} is left out: {error}")
