"""Claims of the interview bank on speed and memory that no lesson's cell shows, run one by one."""

from __future__ import annotations

import itertools
import json
import re
import weakref
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torchao.quantization import Int8WeightOnlyConfig, quantize_

from halfbits.models.llama import KVCache
from halfbits.models.tiny_lm import load_tiny_lm
from halfbits.perf.cost import Decoder, amdahl, hardware, linear, llama_3
from halfbits.selectors import load_record, select

RECORD = Path(__file__).parents[2] / "book" / "data" / "gpu_matmul.json"
E4M3 = torch.float8_e4m3fn


def draw(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def microseconds(way: str, batch: int, inputs: int = 8192, outputs: int = 8192) -> float:
    """The recorded median of a product on the H100."""
    shape: dict[str, Any] = {"way": way, "batch": batch, "inputs": inputs, "outputs": outputs}
    rows = json.loads(RECORD.read_text(encoding="utf-8"))["products"]
    [row] = [row for row in rows if shape.items() <= row.items()]
    return 1e6 * row["seconds"]["median"]


def test_attention_over_the_cache_does_heads_over_kv_heads_operations_a_byte_at_any_batch() -> None:
    for model, ratio in ((llama_3(8), 4), (llama_3(70), 8)):
        for batch in (1, 64, 512):
            near, far = (model.decode(batch, context, "bf16") for context in (1000, 2000))
            assert (far.flops - near.flops) / (far.nbytes - near.nbytes) == ratio


def test_the_recorded_int4_kernel_wins_for_one_row_and_loses_from_sixteen() -> None:
    int4, bf16 = "int4 in groups, fused kernel", "bf16"
    assert microseconds(int4, 1) < microseconds(bf16, 1) / 2
    assert microseconds(int4, 4) < microseconds(bf16, 4)
    assert microseconds(int4, 16) > 1.5 * microseconds(bf16, 16)


def test_four_rows_cost_bf16_nothing_and_the_recorded_int4_kernel_half_as_much_again() -> None:
    int4 = "int4 in groups, fused kernel"
    assert microseconds("bf16", 4) < 1.02 * microseconds("bf16", 1)
    assert 1.4 < microseconds(int4, 4) / microseconds(int4, 1) < 1.7


def test_a_small_square_reaches_half_the_rate_of_a_large_one() -> None:
    rate = {n: n**3 / microseconds("bf16", n, n, n) for n in (1024, 4096)}
    tiles = (1024 // 128) ** 2
    assert tiles < 132  # streaming multiprocessors of an H100 SXM
    assert 0.45 < rate[1024] / rate[4096] < 0.55


def test_a_4096_square_layer_reaches_the_ridge_at_345_rows_and_the_rule_says_295() -> None:
    card = hardware()["H100 SXM"]
    ridge = card.ridge("bf16")
    assert linear(344, 4096, 4096, "bf16").intensity < ridge
    assert linear(345, 4096, 4096, "bf16").intensity > ridge
    assert round(card.crossover_batch("bf16", "bf16")) == 295


def test_fp8_weights_on_an_a100_gain_two_times_up_to_76_rows_and_nothing_from_154() -> None:
    card, n = hardware()["A100 SXM 80 GB"], 2**20  # so wide that rows of x and y are nothing

    def gain(rows: int) -> float:
        wide, narrow = (linear(rows, n, n, weights) for weights in ("bf16", "fp8"))
        return card.seconds(wide, "bf16") / card.seconds(narrow, "bf16")

    assert "fp8" not in card.peak
    assert [round(gain(rows), 2) for rows in (1, 76, 154, 4096)] == [2, 2, 1, 1]
    assert 1.2 < gain(115) < 1.5


class CountBytes(TorchDispatchMode):
    """Adds up what each operation reads and writes; a view moves nothing."""

    moved = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None):
        out = function(*args, **(kwargs or {}))
        if not function.is_view:
            tensors = [*tree_leaves((args, kwargs or {})), out]
            self.moved += sum(t.nbytes for t in tensors if isinstance(t, Tensor))
        return out


def test_eager_dequantization_moves_nine_bytes_a_weight_and_five_with_the_scale_behind() -> None:
    n, scale = 512, torch.ones(512, 1, dtype=torch.bfloat16)
    codes, x = torch.ones(n, n, dtype=torch.int8), torch.ones(1, n, dtype=torch.bfloat16)
    whole = codes.bfloat16()
    ways = {
        2: lambda: x @ whole.T,
        9: lambda: x @ (codes.to(torch.bfloat16) * scale).T,
        5: lambda: (x @ codes.to(torch.bfloat16).T) * scale.T,
    }
    for expected, way in ways.items():
        with CountBytes() as counted:
            way()
        assert counted.moved / n**2 == pytest.approx(expected, abs=0.05)  # the vectors are small


def added_and_normed(x: Tensor, residual: Tensor, gain: Tensor) -> tuple[Tensor, Tensor]:
    hidden = x + residual
    wide = hidden.float()
    inverse = torch.rsqrt(wide.square().mean(-1, keepdim=True) + 1e-5)
    return hidden, (wide * inverse).bfloat16() * gain


def test_add_and_norm_move_42_bytes_an_element_one_by_one_and_8_at_least() -> None:
    x, residual, gain = torch.ones(3, 256, 512, dtype=torch.bfloat16)
    with CountBytes() as counted:
        hidden, normed = added_and_normed(x, residual, gain[0])
    assert counted.moved / x.numel() == pytest.approx(42, abs=0.2)  # the rows' factors are small
    assert (x.nbytes + residual.nbytes + hidden.nbytes + normed.nbytes) / x.numel() == 8


def test_the_gate_of_an_mlp_moves_10_bytes_an_element_in_two_kernels_and_6_in_one() -> None:
    gate, up = torch.ones(2, 256, 512, dtype=torch.bfloat16)
    with CountBytes() as counted:
        out = torch.nn.functional.silu(gate) * up
    assert counted.moved / out.numel() == 10
    assert (gate.nbytes + up.nbytes + out.nbytes) / out.numel() == 6


def test_a_4096_square_bf16_weight_fits_the_l2_cache_and_an_8192_square_does_not() -> None:
    cache = json.loads(RECORD.read_text(encoding="utf-8"))["hardware"]["l2_bytes"]
    assert 2 * 4096**2 < cache < 2 * 8192**2


def test_a_scale_for_the_whole_batch_lets_a_neighbor_change_the_codes_of_a_row() -> None:
    def codes(x: Tensor, per_row: bool) -> Tensor:
        amax = x.abs().amax(1, keepdim=True) if per_row else x.abs().amax()
        return (x * (127 / amax)).round()

    row, neighbor = draw(1, 64), 100 * torch.ones(1, 64)
    batch = torch.cat([row, neighbor])
    assert not torch.equal(codes(batch, per_row=False)[:1], codes(row, per_row=False))
    assert torch.equal(codes(batch, per_row=True)[:1], codes(row, per_row=True))


def test_a_scale_of_one_clips_large_keys_and_flushes_small_values() -> None:
    def stored(x: Tensor, scale: float) -> Tensor:
        return (x / scale).clamp(-448, 448).to(E4M3).float() * scale

    assert stored(torch.tensor(1000.0), 1) == 448
    assert stored(torch.tensor(2.0**-11), 1) == 0
    for size in (1e-4, 1000.0):
        x = size * draw(4096)
        good = stored(x, x.abs().max().item() / 448)
        assert (good - x).norm() < 2**-4 * x.norm()
    tiny = 1e-4 * draw(4096)
    assert stored(tiny, 1).eq(0).all()


def test_the_same_eight_bits_are_worth_half_as_much_in_fnuz() -> None:
    codes = torch.arange(1, 120, dtype=torch.uint8)
    fn, fnuz = (codes.view(kind).float() for kind in (E4M3, torch.float8_e4m3fnuz))
    assert torch.equal(fn, 2 * fnuz)


def test_a_scale_for_each_row_may_follow_the_product_and_then_fp16_can_overflow() -> None:
    codes, x = torch.full((2, 4096), 127, dtype=torch.int8), torch.ones(1, 4096)
    scale = torch.tensor([1e-4, 2e-4])
    before = x.double() @ (codes.double() * scale[:, None]).T
    after = (x.double() @ codes.double().T) * scale
    torch.testing.assert_close(after, before)
    assert (x.half() @ codes.half().T).isinf().all()
    assert (x.half() @ (codes.half() * scale[:, None].half()).T).isfinite().all()


def on_avx2(threads: int, way: str, batch: int, field: str) -> float:
    """A quartile of a 4,096 square layer in the record of a CPU with AVX2 alone."""
    fields = f"level=all of them, threads={threads}, way={way}, batch={batch}"
    path = f"gemv[{fields}, inputs=4096, outputs=4096].{field}"
    return float(select(load_record(RECORD.with_name("bench_cpu_avx2.json")), path))


@pytest.mark.parametrize("threads", [1, 2])
def test_the_recorded_int8_layer_for_avx2_beats_float32_of_both_libraries(threads: int) -> None:
    int8 = on_avx2(threads, "int8 both, torch dynamic", 32, "seconds.high")
    assert int8 < on_avx2(threads, "fp32", 32, "seconds.low")
    assert int8 < on_avx2(threads, "fp32, ONNX Runtime", 32, "seconds.low")


@pytest.mark.parametrize("threads", [1, 2])
def test_a_fused_int8_kernel_beats_float32_for_one_row_in_the_record_of_an_avx2_machine(
    threads: int,
) -> None:
    fused, converted = "int8, torch _weight_int8pack_mm (bf16 x)", "int8, converted in each call"
    assert on_avx2(threads, fused, 1, "speed.low") > 1  # against float32, turn by turn
    assert on_avx2(threads, converted, 1, "speed.high") < 0.1


def in_saturated_pairs(x: Tensor, w: Tensor) -> Tensor:
    """x [n, K] of u8 times w [K, m] of s8 as vpmaddubsw adds it: pairs of products in 16 bits,
    saturated, and those in int32."""
    products = x[:, :, None] * w[None]
    pairs = products.unflatten(1, (-1, 2)).sum(2)
    return pairs.clamp(-(2**15), 2**15 - 1).sum(1)


def test_pairs_that_saturate_in_sixteen_bits_change_a_product_unless_weights_have_seven() -> None:
    random = torch.Generator().manual_seed(0)
    x = torch.randint(0, 256, (64, 256), generator=random)
    w = torch.randint(-127, 128, (256, 32), generator=random)
    exact, found = x @ w, in_saturated_pairs(x, w)
    error = (found - exact).double().norm() / exact.double().norm()
    assert error > 0.02
    half = w.div(2, rounding_mode="trunc")  # seven bits: -63 to 63
    assert torch.equal(in_saturated_pairs(x, half), x @ half)
    assert (4 * 255 * 127) < 2**31 - 1  # four products fit VNNI's int32


def test_a_share_of_seventy_percent_twice_as_fast_makes_the_whole_1_54_times_as_fast() -> None:
    linear, rest = 700.0, 300.0  # milliseconds

    def gain(times: float) -> float:
        return (linear + rest) / (linear / times + rest)

    assert gain(2) == pytest.approx(amdahl(0.7, 2)) and round(gain(2), 2) == 1.54
    assert round(gain(1e12), 2) == 3.33
    assert gain(3.5) == pytest.approx(2)
    share = (linear / 2) / (linear / 2 + rest)
    assert round(share, 2) == 0.54 and round(amdahl(share, 2), 2) == 1.37


def test_training_under_autocast_keeps_sixteen_bytes_a_parameter() -> None:
    layer = torch.nn.Linear(64, 64, bias=False)
    optimizer = torch.optim.Adam(layer.parameters())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = layer(draw(8, 64)).float().square().mean()
    loss.backward()
    optimizer.step()
    moments = [v for v in optimizer.state[layer.weight].values() if v.shape == layer.weight.shape]
    assert layer.weight.grad is not None and len(moments) == 2
    kept = [layer.weight, layer.weight.grad, *moments]
    assert sum(t.nbytes for t in kept) == 16 * layer.weight.numel()


def test_autocast_saves_sixteen_bit_activations_for_the_backward_pass() -> None:
    def saved(enabled: bool) -> int:
        layers = torch.nn.Sequential(*(torch.nn.Linear(64, 64) for _ in range(4)))
        own, sizes = {p.data_ptr() for p in layers.parameters()}, {}

        def note(t: Tensor) -> Tensor:
            if t.shape == (256, 64) and t.data_ptr() not in own:
                sizes[t.data_ptr()] = t.nbytes
            return t

        watch = torch.autograd.graph.saved_tensors_hooks(note, lambda t: t)
        with watch, torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled):
            layers(draw(256, 64).requires_grad_())
        return sum(sizes.values())

    assert saved(True) == saved(False) / 2


