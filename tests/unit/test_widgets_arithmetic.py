"""The components' arithmetic, run by Node, against the library; bit for bit where it is exact."""

from __future__ import annotations

import itertools
import json
import math
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from halfbits import formats
from halfbits.figures import bundle, widths
from halfbits.figures.records import STORED, page_data, shown_models
from halfbits.perf.architecture.schemes import scheme
from halfbits.perf.cost import Work, hardware
from halfbits.perf.fit import Fit, Load

RUNNER = Path(__file__).with_name("widgets_in_node.mjs")
WIDE = ("fp64", "fp32", "tf32", "bf16", "fp16")


def node() -> str:
    """The path of Node; without one the tests are skipped, or fail where a browser is required."""
    path = shutil.which("node")
    if path is None:
        say = pytest.fail if os.environ.get("HALFBITS_REQUIRE_BROWSER") == "1" else pytest.skip
        say("Node was not found: install it (nodejs) to compare the components with the library")
    return path


def in_node(job: str, **payload: Any) -> Any:
    command = [node(), str(RUNNER), str(bundle.FOLDER)]
    text = json.dumps({"job": job, **payload})
    done = subprocess.run(command, input=text, capture_output=True, encoding="utf-8", timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_table_of_formats_is_the_librarys() -> None:
    made = widths.MODULE.read_text(encoding="utf-8")
    assert made == widths.module(), "run: python -m halfbits.figures.widths"


def hexes(values: Any) -> list[str]:
    """The bits of float64 values as text; every NaN as one."""
    flat = np.asarray(values, dtype=np.float64).ravel()
    flat = np.where(np.isnan(flat), np.nan, flat)
    return [struct.pack(">d", value).hex() for value in flat]


def some_codes(name: str, draw: np.random.Generator) -> np.ndarray:
    """All codes of up to 8 bits; else drawn ones, with the ends and the neighbors of powers."""
    form = formats.FORMATS[name]
    if form.bits <= 8:
        return np.arange(2**form.bits, dtype=np.uint64)
    last = np.uint64(2**form.bits - 1)
    drawn = draw.integers(last, size=1500, dtype=np.uint64, endpoint=True)
    edge = np.array([0, 1, form.largest_code, form.largest_code + 1, form.sign], dtype=np.uint64)
    return np.concatenate([drawn, edge, edge | np.uint64(form.sign)])


def some_values(name: str, draw: np.random.Generator) -> np.ndarray:
    """Values of every size, the format's own, the middles between them, and the special ones."""
    own = formats.decode(some_codes(name, draw), name)
    own = np.sort(own[np.isfinite(own)])
    middles = own[:-1] / 2 + own[1:] / 2
    known = formats.limits(name)
    ends = np.array([known.largest, known.smallest, known.smallest_normal, 1.0])
    factors = np.array([0.4, 0.5, 0.6, 0.999, 1, 1.001, 1.5, 1.6])
    wide = draw.normal(size=1000) * 2.0 ** draw.integers(-160, 140, size=1000)
    special = np.array([0.0, -0.0, math.inf, -math.inf, 5e-324, -5e-324])
    nan = [] if formats.FORMATS[name].nan_code is None else [math.nan]
    with np.errstate(over="ignore"):
        near = np.outer(ends, factors).ravel()
        values = np.concatenate([own, middles, near, -near, wide, special])
        return np.concatenate([values, np.nextafter(values, np.inf), nan])


@pytest.fixture(scope="module")
def vectors() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    draw = np.random.default_rng(0)
    codes = {name: some_codes(name, draw) for name in formats.FORMATS}
    return codes, {name: some_values(name, draw) for name in formats.FORMATS}


@pytest.fixture(scope="module")
def computed(vectors) -> dict[str, dict[str, list]]:
    codes, values = vectors
    return in_node(
        "formats",
        codes={name: [str(code) for code in some] for name, some in codes.items()},
        values={name: hexes(some) for name, some in values.items()},
    )


@pytest.mark.parametrize("name", formats.FORMATS)
def test_codes_decode_to_the_same_values(name, vectors, computed):
    assert computed["decoded"][name] == hexes(formats.decode(vectors[0][name], name))


@pytest.mark.parametrize("name", formats.FORMATS)
def test_values_encode_to_the_same_codes(name, vectors, computed):
    for kind, overflow in (("encoded", "format"), ("saturated", "saturate")):
        expected = [str(code) for code in formats.encode(vectors[1][name], name, overflow)]
        assert computed[kind][name] == expected, kind


@pytest.mark.parametrize("name", formats.FORMATS)
def test_the_fast_rounding_is_encoding_and_decoding(name, vectors, computed):
    values = vectors[1][name]
    assert computed["rounded"][name] == hexes(formats.decode(formats.encode(values, name), name))


@pytest.mark.parametrize("name", formats.FORMATS)
def test_spacing_and_limits_are_the_same(name, vectors, computed):
    assert computed["spacing"][name] == hexes(formats.spacing(vectors[1][name], name))
    known = formats.limits(name)
    numbers = (known.largest, known.smallest_normal, known.smallest, known.eps)
    assert computed["limits"][name] == hexes(numbers)


@pytest.mark.parametrize("name", [name for name in formats.FORMATS if name not in WIDE])
def test_the_next_larger_code_is_the_next_larger_value(name, vectors, computed):
    every = formats.decode(vectors[0][name], name)
    ordered = np.unique(every[~np.isnan(every)])
    for value, text in zip(every, computed["next"][name], strict=True):
        larger = ordered[ordered > value]
        if math.isnan(value) or not larger.size:
            assert text is None
        else:
            assert formats.decode(np.uint64(int(text)), name) == larger[0]


@pytest.mark.parametrize(
    "name, dtype", [("fp64", np.float64), ("fp32", np.float32), ("fp16", np.float16)]
)
def test_the_next_larger_code_is_what_numpy_calls_so(name, dtype, vectors, computed):
    with np.errstate(invalid="ignore", over="ignore"):
        values = formats.decode(vectors[0][name], name).astype(dtype)
    for value, text in zip(values, computed["next"][name], strict=True):
        with np.errstate(over="ignore"):
            expected = np.nextafter(value, dtype(math.inf))
        if np.isnan(value) or value == math.inf:
            assert text is None
        else:
            assert formats.decode(np.uint64(int(text)), name) == expected


def test_every_digit_of_a_number_is_shown(vectors):
    values = vectors[1]["fp16"]
    values = values[np.isfinite(values)]
    shown = in_node("bit-explorer", values=hexes(values), texts=[])["exact"]
    for value, text in zip(values, shown, strict=True):
        assert Decimal(text) == Decimal(float(value)), value


def test_what_a_person_types_is_read_as_a_number():
    texts = {
        "0.1": 0.1, " 1e-5 ": 1e-5, "1/3": 1 / 3, "2^-14": 2.0**-14, "-2": -2.0, "65,504": 65504.0,
        "inf": math.inf, "-inf": -math.inf, "nan": math.nan, "-0": -0.0,
    }  # fmt: skip
    read = in_node("bit-explorer", values=[], texts=[*texts, "", "abc", "1..2"])["parsed"]
    assert read == [*hexes(list(texts.values())), None, None, None]


@pytest.mark.parametrize(
    "changes, value, bits",
    [
        ({"value": "0.3", "format": "fp4_e2m1"}, "0.3", "0001"),
        ({"value": "0.3", "format": "fp4_e2m1", "bits": "0001"}, "0.3", "0001"),
        ({"value": "0.3", "format": "fp4_e2m1", "bits": "1111"}, "-6", "1111"),
        ({"value": "0.3", "format": "fp4_e2m1", "bits": "001"}, "0.3", "0001"),
        ({"value": "0.3", "format": "fp12"}, "0.3", "0011010011001101"),
        ({"value": "nan", "format": "int4"}, "nan", "0000"),
        ({"bits": "1111110000000001"}, "nan", "1111110000000001"),
    ],
)
def test_a_state_from_outside_is_kept_if_it_fits_together(changes, value, bits):
    (state,) = in_node("bit states", states=[changes])
    assert (state["value"], state["bits"]) == (value, bits)


def fitted(x: np.ndarray, name: str, scale: float) -> list[float]:
    """Scale, largest magnitude, SQNR, share that becomes 0, share beyond the largest value."""
    near = formats.decode(formats.encode(x / scale, name, "saturate"), name) * scale
    # The component adds one by one, so numpy's pairwise sums may differ in the last digits.
    signal, noise = math.fsum(x * x), math.fsum((x - near) ** 2)
    sqnr = 10 * math.log10(signal / noise) if noise else math.inf
    beyond = np.abs(x / scale) > formats.limits(name).largest
    return [scale, np.abs(x).max(), sqnr, np.mean((near == 0) & (x != 0)), np.mean(beyond)]


def test_the_number_line_fits_numbers_as_the_library_does():
    names = ["fp4_e2m1", "fp6_e3m2", "fp8_e4m3fn", "fp8_e5m2", "int8", "int4", "fp16", "bf16"]
    x = np.random.default_rng(0).standard_t(3, size=3000) * 30
    made = in_node("number-line", names=names, numbers=hexes(x), shapes=["bell", "even"])
    for i, name in enumerate(names):
        every = formats.decode(np.arange(2 ** formats.FORMATS[name].bits), name)
        assert made["values"][i] == hexes(np.unique(every[np.isfinite(every)]) + 0.0), name
        largest = float(np.abs(x).max() / formats.limits(name).largest)
        for kind, scale in (("none", 1.0), ("largest", largest)):
            numbers = [struct.unpack(">d", bytes.fromhex(text))[0] for text in made[kind][i]]
            assert numbers == pytest.approx(fitted(x, name, scale), rel=1e-12), (name, kind)


def test_the_number_lines_samples_have_the_shapes_they_are_called_by():
    bell, even = in_node("number-line", names=[], numbers=[], shapes=["bell", "even"])["samples"]
    assert np.std(bell) == pytest.approx(1, abs=2e-3)
    assert np.mean(np.abs(bell) < 1) == pytest.approx(0.6827, abs=2e-3)
    assert np.ptp(np.diff(even)) == pytest.approx(0, abs=1e-12)


SERIES = ["ones", "0.1 each", "1/k", "random, 0 to 1", "one large, then ones"]


@pytest.fixture(scope="module")
def sums() -> dict[tuple[str, str], dict[str, Any]]:
    names = ["bf16", "fp16", "fp32"]
    made = in_node("accumulator", names=names, series=SERIES, length=1024)
    return {
        (name, series): made[i][j]
        for i, name in enumerate(names)
        for j, series in enumerate(SERIES)
    }


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("name", ["bf16", "fp16", "fp32"])
def test_sums_in_a_small_format_are_torchs_to_the_last_bit(name, series, sums):
    import torch

    dtype = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}[name]
    made = sums[name, series]
    x = torch.tensor([struct.unpack(">d", bytes.fromhex(text))[0] for text in made["terms"]])
    x = x.to(dtype)
    total, wide = torch.zeros((), dtype=dtype), torch.zeros(())
    kahan, lost = torch.zeros((), dtype=dtype), torch.zeros((), dtype=dtype)
    expected: list[list[float]] = [[], [], []]
    for term in x:
        total, wide = total + term, wide + term.float()
        corrected = term - lost
        lost, kahan = ((kahan + corrected) - kahan) - corrected, kahan + corrected
        for sums_of_one, now in zip(expected, (total, kahan, wide.to(dtype)), strict=True):
            sums_of_one.append(now.item())
    assert made["sums"] == [hexes(one) for one in expected]
    while len(x) > 1:
        x = x[::2] + x[1::2]
    assert [made["pairwise"]] == hexes(x.double().numpy())


