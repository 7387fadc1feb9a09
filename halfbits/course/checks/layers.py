"""What a linear layer with quantized weights must do: it stores codes, and computes with them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from halfbits.course.checks import Suite, cases, expect, hardened, tolerance
from halfbits.course.checks.cases import each
from halfbits.course.checks.memory import SLACK, held, namespace_of
from halfbits.course.checks.stored import (
    codes_of,
    contents,
    dequantized,
    nbytes,
    replaced,
    same_numbers,
    scale_of,
)


class WeightOnlyLinear(Suite):
    """A class whose `from_float(linear)` stores int8 codes [out, in], a float32 scale and the bias.

    Its output is x @ (codes * scale).T + bias in float32 for an x [..., in] of any float dtype.
    """

    def of(self, answer: Any, linear: nn.Linear) -> nn.Module:
        """The quantized copy of `linear`."""
        return getattr(answer, self.task).from_float(linear)

    def exact(self, layer: nn.Module, linear: nn.Linear, x: Tensor) -> tuple[Tensor, Tensor]:
        """What the stored codes and scales give for `x` in float64, and how far float32 may be."""
        w, bias = dequantized(layer, linear), linear.bias
        y = x.double() @ w.T + (0 if bias is None else bias.detach().double())
        return y, tolerance.linear(x, w, bias)

    def test_output_is_x_times_dequantized_weights(self, answer: Any, seed: int) -> None:
        """layer(x) = x @ (codes * scale).T + bias, to float32 rounding.

        Only the weights are quantized: x and the sums stay in float32.
        """
        for bias in each({"with a bias": True, "without a bias": False}):
            for n_in, n_out in ((300, 70), (6, 90), (32, 32), (1, 3)):
                linear = cases.linear(seed, n_in, n_out, bias=bias)
                layer, x = self.of(answer, linear), cases.normal(seed + 3, 32, n_in)
                want, bound = self.exact(layer, linear, x)
                expect.close(layer(x), want.float(), atol=bound, of="layer(x)")

    def test_takes_any_leading_shape(self, answer: Any, seed: int) -> None:
        """[..., in] gives float32 [..., out]: a vector, an empty batch, three axes, 16 bits.

        A layer is called on tokens, on batches, and on the last, possibly empty, batch; each
        vector is on its own, and 16-bit inputs are computed in float32.
        """
        linear = cases.linear(seed, 12, 7)
        layer = self.of(answer, linear)
        for x in each(cases.leading_shapes(seed, 12)):
            want, bound = self.exact(layer, linear, x)
            expect.close(layer(x), want.float(), atol=bound, of="layer(x)")

    def test_stores_a_scale_for_each_row(self, answer: Any, seed: int) -> None:
        """Each stored scale is amax / 127 of its row, and the codes are within half a step.

        The layer quantizes by the same rule as everything else, whatever the shape of its weights.
        """
        shapes = {"wide": (300, 4), "tall": (3, 300), "square": (32, 32), "one weight": (1, 1)}
        for n_in, n_out in each(shapes):
            linear = cases.linear(seed, n_in, n_out)
            linear.weight.data[:: max(2, n_out // 2)] *= 1000
            layer, w = self.of(answer, linear), linear.weight.detach().double()
            want = w.abs().amax(1, keepdim=True) / 127
            scale = scale_of(layer, linear).double()
            expect.close(scale, want, atol=tolerance.eps() * want, of="the stored scale")
            off = (w / scale - codes_of(layer)[1]).abs()
            expect.at_most(off, tolerance.half_step(127), "steps", of="error of the stored codes")

    @hardened
    def test_row_of_zeros_answers_its_bias(self, answer: Any, seed: int) -> None:
        """An output whose weights are all zero is the bias, and the other outputs are as before.

        amax / 127 is 0 there, and 0 / 0 is NaN; pruned channels are all zero.
        """
        linear, x = cases.linear(seed, 9, 4), cases.normal(seed + 1, 5, 9)
        linear.weight.data[2] = 0
        layer = self.of(answer, linear)
        want, bound = self.exact(layer, linear, x)
        expect.close(layer(x), want.float(), atol=bound, of="layer(x)")
        expect.same(layer(x)[:, 2], linear.bias.detach()[2].expand(5), of="the output of zeros")

    def test_computes_with_its_codes(self, answer: Any, seed: int) -> None:
        """Setting the stored codes to zero leaves the bias; negating them negates the rest.

        The output must come from the stored codes, not from float weights kept elsewhere.
        """
        linear, x = cases.linear(seed, 48, 20), cases.normal(seed + 2, 5, 48)
        layer = self.of(answer, linear)
        first, bias = layer(x).detach().double(), linear.bias.detach().double()
        (name, codes), (_, bound) = codes_of(layer), self.exact(layer, linear, x)
        wanted = {"negated": (-codes, 2 * bias - first), "zero": (0 * codes, bias + 0 * first)}
        shifted = self.exact(layer, linear, x.roll(1, 1))[0]
        wanted["permuted"] = (codes.roll(-1, 1), shifted)
        for changed, want in each({f"codes {key}": value for key, value in wanted.items()}):
            with replaced(layer, name, changed):
                expect.close(layer(x), want.float(), atol=2 * bound, of="layer(x)")

    def test_computes_with_its_scale_and_bias(self, answer: Any, seed: int) -> None:
        """Doubling the stored scale doubles the product, and negating the stored bias negates it.

        What is stored beside the codes is what a checkpoint brings along: it has to be used.
        """
        linear, x = cases.linear(seed, 30, 12), cases.normal(seed + 2, 5, 30)
        layer = self.of(answer, linear)
        bias, (first, bound) = linear.bias.detach().double(), self.exact(layer, linear, x)
        for name, kept in layer.state_dict().items():
            if kept.dtype != torch.float32:
                continue
            is_bias = same_numbers(kept, linear.bias)
            want = first - 2 * bias if is_bias else 2 * first - bias
            with replaced(layer, name, -kept if is_bias else 2 * kept):
                said = f"layer(x), {name} {'negated' if is_bias else 'doubled'},"
                expect.close(layer(x), want.float(), atol=2 * bound, of=said)

    def test_keeps_no_float_copy_of_the_weights(self, answer: Any, seed: int) -> None:
        """Once the source is gone, no copy of its weights is left: tensor, array, list or closure.

        Int8 codes beside a float copy use more memory than the float layer did.
        """
        n_in, n_out = 211, 97  # a product that nothing else has
        program = namespace_of(getattr(answer, self.task))
        before = held(program)
        with expect.no_live_floats(n_in * n_out):
            linear = cases.linear(seed, n_in, n_out)
            layer = self.of(answer, linear)
            layer(cases.normal(seed, 3, n_in))
            del linear
        # The codes once more, transposed or packed, are no float copy; a float16 copy is.
        allowed = nbytes(layer) + n_in * n_out + SLACK
        holds = held(program, layer, module=program.get("__name__", "")) - before
        expect.at_most(holds, allowed, "bytes", of="all that the layer holds")

    def test_state_dict_fills_a_fresh_layer(self, answer: Any, seed: int) -> None:
        """A fresh layer(in, out, bias) loads the state_dict and answers the same.

        What is not in the state_dict is lost between quantizing and serving.
        """
        for bias in each({"with a bias": True, "without a bias": False}):
            layer = self.of(answer, cases.linear(seed, 20, 9, bias=bias))
            make = getattr(answer, self.task)
            for fresh in (make(20, 9, bias), make(20, 9, bias=bias), *([make(20, 9)] * bias)):
                why = "a checkpoint loads into what has its shapes and dtypes"
                expect.equal(contents(fresh), contents(layer), of="the fresh state", why=why)
            fresh.load_state_dict({name: v.clone() for name, v in layer.state_dict().items()})
            x = cases.normal(seed + 5, 4, 20)
            expect.same(fresh(x), layer(x), of="fresh(x) after load_state_dict")

    def test_output_carries_no_graph(self, answer: Any, seed: int) -> None:
        """The output for an x without gradients has none: nothing in the layer is trained.

        A bias that keeps its graph keeps the float layer alive, and each call adds to it.
        """
        for bias in each({"with a bias": True, "without a bias": False}):
            layer = self.of(answer, cases.linear(seed, 20, 9, bias=bias))
            expect.no_graph(layer(cases.normal(seed, 4, 20)), *layer.state_dict().values())

    def test_keeps_the_bias_in_float32(self, answer: Any, seed: int) -> None:
        """The bias is stored in float32, bit for bit; without a bias none is stored.

        The bias is out numbers: quantizing it saves nothing and shifts every output.
        """
        linear = cases.linear(seed, 16, 11)
        layer = self.of(answer, linear)
        kept = [v for v in layer.state_dict().values() if same_numbers(v, linear.bias)]
        right = any(v.dtype == torch.float32 for v in kept)
        expect.true(right, expected="the bias of linear, float32", got=contents(layer))
        bare = self.of(answer, cases.linear(seed, 16, 11, bias=False))
        expected = "codes and scale only, from a Linear without a bias"
        expect.true(len(bare.state_dict()) == 2, expected=expected, got=contents(bare))

    def test_leaves_the_source_alone(self, answer: Any, seed: int) -> None:
        """from_float and forward change nothing in linear or x, and no memory is shared.

        The quantized layer owns its numbers: copy what you keep.
        """
        for n_in, n_out in ((14, 6), (6, 14), (8, 8)):
            linear, x = cases.linear(seed, n_in, n_out), cases.normal(seed, 3, n_in)
            with expect.untouched(linear, x):
                layer = self.of(answer, linear)
                before = layer(x).detach().clone()
            with torch.no_grad():
                linear.weight.zero_()
                linear.bias.zero_()
            expect.same(layer(x), before, of="layer(x), linear set to zero,")