def test_mixtral_holds_46_7_billion_weights_and_uses_12_9() -> None:
    dense = Decoder(32, 4096, 14336, 32, 8, 128, 32_000)
    expert = 3 * 4096 * 14336
    rest = dense.block_weights - 32 * expert + 2 * dense.head_weights + 32 * 4096 * 8
    assert rest + 32 * 8 * expert == pytest.approx(46.7e9, rel=1e-3)
    assert rest + 32 * 2 * expert == pytest.approx(12.88e9, rel=1e-3)


def test_rows_that_choose_two_of_eight_experts_hit_most_of_them_soon() -> None:
    choices = list(itertools.combinations(range(8), 2))
    for rows in (1, 2, 3):
        rounds = itertools.product(choices, repeat=rows)
        hit = [len({expert for pair in round_ for expert in pair}) for round_ in rounds]
        assert sum(hit) / len(hit) == pytest.approx(8 * (1 - (1 - 2 / 8) ** rows))


def test_a_chain_of_guesses_gives_a_geometric_sum_of_tokens() -> None:
    accept, guesses = 0.8, 4
    chances = [accept**n * (1 - accept) for n in range(guesses)] + [accept**guesses]
    tokens = sum((n + 1) * chance for n, chance in enumerate(chances))
    assert tokens == pytest.approx((1 - accept ** (guesses + 1)) / (1 - accept))


