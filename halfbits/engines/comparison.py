"""One quantized model in several engines: quality against float32, speed against our own loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
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

    def window(self, engine: Engine) -> Tensor:
        """The engine's logits of the text's first window, float32 [context, vocabulary]."""
        return engine.logits(self._text.ids[: self._text.context])

    def row(self, engine: Engine, ours: Tensor, form: str, nbytes: int) -> Row:
        """The engine's row; `ours` are the logits of the same codes, computed in float32."""
        base, prompt = self._base, self._text.ids[:PROMPT]
        long, logits = self._text.ids[: self._text.context - 1], self.window(engine)
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
        self,
        quantized: LanguageModel,
        folder: Path,
        engines: Iterable[str] = ENGINES,
        missing: Callable[[str], None] = print,
        kind: str = "F16",
    ) -> Iterator[Row]:
        """A row for our own loop, then one for each engine; exports go below `folder`.

        `kind` is that of GGUF matrices without codes. An engine that is missing, or whose file
        cannot hold the codes, is told to `missing` in one sentence and left out.
        """
        own = Own(quantized.model)
        ours = self.window(own)
        yield self.row(own, ours, "memory", 0)
        for name in engines:
            form = ENGINES[name]
            try:
                path = export(quantized, form, folder / form, kind)
                with open_engine(name, path) as engine:
                    yield self.row(engine, ours, form, bytes_of(path))
            except (MissingEngineError, CheckpointError) as error:
                missing(f"{name} is left out: {error}")
