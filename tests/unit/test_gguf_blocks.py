"""The blocks of GGUF: bit for bit as the package of llama.cpp reads and writes them."""

from __future__ import annotations

import gguf
import numpy as np
import pytest
import torch
from gguf import quants

from halfbits.quantize import GGUF_TYPES, dequantize_gguf, quantize_gguf

BLOCKS = 3000
WRITTEN_BY_THE_PACKAGE = ("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0")
# The largest error over the block's largest magnitude: half a step (Q4_0 and Q5_0: one, as +8 and
# +16 have no code), a step of 6-bit scales and minima for Q4_K, of 8-bit scales for Q6_K; and the
# rounding of scales to float16, 2^-11 of the value for each that is added.
BOUND = {"Q4_0": 1 / 8, "Q4_1": 1 / 15, "Q5_0": 1 / 16, "Q5_1": 1 / 31, "Q8_0": 0.5 / 127}
BOUND |= {"Q4_K": 1 / 15 + 2 / 63, "Q6_K": 1 / 31}


def values(name: str, seed: int = 0) -> np.ndarray:
    """Blocks of very different sizes, one of zeros."""
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(BLOCKS, GGUF_TYPES[name].values))
    x = (x * np.exp(draw.normal(size=(BLOCKS, 1)))).astype(np.float32)
    x[0] = 0
    return x


@pytest.mark.parametrize("name", GGUF_TYPES)
def test_number_and_sizes_are_those_of_the_package(name: str) -> None:
    kind = GGUF_TYPES[name]
    number = gguf.GGMLQuantizationType[name]
    assert (kind.number, (kind.values, kind.nbytes)) == (number, gguf.GGML_QUANT_SIZES[number])


@pytest.mark.parametrize("name", GGUF_TYPES)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_any_bytes_are_read_as_the_package_reads_them(name: str) -> None:
    kind = GGUF_TYPES[name]
    drawn = np.random.default_rng(1).integers(0, 256, (BLOCKS, kind.nbytes), dtype=np.uint8)
    for blocks in (drawn, kind.encode(values(name))):
        want = quants.dequantize(blocks, gguf.GGMLQuantizationType[name])
        np.testing.assert_array_equal(kind.decode(blocks), want)


@pytest.mark.parametrize("name", WRITTEN_BY_THE_PACKAGE)
def test_bytes_are_those_that_the_package_writes(name: str) -> None:
    x = values(name)
    want = quants.quantize(x, gguf.GGMLQuantizationType[name])
    assert np.array_equal(GGUF_TYPES[name].encode(x), want)


@pytest.mark.parametrize("name", GGUF_TYPES)
def test_no_value_moves_by_more_than_the_type_allows(name: str) -> None:
    w = torch.from_numpy(values(name, seed=2)[1:])
    back = dequantize_gguf(quantize_gguf(w, name), name, w.shape)
    moved = (back - w).abs().amax(1) / w.abs().amax(1)
    assert moved.max() <= BOUND[name] + 2 * 2**-11
    assert moved.mean() > BOUND[name] / 8


@pytest.mark.parametrize(
    ("name", "bits"),
    [("Q4_0", 4.5), ("Q4_1", 5), ("Q5_0", 5.5), ("Q8_0", 8.5), ("Q4_K", 4.5), ("Q6_K", 6.5625)],
)
def test_true_bits_count_the_scales(name: str, bits: float) -> None:
    assert GGUF_TYPES[name].bits_per_weight == bits
    w = torch.ones(2, 512)
    assert 8 * quantize_gguf(w, name).nbytes / w.numel() == bits


def test_rows_that_are_no_whole_number_of_blocks_are_refused() -> None:
    with pytest.raises(ValueError, match="blocks of 256, and 704 inputs are no multiple"):
        quantize_gguf(torch.ones(2, 704), "Q4_K")


@pytest.mark.parametrize("name", GGUF_TYPES)
def test_scale_beyond_float16_is_refused_and_never_infinite(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} keeps scales in float16"):
        quantize_gguf(torch.full((1, 256), 1e30).mul(torch.randn(256).sign()), name)


def test_unknown_type_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match="Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q6_K, not 'Q4_K_M'"):
        quantize_gguf(torch.ones(1, 256), "Q4_K_M")