def test_no_batch_lifts_the_rate_above_bandwidth_over_the_cache_of_one_row() -> None:
    model, card, context = llama_3(8), hardware()["H100 SXM"], 8192
    limit = card.bandwidth / (context * model.kv_bytes("bf16"))
    rates = [
        batch / card.seconds(model.decode(batch, context, "bf16"), "bf16")
        for batch in (1, 16, 256, 4096)
    ]
    assert rates == sorted(rates) and 0.98 * limit < rates[-1] < limit


def left_for_caches(model: Decoder, card: str, weights: str, ends: str = "") -> float:
    """Bytes that weights leave of nine tenths of a card's memory."""
    return 0.9 * hardware()[card].memory - model.stored(weights, ends).total


def test_what_fits_a_16_gb_card_of_an_8b_model() -> None:
    sizes = {kind: llama_3(8).stored(kind).total for kind in ("bf16", "int8", "fp8", "int4")}
    assert sizes["bf16"] > 16e9
    assert all(sizes[kind] < 0.9 * 16e9 - 4e9 for kind in ("int8", "fp8", "int4"))


def test_only_four_bits_leave_a_70b_model_on_one_h100_room_for_a_service() -> None:
    model, card = llama_3(70), "H100 SXM"
    row = 8192 * model.kv_bytes("bf16")
    assert left_for_caches(model, card, "bf16") < 0
    assert 1 < left_for_caches(model, card, "fp8") / row < 2
    assert 2 < left_for_caches(model, card, "fp8", ends="fp8") / row < 3
    assert 13 < left_for_caches(model, card, "int4") / row < 14


