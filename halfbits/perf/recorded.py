"""What a card's record says of a whole model: recorded kernels' time of a token and of a prompt.

A record holds layers of two Llamas. Other models of the same build are predicted from their sizes
(`halfbits.perf.predict`); for any other build, format, batch or card, NotRecordedError says what is
missing, and the roofline is all there is.
"""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from halfbits.errors import CourseError
from halfbits.perf import records
from halfbits.perf.architecture.families import family_of
from halfbits.perf.architecture.fields import ConfigError, Fields
from halfbits.perf.cost import Decoder, Machine
from halfbits.perf.fit import Fit
from halfbits.perf.predict import MODELS, Predictor, between, seconds

# (format, kernel) -> a record's implementation of a step; "fused" reads the codes as stored.
KERNELS = {
    ("bf16", "fused"): "bf16",
    ("fp8", "fused"): "fp8",
    ("int8", "fused"): "int8, ours",
    ("int4", "fused"): "int4 g128, ours",
    ("int8", "converted"): "int8, converted in each call",
    ("int4", "converted"): "int4 g128, converted in each call",
    ("int4", "torch"): "int4 g128, torch _weight_int4pack_mm",
}
ALIAS = {"int4 g128": "int4"}
OF_OTHER_KIND = re.compile(r": ([\w ]+), which a Decoder does not have")
FARTHEST = 4  # times the longest recorded prompt; beyond that nothing is predicted


class NotRecordedError(CourseError):
    """No record tells this; the message says why, in one sentence."""


def implementation_of(weights: str, kernel: str = "fused") -> str:
    """The records' implementation for a format and a kernel. Raises NotRecordedError."""
    name = ALIAS.get(weights, weights)
    if (name, kernel) not in KERNELS:
        known = ", ".join(dict.fromkeys(format for format, _ in KERNELS))
        raise NotRecordedError(
            f"no record has a {kernel} kernel for {weights!r}; they have {known}."
        )
    return KERNELS[name, kernel]


def predictor_of(card: Machine) -> Predictor:
    """The card's record, the course's or the reader's own. Raises NotRecordedError."""
    name = records.short_name(card.name)
    found = next((n for n in (name, f"my {name}") if n in records.known()), None)
    if found is None or "layers" not in (record := records.machine(found)):
        raise NotRecordedError(f"no record of the {card.name} has layers.")
    return Predictor(record)


def decoder_of(config: Mapping[str, Any]) -> Decoder:
    """The sizes of a model built like the recorded layers. Raises NotRecordedError."""
    try:
        made = Decoder.of(config)
    except ConfigError as error:
        kind = OF_OTHER_KIND.search(str(error))
        what = f", without {kind[1]}" if kind else ", and this model is built otherwise"
        raise NotRecordedError(f"the recorded layers are a Llama's{what}.") from error
    if family_of(Fields(config)).matrices != 3:
        raise NotRecordedError("the recorded layers are a Llama's, with a gate.")
    return made


@dataclass(frozen=True)
class Recorded:
    """A model on one recorded card; `fit` has its windows, cache and load."""

    predictor: Predictor
    decoder: Decoder
    fit: Fit
    kernel: str = "fused"

    @classmethod
    def of(cls, fit: Fit, config: Mapping[str, Any]) -> Recorded:
        """Raises NotRecordedError for what the card's record does not hold."""
        made = cls(predictor_of(fit.card), decoder_of(config), fit)
        made.check()
        return made

    def check(self) -> None:
        """Raises NotRecordedError for a format, batch, cache or number of cards of no record."""
        load, most = self.fit.load, self.predictor.most(self.implementation)
        if self.fit.count > 1:
            raise NotRecordedError("the records are of one card alone.")
        if load.cache != "bf16":
            raise NotRecordedError(f"the records have a bf16 cache alone, not {load.cache}.")
        if load.batch > most:
            raise NotRecordedError(f"{self.implementation!r} was measured for 1 to {most} rows.")

    @property
    def implementation(self) -> str:
        """The implementation in the record that this prediction is about."""
        return implementation_of(self.fit.weights.name, self.kernel)

    @property
    def device(self) -> str:
        """The card that the record was made on."""
        return str(self.predictor.record["hardware"]["device"])

    def step_seconds(self) -> float:
        """One new token for each row: all layers' products and rest, their caches, and the head."""
        load, one = self.fit.load, replace(self.decoder, layers=1)
        layer = self.predictor.decode(self.implementation, one, load.batch, load.context)
        windows = [layer.window or load.context for layer in self.fit.sizes.cache.layers]
        caches = sum(
            self.predictor.cache(one, load.batch, min(load.context, window)) for window in windows
        )
        head = self.predictor.product("bf16", load.batch, one.hidden, one.vocab)
        return self.decoder.layers * (layer.weights + layer.rest) + caches + head

    def step_error(self) -> float:
        """Median error, a share of the time, on its layers that nothing was fitted to."""
        return statistics.median(self.predictor.time_errors()[self.implementation])

    def prompt_implementation(self) -> str:
        """Prompts were recorded in bf16 and fp8, and with integers converted in each call."""
        name = ALIAS.get(self.fit.weights.name, self.fit.weights.name)
        return KERNELS.get((name, "converted"), KERNELS[name, "fused"])

    def prompt_seconds(self) -> float:
        """One prompt of the whole context, without the head.

        Raises NotRecordedError when it is longer than FARTHEST times the longest recorded one."""
        tokens, rates = self.fit.load.context, self._rates(self._nearest())
        if tokens > FARTHEST * max(rates):
            raise NotRecordedError(f"prompts were measured up to {max(rates):,} tokens.")
        operations = _operations(self.decoder, tokens)
        return operations / between(tokens, list(rates), list(rates.values()))

    def prompt_error(self) -> float:
        """Median error, a share of the time, of each model's prompts predicted from the other's."""
        names = list(MODELS)
        found = []
        for name, other in zip(names, reversed(names), strict=True):
            own, others = self._rates(name), self._rates(other)
            found += [abs(own[tokens] / others[tokens] - 1) for tokens in own]
        return statistics.median(found)

    def _nearest(self) -> str:
        """The recorded model whose layer is nearest in size."""
        size = self.decoder.block_weights / self.decoder.layers
        ratios = {n: max(m.block_weights / size, size / m.block_weights) for n, m in MODELS.items()}
        return min(ratios, key=ratios.__getitem__)

    def _rates(self, model: str) -> dict[int, float]:
        """Operations a second of one recorded layer by tokens of the prompt."""
        wanted = {"stage": "prefill", "model": model, "way": self.prompt_implementation()}
        found = records.rows(self.predictor.record, "layers", **wanted)
        found.sort(key=lambda row: row["context"])
        made = MODELS[model]
        return {r["context"]: _operations(made, r["context"]) / seconds(r) for r in found}


def _operations(model: Decoder, tokens: int) -> float:
    """Of the layers: products, and each token with itself and those before it."""
    pairs = 2 * model.layers * model.heads * model.head_dim * tokens * (tokens + 1)
    return 2 * tokens * model.block_weights + pairs
