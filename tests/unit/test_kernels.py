"""The kernels compute what float64 computes from the unpacked weight, within a derived bound."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from halfbits.kernels import VERSION, cpu, plans
from halfbits.kernels.cache import BLOCK, LARGEST, quantize_cache
from halfbits.kernels.cache import dequantize as dequantize_cache
from halfbits.kernels.decoder import FusedDecoder
from halfbits.kernels.packed import (
    MOST_ROWS,
    Packed,
    dequantize,
    error_bound,
    nibbles,
    pack,
    reference,
)
from halfbits.kernels.tiles import TILE, WORD_BITS, arrange
from halfbits.models.generate import generate
from halfbits.models.llama import Llama, LlamaConfig
from halfbits.quantize import Quantized, quantize_affine, quantize_nf4, quantize_symmetric

FORMATS: dict[str, Callable[[torch.Tensor], Quantized]] = {
    "int8": lambda w: quantize_symmetric(w, 8),
    "int4 g128": lambda w: quantize_symmetric(w, 4, 128),
    "int4 g32": lambda w: quantize_symmetric(w, 4, 32),
    "int4 g128 zero": lambda w: quantize_affine(w, 4, 128),
    "int4 g32 zero": lambda w: quantize_affine(w, 4, 32),
}
every_format = pytest.mark.parametrize("name", FORMATS)


def drawn(name: str, batch: int = 3) -> tuple[torch.Tensor, torch.Tensor, Packed]:
    """x, w and the packed w, of sizes that leave tails; the seed is printed."""
    seed = random.SystemRandom().randrange(2**31)
    print("seed", seed)
    torch.manual_seed(seed)
    inputs, outputs = 128 * int(torch.randint(1, 6, ())), int(torch.randint(1, 80, ()))
    w = torch.randn(outputs, inputs) * torch.randn(outputs, 1).exp()
    return torch.randn(inputs, batch).T, w, pack(FORMATS[name](w))


def share(y: torch.Tensor, x: torch.Tensor, packed: Packed) -> float:
    """Largest error over its bound; NaN stays NaN and passes no comparison."""
    return (
        ((y.double() - reference(x, packed)).abs() / error_bound(x, packed, y.dtype)).max().item()
    )


@every_format
def test_unpacking_returns_what_the_quantizer_made(name: str) -> None:
    _, w, packed = drawn(name)
    want = FORMATS[name](w).dequantize().double()
    assert (dequantize(packed) - want).abs().max() <= 2**-23 * want.abs().max()


@every_format
def test_the_packed_weight_takes_the_bytes_of_its_codes(name: str) -> None:
    _, w, packed = drawn(name)
    assert packed.shape == tuple(w.shape)
    assert packed.codes.nbytes == w.numel() * packed.bits // 8


def test_neighbors_in_x_are_met_by_neighboring_words() -> None:
    codes = torch.arange(128) % 16
    packed = pack(
        Quantized(codes[None], torch.ones(1, 1), torch.Size([1, 128]), 4, 16, torch.zeros(1, 1))
    )
    assert (packed.codes[0, :] & 15).tolist() == codes[:16].tolist()
    assert nibbles(packed)[0, 0].tolist() == codes.tolist()


@every_format
@pytest.mark.parametrize("threads", [1, 2])
def test_the_cpu_twin_is_within_its_bound(name: str, threads: int) -> None:
    x, _, packed = drawn(name)
    assert share(cpu.matmul(x, packed, threads), x, packed) <= 1


@every_format
def test_one_wrong_code_is_outside_the_bound(name: str) -> None:
    x, _, packed = drawn(name)
    x = x.sign() + (x == 0)
    right = cpu.matmul(x, packed)
    packed.codes[-1, -1] ^= 64
    assert share(right, x, packed) > 1


@every_format
def test_zeros_and_infinities_stay_what_they_are(name: str) -> None:
    x, _, packed = drawn(name)
    assert cpu.matmul(torch.zeros_like(x), packed).abs().max() == 0
    assert not cpu.matmul(torch.full_like(x, torch.nan), packed).isfinite().any()


def test_integer_products_err_by_the_rounding_of_x_alone() -> None:
    x, _, packed = drawn("int8")
    step = x.abs().amax(1, keepdim=True) / 127
    off = (cpu.integer_matmul(x, packed).double() - reference(x, packed)).abs()
    # Half a step for each x, met by |w|; a thousandth more for the float32 scales.
    most = step.double() / 2 * dequantize(packed).abs().sum(1)
    assert (off <= 1.001 * most).all() and off.max() > 0.001 * most.max()


@pytest.mark.parametrize("call", [cpu.matmul, cpu.integer_matmul])
def test_a_shape_that_does_not_fit_is_refused(call: Callable[..., torch.Tensor]) -> None:
    _, _, packed = drawn("int8")
    with pytest.raises(ValueError, match="float32"):
        call(torch.randn(2, packed.shape[1] + 1), packed)


@every_format
def test_no_rows_give_no_rows(name: str) -> None:
    _, w, packed = drawn(name)
    calls = [cpu.matmul] if packed.bits == 4 else [cpu.matmul, cpu.integer_matmul]
    for call in calls:
        assert call(torch.empty(0, w.shape[1]), packed).shape == (0, len(w))


@pytest.mark.parametrize("call", [cpu.matmul, cpu.integer_matmul])
def test_an_input_with_a_gradient_is_multiplied_without_one(
    call: Callable[..., torch.Tensor],
) -> None:
    x, _, packed = drawn("int8")
    y = call(x.clone().requires_grad_(), packed)
    assert torch.equal(y, call(x, packed)) and not y.requires_grad


@pytest.mark.parametrize("call", [cpu.matmul, cpu.integer_matmul])
@pytest.mark.parametrize("threads", [0, -1])
def test_less_than_one_thread_is_refused(call: Callable[..., torch.Tensor], threads: int) -> None:
    x, _, packed = drawn("int8")
    with pytest.raises(ValueError, match=f"threads is {threads}; it takes at least 1"):
        call(x, packed, threads)


def test_the_integer_product_of_int4_codes_is_refused_in_a_sentence() -> None:
    x, _, packed = drawn("int4 g32")
    with pytest.raises(ValueError, match="multiplies int8 codes, not int4: take matmul"):
        cpu.integer_matmul(x, packed)


def test_formats_without_a_kernel_are_refused() -> None:
    w = torch.randn(4, 128)
    for quantized in (
        quantize_symmetric(w, 8, 32),
        quantize_nf4(w, 64),
        quantize_symmetric(w, 3, 32),
    ):
        with pytest.raises(ValueError, match="the kernels read int8 per channel and int4"):
            pack(quantized)


@pytest.fixture(scope="module")
def interpreted() -> dict[str, float]:
    """What the Triton kernels are off by, over its bound, in Triton's interpreter."""
    if importlib.util.find_spec("triton") is None:
        pytest.skip("Triton has no package for this system")
    seed = random.SystemRandom().randrange(2**31)
    print("seed", seed)
    script = Path(__file__).with_name("kernels_interpreted.py")
    root = Path(__file__).parents[2]
    words = [sys.executable, str(script), str(seed)]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(words, capture_output=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-2000:]
    return json.loads(done.stdout)