def test_64_long_rows_of_an_8b_model_fill_an_h100_to_the_last_quarter_gigabyte() -> None:
    model, memory = llama_3(8), hardware()["H100 SXM"].memory
    caches = 64 * 8192 * model.kv_bytes("bf16")
    left = memory - model.stored("bf16").total - caches
    assert 0.2e9 < left < 0.25e9
    assert model.stored("int8").total + caches > 0.9 * memory
    assert model.stored("int4").total + caches < 0.9 * memory
    assert model.stored("bf16").total + caches / 2 < 0.9 * memory


def test_int4_weights_multiply_the_users_of_a_small_card_and_hardly_those_of_a_large_one() -> None:
    def gain(card: str) -> float:
        left = [left_for_caches(llama_3(8), card, kind) for kind in ("bf16", "int4")]
        return left[1] / left[0]

    assert 2.4 < gain("RTX 4090") < 2.5
    assert 1.15 < gain("H100 SXM") < 1.2


def test_torchao_scales_the_output_of_a_weight_only_product_and_not_the_weight() -> None:
    layer = torch.nn.Sequential(torch.nn.Linear(48, 64, bias=False))
    quantize_(layer, Int8WeightOnlyConfig())
    seen: list[tuple[str, tuple[int, ...]]] = []

    class Shapes(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            result = func(*args, **(kwargs or {}))
            if isinstance(result, Tensor):
                seen.append((func.overloadpacket.__name__, tuple(result.shape)))
            return result

    with torch.no_grad(), Shapes():
        layer(draw(3, 48))
    product = [name for name, _ in seen].index("mm")
    scaled = [shape for name, shape in seen if name == "mul"]
    assert scaled == [(3, 64)]  # rows times outputs, not outputs times inputs
    assert ("mul", (3, 64)) in seen[product:]
    assert "_to_copy" in [name for name, shape in seen[:product] if set(shape) == {48, 64}]


@pytest.mark.parametrize(("inner", "outputs"), [(24, 32), (32, 24)])
def test_pytorch_refuses_fp8_products_whose_sizes_are_no_multiples_of_sixteen(
    inner: int, outputs: int
) -> None:
    """On the meta device, whose rules are those of CUDA; the CPU takes any size."""
    one = torch.ones((), device="meta")

    def product(inner: int, outputs: int) -> Tensor:
        x, w = (torch.empty(n, inner, device="meta").to(E4M3) for n in (32, outputs))
        return torch._scaled_mm(x, w.T, scale_a=one, scale_b=one, out_dtype=torch.bfloat16)

    assert product(32, 32).shape == (32, 32)
    with pytest.raises(RuntimeError, match="divisible by 16"):
        product(inner, outputs)


def test_the_milliseconds_that_the_answer_on_tf32_quotes_are_the_recorded_ones() -> None:
    square = {way: round(microseconds(way, 8192) / 1e3, 1) for way in ("fp32", "tf32", "bf16")}
    assert square == {"fp32": 21.5, "tf32": 3.2, "bf16": 1.6}
    token = [round(microseconds(way, 1) / 1e3, 2) for way in ("fp32", "tf32")]
    assert token == [0.11, 0.11]  # both read four bytes a weight


def test_a_real_cache_has_the_bytes_of_its_kv_heads_and_not_of_all_heads() -> None:
    config = load_tiny_lm().model.config
    cache = KVCache(config, 3, 100, torch.zeros((), dtype=torch.bfloat16))
    sizes = Decoder.of(config)
    assert cache.nbytes == 3 * 100 * sizes.kv_bytes("bf16")
    all_heads = 2 * sizes.layers * sizes.heads * sizes.head_dim * 2
    assert sizes.heads == 4 * sizes.kv_heads and 300 * all_heads == 4 * cache.nbytes


def test_the_recorded_benchmark_rotates_weights_worth_ten_times_the_cache() -> None:
    source = (RECORD.parents[2] / "benchmarks" / "gpu_matmul.py").read_text(encoding="utf-8")
    [rotated] = re.findall(r"^ROTATED_BYTES = (\d+) \* 2\*\*20", source, re.MULTILINE)
    cache = json.loads(RECORD.read_text(encoding="utf-8"))["hardware"]["l2_bytes"]
    assert int(rotated) * 2**20 > 10 * cache


class Kept:
    """A tensor that a graph keeps for the backward pass."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


def test_an_output_that_is_kept_keeps_the_activations_unless_there_is_no_graph() -> None:
    layers = [part for _ in range(4) for part in (torch.nn.Linear(64, 64), torch.nn.SiLU())]
    model, x = torch.nn.Sequential(*layers), draw(32, 64)
    kept: list[weakref.ref[Kept]] = []

    def keep(tensor: Tensor) -> Kept:
        kept.append(weakref.ref(held := Kept(tensor)))
        return held

    def alive() -> int:
        return sum(held.tensor.nbytes for each in kept if (held := each()) is not None)

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda held: held.tensor):
        output = model(x)
        assert alive() > 4 * output.nbytes
        output = output.detach()  # drops the graph
        assert alive() == 0
        kept.clear()
        with torch.no_grad():
            output = model(x)
        assert output.shape == x.shape and not kept


def test_the_last_row_of_the_logits_keeps_all_of_them_and_a_clone_does_not() -> None:
    logits = draw(128, 1000)
    last = logits[-1]
    assert last.untyped_storage().nbytes() == logits.nbytes == 128 * last.nbytes
    assert last.clone().untyped_storage().nbytes() == last.nbytes


def test_codes_packed_four_along_the_sum_give_the_product_lane_by_lane() -> None:
    """As VNNI reads them: four neighbors of a column lie in the lane of that column."""
    inputs = (draw(3, 64) * 40).round().clamp(0, 255).to(torch.int32)
    weights = (draw(64, 16) * 40).round().clamp(-128, 127).to(torch.int32)
    packed = weights.reshape(16, 4, 16).transpose(1, 2).contiguous()  # step, lane, neighbor
    lanes = torch.zeros(3, 16, dtype=torch.int32)
    for step in range(16):
        four = inputs[:, 4 * step : 4 * step + 4]
        lanes += (four[:, None] * packed[step]).sum(2, dtype=torch.int32)
    assert torch.equal(lanes, inputs @ weights)
    assert (packed.flatten()[:4] == weights[:4, 0]).all()


def test_kept_and_replaced_guesses_together_have_the_targets_distribution() -> None:
    target, draft = draw(2, 50).double().softmax(1)
    kept = draft * (target / draft).clamp(max=1)
    replacement = (target - draft).clamp(min=0)
    replacement /= replacement.sum()
    assert 0.1 < kept.sum() < 0.9
    assert torch.allclose(kept + (1 - kept.sum()) * replacement, target, rtol=0, atol=2**-44)
    assert not torch.allclose(kept + (1 - kept.sum()) * target, target, rtol=0, atol=1e-3)
