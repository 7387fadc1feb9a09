"""The components as widgets: traits that follow each other, the HTML without a kernel, explore."""

from __future__ import annotations

import json
import math
import subprocess

import numpy as np
import pytest
import traitlets
from test_widgets_arithmetic import node

from halfbits import figures, formats
from halfbits.errors import CourseError
from halfbits.figures.bundle import COMPONENTS, FOLDER
from halfbits.figures.tensors import as_array, explore, quantiles

CLASSES = [getattr(figures, name) for name in figures.CLASSES]


def test_every_component_has_a_class():
    assert sorted(made.component for made in CLASSES) == sorted(COMPONENTS)


@pytest.mark.parametrize("made", CLASSES, ids=lambda made: made.component)
def test_the_traits_are_the_components_state_with_its_defaults(made):
    script = f"""
      const found = {{}};
      globalThis.HTMLElement = class {{}};
      const define = (tag, made) => (found.made = made);
      globalThis.customElements = {{ get: () => undefined, define }};
      await import({json.dumps((FOLDER / f"{made.component}.mjs").as_uri())});
      console.log(JSON.stringify(found.made.state));"""
    command = [node(), "--input-type=module", "--eval", script]
    state = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    widget = made()
    sent = widget.get_state(made.state_names())
    if made is figures.BitExplorer:
        state["bits"] = widget.bits
    assert {name: float(value) if _is_number(value) else value for name, value in sent.items()} == {
        name: float(value) if _is_number(value) else value for name, value in state.items()
    }


def _is_number(text: str) -> bool:
    return text.replace(".", "").isdigit()


def test_bits_follow_the_value_and_the_value_follows_the_bits():
    figure = figures.BitExplorer(value=0.1, format="fp16")
    assert figure.bits == "0010111001100110"
    figure.value = 1.0
    assert figure.bits == "0011110000000000"
    figure.bits = "1100000000000000"
    assert figure.value == -2.0
    figure.format = "bf16"
    assert (figure.value, figure.bits) == (-2.0, "1100000000000000")


def test_a_code_of_nan_stays_as_it_was_set():
    figure = figures.BitExplorer(format="fp16", bits="1111110000000001")
    assert math.isnan(figure.value) and figure.bits == "1111110000000001"


@pytest.mark.parametrize("name", formats.FORMATS)
def test_every_format_can_be_chosen(name):
    figure = figures.BitExplorer(value=3.0, format=name)
    assert int(figure.bits, 2) == formats.encode(3.0, name)
    assert len(figure.bits) == formats.FORMATS[name].bits


def test_unknown_formats_and_bits_are_refused():
    with pytest.raises(traitlets.TraitError, match="unknown format 'fp12'"):
        figures.BitExplorer(format="fp12")
    for bits in ("01", "2" * 16):
        with pytest.raises(traitlets.TraitError, match="fp16 has 16 bits of 0 and 1"):
            figures.BitExplorer(bits=bits)


def test_what_a_browser_sends_at_once_is_taken_together():
    figure = figures.BitExplorer()
    sent = {"format": "int4", "value": "-3.0", "bits": "1101", "second": "none"}
    figure.set_state(sent)
    assert (figure.format, figure.value, figure.bits) == ("int4", -3.0, "1101")


@pytest.mark.parametrize("made", CLASSES, ids=lambda made: made.component)
def test_without_a_kernel_the_element_and_its_table_remain(made):
    html = made().html()
    assert html.startswith(f"<hb-{made.component} ") and "<table>" in html
    bundle = made()._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert data["text/html"] == html


def test_explore_takes_tensors_of_every_library():
    import ml_dtypes
    import torch

    numbers = [-2.0, 0.5, 3.0]
    kinds = [
        numbers,
        np.array(numbers, dtype=np.float16),
        np.array(numbers, dtype=ml_dtypes.bfloat16),
        torch.tensor(numbers, dtype=torch.bfloat16, requires_grad=True),
    ]
    for tensor in kinds:
        figure = explore(tensor, "int8")
        assert figure.data == {"samples": numbers}
        assert (figure.source, figure.format) == ("yours", "int8")


def test_explore_keeps_the_ends_of_many_numbers_and_leaves_out_what_is_not_finite():
    x = np.append(np.random.default_rng(0).normal(size=50_000), [math.nan, math.inf, 99.0])
    kept = quantiles(as_array(x))
    assert len(kept) == 2001 and kept[-1] == 99.0 and kept[0] == x[np.isfinite(x)].min()
    with pytest.raises(CourseError, match="no finite number"):
        explore([math.nan])