def roofline_states() -> Iterator[tuple[str, str, dict[str, str]]]:
    """A grid of models, work, sizes and formats; every model meets every machine."""
    loads = itertools.product(("0", "3", "7", "10"), ("0", "4", "10", "17"))
    kinds = itertools.product(("decode", "prefill"), STORED, ("bf16", "int8"))
    cards = list(hardware())
    for number, ((batch, context), (phase, weights, cache)) in enumerate(
        itertools.product(loads, kinds)
    ):
        for place, model in enumerate(shown_models()):
            state = {"phase": phase, "batch": batch, "context": context, "arithmetic": "bf16"}
            card = cards[(number + place) % len(cards)]
            yield card, model, {**state, "weights": weights, "cache": cache}


def test_the_roofline_is_the_librarys_over_a_grid():
    states = list(roofline_states())
    assert len(states) > 3000
    assert len({state[:2] for state in states}) == len(hardware()) * len(shown_models())
    made = in_node("roofline", **page_data("roofline"), states=states)
    for (machine, model, state), seen in zip(states, made, strict=True):
        batch, context = 2 ** int(state["batch"]), 2 ** int(state["context"])
        card, load = hardware()[machine], Load(batch, context, state["cache"])
        fit = Fit(shown_models()[model], scheme(state["weights"]), card, load)
        work, tokens = fit.decode(), batch
        if state["phase"] == "prefill":
            one, tokens = fit.prefill(), batch * context
            caches = (batch - 1) * fit.row_bytes
            work = Work(batch * one.flops, one.nbytes + caches)
        near = lambda wanted: pytest.approx(wanted, rel=1e-13)  # noqa: E731
        assert seen["flops"] == near(work.flops)
        assert seen["seconds"] == near(card.seconds(work, "bf16"))
        assert seen["rate"] == near(tokens / card.seconds(work, "bf16"))
        assert seen["needed"] == near(fit.needed)
        assert seen["budget"] == near(fit.budget)
        assert seen["memoryBound"] == card.is_memory_bound(work, "bf16")
        assert abs(seen["rows"] - fit.rows) <= (fit.rows > 10**6)


