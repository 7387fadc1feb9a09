"""The components as anywidget classes: Python's traits are the component's state, both ways.

The state travels as text, as in the page's address; Python sees numbers and booleans.
"""

from __future__ import annotations

import json
import math
from typing import Any, ClassVar

import anywidget
import traitlets

from halfbits import formats
from halfbits.errors import CourseError
from halfbits.figures import markup
from halfbits.figures.bundle import FOLDER, bundled
from halfbits.figures.records import page_data
from halfbits.folders import find_root


def text(default: str) -> Any:
    return traitlets.Unicode(default).tag(sync=True)


def whole(default: int) -> Any:
    read = {"to_json": lambda value, _: str(value), "from_json": lambda sent, _: int(sent)}
    return traitlets.Int(default).tag(sync=True, **read)


def number(default: float) -> Any:
    read = {"to_json": lambda value, _: repr(value), "from_json": lambda sent, _: float(sent)}
    return traitlets.Float(default).tag(sync=True, **read)


def truth(default: bool) -> Any:
    read = {
        "to_json": lambda value, _: str(value).lower(),
        "from_json": lambda sent, _: sent == "true",
    }
    return traitlets.Bool(default).tag(sync=True, **read)


class Component(anywidget.AnyWidget):
    """A component; `data` is what it shows, its other traits are its state."""

    component: ClassVar[str]
    _css = (FOLDER / "style.css").read_text(encoding="utf-8")
    data = traitlets.Dict().tag(sync=True)

    def __init_subclass__(cls, **options: Any) -> None:
        if "component" in vars(
            cls
        ):  # traitlets makes subclasses of its own, with traits of that name
            cls._esm = bundled(cls.component)
        super().__init_subclass__(**options)

    def __init__(self, **state: Any) -> None:
        state.setdefault("data", page_data(self.component))
        super().__init__(**state)

    @classmethod
    def state_names(cls) -> list[str]:
        """The names of the traits that the component calls its state."""
        own = set(cls.class_trait_names(sync=True)) - set(Component.class_trait_names(sync=True))
        return sorted(own)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """The widget, and for a page without a kernel the same element as HTML."""
        made = super()._repr_mimebundle_(**options)
        if made:
            data = made[0] if isinstance(made, tuple) else made
            data["text/html"] = self.html()
        return made

    def html(self) -> str:
        """The element with this state, and a table for readers without scripts."""
        sent = {name: self.traits()[name].metadata.get("to_json") for name in self.state_names()}
        state = {
            name: to_json(getattr(self, name), self) if to_json else getattr(self, name)
            for name, to_json in sent.items()
        }
        return markup.element(self.component, state, self.data)


class BitExplorer(Component):
    """Bits of `value` in `format`, beside the same value in `second` ("none": nothing).

    `bits` is the code, the sign first. Setting one of `value`, `format` and `bits` sets the rest.
    Raises traitlets.TraitError for an unknown format, and for bits of another length.
    """

    component = "bit-explorer"
    value = number(0.1)
    format = text("fp16")
    second = text("bf16")
    bits = text("")

    def __init__(self, **state: Any) -> None:
        bits = state.pop("bits", "")
        super().__init__(**state)
        self._follow_value({})
        if bits:
            self.bits = bits

    @traitlets.validate("format", "second")
    def _known(self, proposal: Any) -> str:
        name = proposal["value"]
        if name not in formats.FORMATS and not (
            name == "none" and proposal["trait"].name != "format"
        ):
            raise traitlets.TraitError(
                f"unknown format {name!r}; known: {', '.join(formats.FORMATS)}"
            )
        return name

    @traitlets.validate("bits")
    def _whole_code(self, proposal: Any) -> str:
        bits, length = proposal["value"], formats.named(self.format).bits
        if bits and (set(bits) - {"0", "1"} or len(bits) != length):
            raise traitlets.TraitError(f"{self.format} has {length} bits of 0 and 1, got {bits!r}")
        return bits

    @traitlets.observe("value", "format")
    def _follow_value(self, _: Any) -> None:
        form = formats.named(self.format)
        same = len(self.bits) == form.bits and _equal(self._stored(), self.value)
        if same or (form.nan_code is None and math.isnan(self.value)):
            return
        code = int(formats.encode(self.value, self.format))
        self.bits = f"{code:0{form.bits}b}"

    @traitlets.observe("bits")
    def _follow_bits(self, _: Any) -> None:
        form = formats.named(self.format)
        if len(self.bits) != form.bits:
            return
        code = int(formats.encode(self.value, self.format)) if self._can_hold(form) else -1
        if code != int(self.bits, 2):
            self.value = self._stored()

    def _stored(self) -> float:
        return float(formats.decode(int(self.bits, 2), self.format))

    def _can_hold(self, form: formats.Format) -> bool:
        return form.nan_code is not None or not math.isnan(self.value)


def _equal(a: float, b: float) -> bool:
    same_zero = math.copysign(1, a) == math.copysign(1, b)
    return (a == b and same_zero) or (math.isnan(a) and math.isnan(b))


class NumberLine(Component):
    """Values of `format` under numbers: "bell", "heavy tail", "even", or data["samples"]: "yours".

    `spread` is the power of two that the numbers are multiplied by.
    """

    component = "number-line"
    format = text("fp4_e2m1")
    source = text("bell")
    scaling = text("largest to largest")
    axis = text("linear")
    spread = whole(0)


class Accumulator(Component):
    """A sum of 2**length terms of a series in `format`, looked at after `added` terms."""

    component = "accumulator"
    format = text("bf16")
    series = text("ones")
    added = whole(200)
    length = whole(10)


class Roofline(Component):
    """Least time of a model on a machine; batch and context are powers of two.

    `bandwidth` (GB/s), `peak` (10^12 operations/s) and `memory` (GB) count for machine "yours".
    """

    component = "roofline"
    machine = text("H100 SXM")
    model = text("Llama 3 8B")
    phase = text("decode")
    batch = whole(0)
    context = whole(0)
    weights = text("bf16")
    cache = text("bf16")
    arithmetic = text("bf16")
    bandwidth = number(100)
    peak = number(1)
    memory = number(16)


class Quantizer(Component):
    """Rows of the tiny LM in `bits` bits; `clip` is the percentage of the range that is kept."""

    component = "quantizer"
    bits = whole(4)
    kind = text("symmetric")
    granularity = text("channel")
    clip = whole(100)
    row = whole(0)


class Outliers(Component):
    """Int8 activations with four channels 2**planted times too large, and the cures."""

    component = "outliers"
    planted = whole(5)
    scaling = text("tensor")
    smooth = truth(False)
    alpha = whole(50)
    rotate = truth(False)


class PrecisionLadder(Component):
    """The recorded ladder, or data={"rows": [...]} of the same fields.

    Raises CourseError when the record is asked for outside the course's folder.
    """

    component = "precision-ladder"
    group = text("all")
    row = text("fp32")
    pareto = truth(True)

    def __init__(self, **state: Any) -> None:
        if "data" not in state:
            state["data"] = recorded_ladder()
        super().__init__(**state)


def recorded_ladder() -> dict[str, Any]:
    path = find_root() / "book" / "data" / "ladder.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise CourseError(
            f"there is no {path.name} in book/data; run the course's copy."
        ) from error