def test_the_triton_kernels_are_within_their_bounds(interpreted: dict[str, float]) -> None:
    outside = {name: value for name, value in interpreted.items() if not value <= 1}
    assert set(outside) == {"undecoded"} and len(interpreted) > 25


def test_half_precision_results_were_rounded(interpreted: dict[str, float]) -> None:
    rounded = [value for name, value in interpreted.items() if name.endswith("float16")]
    assert len(rounded) == 3 * len(FORMATS) + 3 and all(value > 0.01 for value in rounded)


def test_the_tuner_keeps_a_right_plan_and_only_such_a_one(interpreted: dict[str, float]) -> None:
    assert interpreted["tuned"] == interpreted["untuned"] == 0


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("batch", [1, 4, 8, 16, 32, 64])
def test_the_tuner_has_plans_for_every_batch(bits: int, batch: int) -> None:
    pytest.importorskip("triton", reason="Triton has no package for this system")
    from benchmarks.tune_kernels import MOST_SHARED, candidates

    tried = list(candidates(bits, batch))
    assert len(tried) == len(set(tried)) > 10
    for plan in tried:
        assert plan.rows * plan.tiles * TILE * bits // 8 * plan.stages < MOST_SHARED


@pytest.mark.parametrize(("name", "most"), [("int4 g128", 8), ("int4 g32 zero", 2)])
def test_the_tuner_gives_one_row_as_many_tiles_as_the_matrix_unit_has_columns_for(
    name: str, most: int
) -> None:
    pytest.importorskip("triton", reason="Triton has no package for this system")
    from benchmarks.tune_kernels import candidates, fits

    kept = [plan for plan in candidates(4, 1) if fits(plan, name)]
    assert max(plan.tiles for plan in kept) == most
    assert {plan.kernel for plan in kept} == {"columns"}