@pytest.fixture(scope="module")
def packing() -> Any:
    """The script that packed the tiny LM's rows, and the library's results for them."""
    from benchmarks import pack_widget_rows

    return pack_widget_rows


def test_weights_are_quantized_as_the_library_does_to_the_last_bit(packing):
    import torch

    from halfbits import quantize

    weights, _ = packing.rows_of_the_tiny_lm()
    draw = torch.Generator().manual_seed(0)
    matrix = torch.cat([weights[:4], torch.randn(3, 256, generator=draw) * 1e-3])
    matrix[5, :64] = 0  # groups of zeros
    matrix[6] = matrix[6].abs()  # a row without a negative weight
    kinds = itertools.product((2, 3, 4, 6, 8), ("symmetric", "affine"))
    sizes = ("tensor", "channel", 128, 64, 32, 16)
    choices = [
        {"bits": bits, "kind": kind, "granularity": str(size), "clip": clip}
        for (bits, kind), size, clip in itertools.product(kinds, sizes, (1, 0.75))
    ]
    rows = [hexes(row.double().numpy()) for row in matrix]
    made = in_node("quantize", matrix=rows, choices=choices)
    assert made["packed"] == hexes(weights.double().numpy())
    for choice, seen in zip(choices, made["made"], strict=True):
        size = choice["granularity"]
        size = int(size) if size.isdigit() else size
        groups = quantize.grouped(matrix, size)
        if choice["kind"] == "symmetric":
            end = choice["clip"] * groups.abs().amax(1, keepdim=True)
            low, high = -end, end
        else:
            low = choice["clip"] * groups.amin(1, keepdim=True).clamp(max=0)
            high = choice["clip"] * groups.amax(1, keepdim=True).clamp(min=0)
        clipped = groups.clamp(low, high).view(matrix.shape)
        quantizer = getattr(quantize, f"quantize_{choice['kind']}")
        expected = quantizer(clipped, choice["bits"], size)
        assert seen["codes"] == expected.codes.flatten().tolist(), choice
        assert seen["scales"] == hexes(expected.scale.double().numpy()), choice
        back = expected.dequantize().double().numpy() + 0.0
        assert [text.replace("8000000000000000", "0" * 16) for text in seen["values"]] == hexes(
            back
        )
        assert seen["trueBits"] == 8 * expected.nbytes / matrix.numel()


def test_outliers_hurt_the_output_as_the_librarys_formulas_say(packing):
    weights, activations = packing.rows_of_the_tiny_lm()
    choices = [
        {"planted": size, "scaling": scaling, "smooth": alpha is not None, "rotate": rotate}
        | {"alpha": alpha or 0}
        for size, scaling, alpha, rotate in itertools.product(
            (1, 8, 128), ("tensor", "token"), (None, 0, 0.5, 0.8), (False, True)
        )
    ]
    made = in_node("outliers", choices=choices)
    # The packed activations came from one processor; another's may differ in float16's last digit.
    packed = np.array([struct.unpack(">d", bytes.fromhex(text))[0] for text in made["packed"]])
    np.testing.assert_allclose(packed, activations.double().flatten(), rtol=2e-3, atol=2e-3)
    import torch

    x = torch.tensor(packed).view(activations.shape)
    for choice, error in zip(choices, made["errors"], strict=True):
        alpha = choice["alpha"] if choice["smooth"] else None
        size, scaling, rotate = choice["planted"], choice["scaling"], choice["rotate"]
        expected = packing.output_error(x, weights, size, scaling, alpha, rotate)
        # A rounding of the last bit may move a value across the middle of two codes.
        assert error == pytest.approx(expected, rel=1e-3), choice