@every_format
def test_the_tuner_compiles_for_the_shapes_and_types_of_a_real_weight(name: str) -> None:
    pytest.importorskip("triton", reason="Triton has no package for this system")
    from benchmarks.tune_kernels import stand_in

    real = arrange(pack(FORMATS[name](torch.randn(40, 640))))
    fake = stand_in(name, 640, 40, torch.device("cpu"))
    assert fake.shape == real.shape and (fake.zero_point is None) == (real.zero_point is None)
    for part in ("codes", "scale", "zero_point"):
        a, b = getattr(fake, part), getattr(real, part)
        assert a is b or (a.shape, a.dtype) == (b.shape, b.dtype)


def test_a_tuner_out_of_time_keeps_the_plans_of_the_shapes_that_it_did_not_reach(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("triton", reason="Triton has no package for this system")
    from benchmarks import tune_kernels

    shapes = [{"inputs": i, "outputs": o} for i, o in tune_kernels.SHAPES]
    known = [{"format": "int8", "batch": 16, **shape, "plan": "known"} for shape in shapes]
    found = {**known[0], "plan": "found"}
    rows = iter([found])
    monkeypatch.setattr(tune_kernels, "plans", lambda card: known)
    monkeypatch.setattr(tune_kernels, "fastest", lambda *case: next(rows, None))
    assert tune_kernels.tune(minutes=1) == [found, known[1]]


def test_the_kernels_of_one_row_refuse_more_rows_and_other_codes_and_float32() -> None:
    pytest.importorskip("triton", reason="Triton has no package for this system")
    from halfbits.kernels.launch import ONE_ROW

    row, many, wide = torch.randn(1, 128).bfloat16(), torch.randn(2, 128).half(), torch.ones(1, 128)
    for kernel, name, x, said in (
        ("row", "int8", many, "int8 codes, not 2 of torch.float16 with int8"),
        ("row", "int4 g32", row, "int8 codes, not 1 of torch.bfloat16 with int4"),
        ("row", "int8", wide, "int8 codes, not 1 of torch.float32 with int8"),
        ("columns", "int4 g32", many, "int4 codes, not 2 of torch.float16 with int4"),
        ("columns", "int8", row, "int4 codes, not 1 of torch.bfloat16 with int8"),
    ):
        packed = pack(FORMATS[name](torch.randn(8, 128)))
        plan = plans.Plan(kernel, 16, 2, 1, 2, 1)
        with pytest.raises(ValueError, match=said):
            ONE_ROW[kernel](x, arrange(packed), torch.empty(len(x), 8), plan)


def test_the_floor_reads_every_word(interpreted: dict[str, float]) -> None:
    assert interpreted["floor"] == 0


@every_format
def test_tiles_hold_what_the_packed_weight_holds(name: str) -> None:
    _, _, packed = drawn(name)
    tiles = arrange(packed)
    places = WORD_BITS // packed.bits
    shift = packed.bits * torch.arange(places)
    rows = tiles.codes if packed.bits == 8 else tiles.codes.transpose(1, 2).flatten(0, 1)
    wide = rows[: packed.shape[0]].int().reshape(packed.shape[0], -1, 1, TILE // places)
    codes = (wide >> shift[:, None] & (1 << packed.bits) - 1).flatten(1)[:, : packed.shape[1]]
    want = nibbles(packed).flatten(1) if packed.bits == 4 else packed.codes.int() & 255
    assert torch.equal(codes, want) and tiles.shape == packed.shape
    assert tiles.nbytes >= packed.nbytes


@every_format
def test_every_format_and_batch_has_a_plan_of_the_committed_card(name: str) -> None:
    _, _, packed = drawn(name)
    kept = plans.plans("h200")
    for batch in range(1, MOST_ROWS + 1):
        plan = plans.plan_for(arrange(packed), batch, torch.device("cpu"))
        assert plan.kernel in ("deep", "wide") or batch == 1
        assert plan in [plans.Plan(*row["plan"]) for row in kept]


def test_a_plan_is_of_the_fewest_rows_that_fit_and_then_of_the_nearest_shape() -> None:
    small, large, more = (
        plans.Plan("deep", 1, 1, 1, 1, 1),
        plans.Plan("deep", 2, 2, 2, 2, 2),
        plans.Plan("deep", 3, 3, 3, 3, 3),
    )
    known = [
        plans.as_row("int8", 1, 1024, 1024, small),
        plans.as_row("int8", 1, 8192, 8192, large),
        plans.as_row("int8", 16, 8192, 8192, more),
    ]
    assert plans.nearest(known, "int8", 1, 2048, 1024) == small
    assert plans.nearest(known, "int8", 1, 8192, 4096) == large
    assert plans.nearest(known, "int8", 2, 1024, 1024) == more


@pytest.fixture
def _no_plans_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("HALFBITS_DATA", str(tmp_path))
    plans.plans.cache_clear()
    yield
    plans.plans.cache_clear()


@pytest.mark.usefixtures("_no_plans_yet")
def test_a_card_without_plans_takes_anothers_and_says_so() -> None:
    with pytest.warns(UserWarning, match=r"no plans for h99.*tune_kernels"):
        assert plans.plans("h99") == plans.plans("h200")


@pytest.mark.usefixtures("_no_plans_yet")
def test_a_readers_own_plans_come_first_unless_they_are_of_other_kernels() -> None:
    row = plans.as_row("int8", 64, 8192, 8192, plans.Plan("deep", 16, 2, 1, 2, 5))
    made = {"device": "NVIDIA H200", "kernels": VERSION, "plans": [row]}
    plans.own_plans("h200").write_text(json.dumps(made), encoding="utf-8")
    assert plans.plans("h200") == [row]
    plans.own_plans("h200").write_text(json.dumps(made | {"kernels": 0}), encoding="utf-8")
    plans.plans.cache_clear()
    assert len(plans.plans("h200")) > 1


@pytest.mark.parametrize("name", LARGEST)
def test_a_quantized_cache_gives_back_its_tokens_within_half_a_step(name: str) -> None:
    keys, values = torch.randn(2, 2, 2, 150, 64).unbind()
    kept = quantize_cache(keys, values, name)
    found = dequantize_cache(kept)
    scales = kept.key_scale.repeat_interleave(BLOCK, 2)[:, :, :150], kept.value_scale[..., None]
    # e4m3 has steps of a sixteenth of the number at most; integers, of one.
    for want, got, scale in zip((keys, values), found, scales, strict=True):
        step = scale.double() if name != "fp8" else want.abs().double() / 8 + scale * 2.0**-9
        # The float16 scale may be too small by half a step of its own: then the largest are cut.
        cut = want.abs().double() * 2.0**-11
        assert ((got - want).abs() <= step / 2 + 2 * cut).all()


def test_a_cache_takes_no_other_format_and_no_other_shape() -> None:
    keys = torch.randn(1, 2, 8, 64)
    with pytest.raises(ValueError, match="only of int8, fp8, int4"):
        quantize_cache(keys, keys, "int2")


@pytest.fixture(scope="module")
def little() -> Llama:
    """A Llama of two layers whose matrices are what int8 codes give back."""
    torch.manual_seed(0)
    sizes = {"vocab_size": 64, "hidden_size": 32, "intermediate_size": 48, "head_dim": 8}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "num_hidden_layers": 2}
    model = Llama(LlamaConfig(**sizes, **heads, max_position_embeddings=32)).eval()
    with torch.no_grad():
        for weight in (p for p in model.parameters() if p.ndim == 2):
            weight.copy_(quantize_symmetric(weight, 8).dequantize())
    return model


@torch.no_grad()
def test_one_loop_computes_what_the_model_computes(little: Llama) -> None:
    torch.manual_seed(1)
    ids = torch.randint(0, 64, (9,))
    want = little(ids[None])[0, -1]
    off = (FusedDecoder(little).logits(ids)[1] - want).norm() / want.norm()
    # Seven sums a layer and one for the head, of at most 48 terms; int8 codes round-trip exactly.
    assert 0 <= off < 15 * 48 * 2.0**-24 * 8


@torch.no_grad()
def test_one_loop_continues_as_the_model_does(little: Llama) -> None:
    torch.manual_seed(2)
    ids = torch.randint(0, 64, (5,))
    assert torch.equal(FusedDecoder(little).generate(ids, 6), generate(little, ids, 6))


def test_a_decoder_of_another_width_is_refused(little: Llama) -> None:
    with pytest.raises(ValueError, match="8 or 32"):
        FusedDecoder(little, 4)