def test_the_tables_without_a_script_hold_the_librarys_results(packing):
    weights, activations = packing.rows_of_the_tiny_lm()
    recorded = json.loads((bundle.FOLDER / "stand_ins.json").read_text(encoding="utf-8"))
    assert recorded["quantizer"] == packing.sqnr_rows(weights)
    for made, kept in zip(
        packing.error_rows(activations, weights), recorded["outliers"], strict=True
    ):
        for new, old in zip(made[1:], kept[1:], strict=True):
            assert float(new.rstrip("%")) == pytest.approx(float(old.rstrip("%")), abs=0.3)


def test_the_ladders_front_and_intervals_follow_from_the_record():
    record = RUNNER.parents[2] / "book" / "data" / "ladder.json"
    rows = json.loads(record.read_text(encoding="utf-8"))["rows"]
    made = in_node("precision-ladder", rows=rows)
    by_size = sorted(rows, key=lambda row: (row["bytes"], row["perplexity"]))
    best, least = [], math.inf
    for row in by_size:
        if row["perplexity"] < least:
            best, least = [*best, row["name"]], row["perplexity"]
    assert sorted(made["front"]) == sorted(best)
    for row, seen in zip(rows, made["changes"], strict=True):
        half = 1.96 * row["difference_standard_error"] / rows[0]["perplexity"]
        assert seen["high"] - seen["low"] == pytest.approx(200 * half)
        assert seen["middle"] == pytest.approx(100 * row["difference"] / rows[0]["perplexity"])


@pytest.mark.parametrize("name", bundle.COMPONENTS)
def test_a_bundle_is_one_module_that_needs_no_other(name, tmp_path):
    path = tmp_path / f"{name}.mjs"
    path.write_text(bundle.bundled(name), encoding="utf-8")
    done = subprocess.run([node(), str(path)], capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert "import {" not in bundle.bundled(name)
    assert bundle.bundled(name).count("export ") == 1
