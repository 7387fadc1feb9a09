"""What the quantizers and `QuantizedLinear` must do, one claim a check."""

import gc
import math

import pytest
import torch
from torch import Tensor, nn

from halfbits.grading.expect import (
    as_float64,
    describe,
    expect,
    expect_array,
    expect_close,
    expect_dtype,
    expect_untouched,
)

EPS = torch.finfo(torch.float32).eps
SMALLEST = 2.0**-149  # the smallest positive float32
# Half a step, and room for the float32 rounding of w / scale: two roundings at most, of a
# quotient of at most 127 (weights) or 255 (activations), measured in steps.
HALF_STEP_7_BITS = 0.5 + 2 * 127 * EPS
HALF_STEP_8_BITS = 0.5 + 3 * 255 * EPS


def draw(seed: int, *shape: int) -> Tensor:
    """Standard normal float32 numbers that depend on the seed alone."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def quantized(answer, w: Tensor, called: str = "quantize_weight(w)"):
    """The codes and the scale as a column, in float64, once their types are right."""
    pair = answer.quantize_weight(w)
    several = isinstance(pair, (tuple, list))
    expect(
        several and len(pair) == 2,
        called=called,
        expected="a pair (codes, scale)",
        got=f"{len(pair)} values" if several else type(pair).__name__,
        why="the layer needs both to get the weights back",
    )
    codes, scale = pair
    expect_array(
        codes,
        like=torch.empty(w.shape, dtype=torch.int8),
        called=called,
        why="one signed byte a weight, in the weight's shape",
    )
    expect_dtype(scale, torch.float32, called=called, why="scales are few: keep them in float32")
    expect(
        tuple(scale.shape) in ((len(w),), (len(w), 1)),
        called=called,
        expected=f"scale [{len(w)}] or [{len(w)}, 1]: one for each output channel (row)",
        got=describe(scale),
        why="a row of w makes one output, so a row shares one scale",
    )
    return as_float64(codes), as_float64(scale).reshape(-1, 1)


def activation(answer, x: Tensor, called: str = "quantize_activation(x)"):
    """Codes (float64), scale (float) and zero point (int), once their types are right."""
    triple = answer.quantize_activation(x)
    several = isinstance(triple, (tuple, list))
    expect(
        several and len(triple) == 3,
        called=called,
        expected="three values (codes, scale, zero_point)",
        got=f"{len(triple)} values" if several else type(triple).__name__,
        why="x is about (codes - zero_point) * scale",
    )
    codes, scale, zero_point = triple
    expect_array(
        codes,
        like=torch.empty(x.shape, dtype=torch.uint8),
        called=called,
        why="one unsigned byte a value, in the shape of x",
    )
    single = all(getattr(value, "shape", ()) == () for value in (scale, zero_point))
    expect(
        single,
        called=called,
        expected="one scale and one zero_point for the whole tensor",
        got=f"scale {describe(scale)}, zero_point {describe(zero_point)}",
        why="activations are quantized per tensor here",
    )
    scale, zero = float(scale), float(zero_point)
    expect(
        math.isfinite(scale) and scale > 0,
        called=called,
        expected="a finite scale above 0",
        got=scale,
        why="the codes are divided by it",
    )
    expect(
        zero.is_integer() and 0 <= zero <= 255,
        called=called,
        expected="zero_point a whole number from 0 to 255",
        got=zero_point,
        why="0.0 is exact only if its code is a whole number that a byte can hold",
    )
    return as_float64(codes), scale, int(zero)


def spread(x: Tensor) -> float:
    """The scale the specification asks for: (high - low) / 255 with 0 in the range."""
    x = as_float64(x)
    return float((max(x.max(), 0.0) - min(x.min(), 0.0)) / 255)


def random_linear(seed: int, n_in: int, n_out: int, *, bias: bool = True) -> nn.Linear:
    """A float32 Linear whose numbers come from the seed, not from the global generator."""
    with torch.random.fork_rng(devices=[]):  # skip_init would import SymPy, half a second
        linear = nn.Linear(n_in, n_out, bias=bias)
    with torch.no_grad():
        linear.weight.copy_(draw(seed, n_out, n_in) / math.sqrt(n_in))
        if bias:
            linear.bias.copy_(draw(seed + 1, n_out))
    return linear


def stored(layer: nn.Module) -> tuple[str, Tensor]:
    """The name and the tensor of the one int8 entry of the state_dict."""
    state = layer.state_dict()
    found = [(name, value) for name, value in state.items() if value.dtype == torch.int8]
    expect(
        len(found) == 1,
        called="QuantizedLinear.from_float(linear).state_dict()",
        expected="exactly one int8 tensor: the codes",
        got={name: describe(value) for name, value in state.items()},
        why="what is not in the state_dict is not saved; what is not int8 saves no bytes",
    )
    return found[0]


def dequantized(layer: nn.Module, linear: nn.Linear):
    """codes * scale in float64, read from the layer's own state_dict."""
    _, codes = stored(layer)
    bias = None if linear.bias is None else as_float64(linear.bias)
    floats = [v for v in layer.state_dict().values() if v.dtype == torch.float32]
    scales = [v for v in floats if bias is None or not _same(v, bias)]
    expect(
        len(scales) == 1 and scales[0].numel() == linear.out_features,
        called="QuantizedLinear.from_float(linear).state_dict()",
        expected="one float32 scale for each output channel, and the bias if there is one",
        got={name: describe(value) for name, value in layer.state_dict().items()},
        why="codes alone cannot be turned back into weights",
    )
    return as_float64(codes) * as_float64(scales[0]).reshape(-1, 1)


def _same(value: Tensor, bias) -> bool:
    return value.numel() == bias.size and bool((as_float64(value).ravel() == bias.ravel()).all())


# quantize_weight


@pytest.mark.task("quantize_weight")
def test_weight_gives_int8_codes_and_float32_scales(answer, seed):
    """Codes are int8 in the shape of w; scales are float32, one for each row."""
    quantized(answer, draw(seed, 6, 10))
    quantized(answer, draw(seed, 8, 8))
    quantized(answer, draw(seed, 5, 1))


@pytest.mark.task("quantize_weight")
def test_weight_scale_is_amax_over_127(answer, seed):
    """scale = amax / 127 for each row, whatever the size of its numbers."""
    sizes = torch.tensor([1e-30, 1e-12, 1e-3, 1.0, 50.0, 1e12]).view(-1, 1)
    w = draw(seed, 6, 40) * sizes
    _, scale = quantized(answer, w)
    want = as_float64(w.abs().amax(1, keepdim=True)) / 127
    expect_close(
        scale,
        want,
        atol=EPS * want,  # one rounding of the quotient, one of the reciprocal 1 / 127
        called="quantize_weight(w), rows from 1e-30 to 1e12",
        why="the largest |w| of a row maps to 127: no other divisor, no floor such as 1e-8",
    )


@pytest.mark.task("quantize_weight")
def test_weight_rounds_half_to_even(answer, seed):
    """x.5 goes to the even neighbor, as torch.round does."""
    halves = torch.tensor([0.5, 1.5, 2.5, 3.5, -0.5, -1.5, -2.5, 63.5, 126.5, 127.0])
    even = torch.tensor([0, 2, 2, 4, 0, -2, -2, 64, 126, 127])
    row = torch.randperm(10, generator=torch.Generator().manual_seed(seed))
    # Powers of two keep amax / 127 and w / scale exact, so that x.5 stays x.5.
    for size in (1.0, 2.0**-9, 2.0**20):
        codes, _ = quantized(answer, halves[row].repeat(3, 1) * size)
        expect_close(
            codes,
            even[row].repeat(3, 1).double(),
            atol=0,
            called=f"quantize_weight({size:g} * {halves[row].tolist()})",
            why="truncation, floor(x + 0.5) and rounding away from zero all bias the weights",
        )


@pytest.mark.task("quantize_weight")
def test_weight_codes_use_exactly_minus_127_to_127(answer, seed):
    """The largest |w| of a row gets +127 or -127, and -128 never appears."""
    w = draw(seed, 32, 50)
    w[:16] *= -1
    codes, _ = quantized(answer, w)
    at = as_float64(w.abs().argmax(1)).astype(int)
    rows = range(len(w))
    expect_close(
        codes[rows, at],
        127 * as_float64(w.sign())[rows, at],
        atol=0,
        called="quantize_weight(w), the code of the largest |w| in each row",
        why="a symmetric range uses 127 both ways; wrapping would turn 128 into -128",
    )
    expect(
        abs(codes).max() <= 127,
        called="quantize_weight(w)",
        expected="codes from -127 to 127",
        got=f"codes from {codes.min():g} to {codes.max():g}",
        why="-128 has no positive partner",
    )


@pytest.mark.task("quantize_weight")
def test_weight_error_is_at_most_half_a_step(answer, seed):
    """|codes * scale - w| is at most scale / 2, and is the rounding error, not zero."""
    w = draw(seed, 24, 500)
    codes, scale = quantized(answer, w)
    steps = abs(codes * scale - as_float64(w)) / scale
    expect(
        steps.max() <= HALF_STEP_7_BITS,
        called="max |codes * scale - w| / scale",
        expected="at most 0.5 steps",
        got=f"{steps.max():.4g} steps",
        why="rounding to the nearest code is never off by more than half a step",
    )
    # The error of a rounded number is uniform: rms step / sqrt(12) = 0.289. 12,000 draws put
    # it within 1 %; 10 % is far outside.
    rms = math.sqrt((steps**2).mean())
    expect(
        0.26 < rms < 0.32,
        called="rms of (codes * scale - w) / scale",
        expected="about 0.289 = 1 / sqrt(12)",
        got=f"{rms:.4g}",
        why="eight bits cannot hold these weights without rounding error",
    )


@pytest.mark.task("quantize_weight")
def test_weight_zero_row_gives_zeros(answer, seed):
    """An all-zero row gives zero codes and a finite positive scale; its neighbors are as before."""
    w = draw(seed, 4, 9)
    w[2] = 0
    for case, called in ((w, "w with one row of zeros"), (torch.zeros(3, 5), "torch.zeros(3, 5)")):
        codes, scale = quantized(answer, case)
        zero = as_float64(case.abs().amax(1)) == 0
        expect(
            ((scale > 0) & (scale < math.inf)).all(),
            called=f"quantize_weight({called})",
            expected="every scale finite and above 0",
            got=f"scale {scale.ravel().tolist()}",
            why="amax / 127 is 0 there, and 0 / 0 is NaN",
        )
        expect(
            (codes[zero] == 0).all(),
            called=f"quantize_weight({called})",
            expected="codes 0 in a row of zeros",
            got=codes[zero].tolist(),
            why="pruned and padded channels are all zero in real models",
        )
        steps = abs(codes * scale - as_float64(case)) / scale
        expect(
            steps.max() <= HALF_STEP_7_BITS,
            called=f"quantize_weight({called}), max |codes * scale - w| / scale",
            expected="at most 0.5 steps in every row",
            got=f"{steps.max():.4g} steps",
            why="one row of zeros must not disturb the others",
        )


@pytest.mark.task("quantize_weight")
def test_weight_denormal_rows_stay_finite(answer, seed):
    """Rows so small that amax / 127 leaves the normal range still get a usable scale."""
    ramp = torch.linspace(-1, 1, 9).double()
    sizes = torch.tensor([SMALLEST, 60 * SMALLEST, 1e-40, 1e-38], dtype=torch.float64).view(-1, 1)
    w = torch.cat([(ramp * sizes).float(), draw(seed, 1, 9)])
    codes, scale = quantized(answer, w)
    expect(
        ((scale > 0) & (scale < math.inf)).all(),
        called="quantize_weight(w), rows near 1e-45 to 1e-38",
        expected="every scale finite and above 0",
        got=f"scale {scale.ravel().tolist()}",
        why="amax / 127 underflows to 0 although amax is not 0: a floor at 2**-126 cures both",
    )
    error = abs(codes * scale - as_float64(w))
    expect(
        (error <= HALF_STEP_7_BITS * scale).all(),
        called="quantize_weight(w), rows near 1e-45 to 1e-38",
        expected="|codes * scale - w| at most half a step",
        got=f"{(error / scale).max():.4g} steps",
        why="codes made by dividing by 0 are not the weights",
    )


@pytest.mark.task("quantize_weight")
def test_weight_huge_values_do_not_overflow(answer, seed):
    """Weights near the float32 maximum (3.4e38) quantize like any others."""
    w = draw(seed, 4, 64)
    w = w / w.abs().amax(1, keepdim=True) * 3.3e38
    codes, scale = quantized(answer, w)
    steps = abs(codes * scale - as_float64(w)) / scale
    expect(
        steps.max() <= HALF_STEP_7_BITS,
        called="quantize_weight(w), w up to 3.3e38",
        expected="|codes * scale - w| at most 0.5 steps",
        got=f"{steps.max():.4g} steps",
        why="w * 127 is beyond float32: divide first",
    )


@pytest.mark.task("quantize_weight")
def test_weight_layout_in_memory_does_not_matter(answer, seed):
    """Transposed and strided views give the codes of their contiguous copies."""
    base = draw(seed, 12, 20)
    for view, called in ((base.t(), "base.t()"), (base[::2, 1::3], "base[::2, 1::3]")):
        got = quantized(answer, view, f"quantize_weight({called})")
        want = quantized(answer, view.contiguous(), f"quantize_weight({called}.contiguous())")
        for part, have, wish in zip(("codes", "scale"), got, want, strict=True):
            expect_close(
                have,
                wish,
                atol=0,
                called=f"quantize_weight({called}), {part}",
                why="a view is the same matrix, stored another way",
            )


@pytest.mark.task("quantize_weight")
def test_weight_outlier_channel_hurts_no_other(answer, seed):
    """Multiplying one row by 1000 changes neither scale nor codes of the other rows."""
    w = draw(seed, 16, 16)
    loud = w.clone()
    loud[5] *= 1000
    kept = [row for row in range(16) if row != 5]
    calm_codes, calm_scale = quantized(answer, w)
    codes, scale = quantized(answer, loud)
    why = "per output channel: each row has its own scale, so an outlier stays at home"
    called = "quantize_weight(w) with row 5 times 1000, the other rows"
    expect_close(scale[kept], calm_scale[kept], atol=0, called=f"{called}: scale", why=why)
    expect_close(codes[kept], calm_codes[kept], atol=0, called=f"{called}: codes", why=why)


@pytest.mark.task("quantize_weight")
def test_weight_half_precision_is_computed_in_float32(answer, seed):
    """float16 and bfloat16 weights give the codes and scales of their float32 copies."""
    for dtype in (torch.float16, torch.bfloat16):
        w = draw(seed, 8, 300).to(dtype)
        want_codes, want_scale = quantized(answer, w.float())
        codes, scale = quantized(answer, w, f"quantize_weight(w.to({dtype}))")
        why = "amax / 127 and w / scale lose digits in 16 bits: convert to float32 first"
        expect_close(scale, want_scale, atol=0, called=f"scale of a {dtype} weight", why=why)
        expect_close(codes, want_codes, atol=0, called=f"codes of a {dtype} weight", why=why)


@pytest.mark.task("quantize_weight")
def test_weight_is_left_untouched_without_a_graph(answer, seed):
    """w keeps its bits; the results carry no gradient history."""
    w = nn.Parameter(draw(seed, 5, 7))
    with expect_untouched(w, called="quantize_weight(w)"):
        codes, scale = answer.quantize_weight(w)
    expect(
        not scale.requires_grad and not codes.requires_grad,
        called="quantize_weight(nn.Parameter(w))",
        expected="requires_grad False",
        got=f"scale.requires_grad {scale.requires_grad}",
        why="a scale with a graph keeps the float weights alive",
    )


# quantize_activation


@pytest.mark.task("quantize_activation")
def test_activation_gives_uint8_codes_one_scale_one_zero_point(answer, seed):
    """Codes are uint8 in the shape of x; scale and zero_point are single numbers."""
    for shape in ((7,), (4, 9), (2, 3, 5)):
        activation(answer, draw(seed, *shape))


@pytest.mark.task("quantize_activation")
def test_activation_scale_spreads_the_range_over_255_steps(answer, seed):
    """scale = (high - low) / 255, where 0 always belongs to the range."""
    x = draw(seed, 40, 30)
    for case, called in ((x, "x"), (x.abs() + 3, "abs(x) + 3"), (-x.abs() - 3, "-abs(x) - 3")):
        _, scale, _ = activation(answer, case, f"quantize_activation({called})")
        want = spread(case)
        expect_close(
            scale,
            want,
            atol=3
            * EPS
            * want,  # a subtraction and a division, or two quotients and their difference
            called=f"quantize_activation({called}), scale",
            why="256 codes make 255 steps, and 0 is inside the range even if x never reaches it",
        )


@pytest.mark.task("quantize_activation")
def test_activation_error_is_at_most_half_a_step(answer, seed):
    """|(codes - zero_point) * scale - x| is at most scale / 2, at the ends too."""
    for number, shift in enumerate((0.0, 0.7, -2.0, 5.0)):
        x = draw(seed + number, 60, 50) + shift
        codes, scale, zero = activation(answer, x)
        steps = abs((codes - zero) - as_float64(x) / scale)
        expect(
            steps.max() <= HALF_STEP_8_BITS,
            called=f"quantize_activation(x), x around {shift:g}, largest error in steps",
            expected="at most 0.5 steps",
            got=f"{steps.max():.4g} steps",
            why="no value of x lies outside the range, so nothing is clipped",
        )
        rms = math.sqrt((steps**2).mean())
        expect(
            0.26 < rms < 0.32,
            called=f"quantize_activation(x), x around {shift:g}, rms error in steps",
            expected="about 0.289 = 1 / sqrt(12)",
            got=f"{rms:.4g}",
            why="3,000 random values cannot all lie on 256 levels",
        )


@pytest.mark.task("quantize_activation")
def test_activation_zero_is_exact(answer, seed):
    """0.0 gets the code zero_point, so it comes back as exactly 0.0."""
    for number in range(20):
        x = draw(seed + number, 50) + (number - 10) / 4
        x[7] = 0.0
        codes, _, zero = activation(answer, x)
        expect(
            codes[7] == zero,
            called="quantize_activation(x), the code of x[7] = 0.0",
            expected=f"zero_point {zero}",
            got=f"code {codes[7]:g}",
            why="ReLU outputs and padding are full of zeros: an error there repeats everywhere",
        )


@pytest.mark.task("quantize_activation")
def test_activation_one_sided_ranges_use_all_codes(answer, seed):
    """All-positive x has zero_point 0, all-negative x has zero_point 255."""
    x = draw(seed, 200).abs() + 2
    for case, zero_wanted, called in ((x, 0, "all positive"), (-x, 255, "all negative")):
        codes, _, zero = activation(answer, case)
        expect(
            zero == zero_wanted,
            called=f"quantize_activation(x), x {called}, zero_point",
            expected=zero_wanted,
            got=zero,
            why="the range runs from 0 to the far end, so 0 is at one end of the codes",
        )
        far = 255 - zero_wanted
        expect(
            far in codes,
            called=f"quantize_activation(x), x {called}",
            expected=f"code {far} for the value farthest from 0",
            got=f"codes from {codes.min():g} to {codes.max():g}",
            why="codes that nothing can reach are bits thrown away",
        )


@pytest.mark.task("quantize_activation")
def test_activation_constants_come_back(answer, seed):
    """A constant input, positive, negative or zero, comes back within half a step."""
    size = 1 + float(draw(seed, 1).abs())
    for constant in (size, -size, 0.0, 1e-12, -3e4):
        x = torch.full((3, 4), constant)
        codes, scale, zero = activation(answer, x, f"quantize_activation(full({constant:g}))")
        steps = abs((codes - zero) - as_float64(x) / scale)
        expect(
            steps.max() <= HALF_STEP_8_BITS,
            called=f"quantize_activation(torch.full((3, 4), {constant:g}))",
            expected=f"codes that stand for {constant:g}",
            got=f"codes {codes.ravel()[0]:g}, scale {scale:g}, zero_point {zero}",
            why="max - min is 0: without 0 in the range the scale is 0 and the codes are noise",
        )
        if constant == 0:
            expect_close(
                codes,
                torch.full((3, 4), float(zero)).double(),
                atol=0,
                called="quantize_activation(torch.zeros(3, 4))",
                why="every code of an all-zero input is the zero_point",
            )


@pytest.mark.task("quantize_activation")
def test_activation_extreme_ranges_stay_finite(answer, seed):
    """Values at both ends of float32, and denormal ones, give finite scales and right codes."""
    x = draw(seed, 64)
    x = x / x.abs().max()
    x[:2] = torch.tensor([-1.0, 1.0])
    for size in (3.3e38, 60 * SMALLEST, SMALLEST):
        case = (x.double() * size).float()
        codes, scale, zero = activation(answer, case, f"quantize_activation(x), |x| <= {size:.2g}")
        steps = abs((codes - zero) - as_float64(case) / scale)
        expect(
            steps.max() <= HALF_STEP_8_BITS,
            called=f"quantize_activation(x), |x| <= {size:.2g}, largest error in steps",
            expected="at most 0.5 steps",
            got=f"{steps.max():.4g} steps",
            why="high - low overflows float32, and high / 255 underflows to 0",
        )


@pytest.mark.task("quantize_activation")
def test_activation_half_precision_is_computed_in_float32(answer, seed):
    """A bfloat16 or float16 x gives the result of its float32 copy."""
    for dtype in (torch.float16, torch.bfloat16):
        x = draw(seed, 400).to(dtype)
        want = activation(answer, x.float())
        got = activation(answer, x, f"quantize_activation(x.to({dtype}))")
        for part, have, wish in zip(("codes", "scale", "zero_point"), got, want, strict=True):
            expect_close(
                have,
                wish,
                atol=0,
                called=f"quantize_activation(x.to({dtype})), {part}",
                why="255 steps need more digits than 16 bits carry: convert to float32 first",
            )


@pytest.mark.task("quantize_activation")
def test_activation_input_is_left_untouched_without_a_graph(answer, seed):
    """x keeps its bits, views are accepted, and nothing returned carries a graph."""
    x = draw(seed, 6, 8).t().requires_grad_()
    with expect_untouched(x, called="quantize_activation(x)"):
        triple = answer.quantize_activation(x)
    expect(
        not any(getattr(value, "requires_grad", False) for value in triple),
        called="quantize_activation(x) with x.requires_grad",
        expected="no result with requires_grad",
        got=[describe(value) for value in triple],
        why="inference keeps no history",
    )


# QuantizedLinear


@pytest.mark.task("QuantizedLinear")
def test_layer_stores_int8_in_a_quarter_of_the_bytes(answer, seed):
    """The state_dict holds the int8 codes; with scales and bias it is about a quarter as large."""
    linear = random_linear(seed, 512, 128)
    layer = answer.QuantizedLinear.from_float(linear)
    _, codes = stored(layer)
    expect_array(
        codes,
        like=torch.empty(128, 512, dtype=torch.int8),
        called="the int8 entry of the state_dict",
        why="one byte for each weight of [out, in]",
    )
    total = sum(v.numel() * v.element_size() for v in layer.state_dict().values())
    allowed = 128 * 512 + 3 * 4 * 128  # codes, then scale and bias, and room for one more column
    expect(
        total <= allowed,
        called="bytes of QuantizedLinear.from_float(Linear(512, 128)).state_dict()",
        expected=f"at most {allowed} (float32: {4 * (128 * 512 + 128)})",
        got=total,
        why="a file that also holds float weights is larger than before, not smaller",
    )


@pytest.mark.task("QuantizedLinear")
def test_layer_keeps_no_float_copy_of_the_weights(answer, seed):
    """Once the source is gone, no float tensor as large as the weights is left in memory."""
    n_in, n_out = 211, 97  # a product that nothing else has
    before = len(_float_tensors(n_in * n_out))
    linear = random_linear(seed, n_in, n_out)
    layer = answer.QuantizedLinear.from_float(linear)
    layer(draw(seed, 3, n_in))
    del linear
    kept = _float_tensors(n_in * n_out)
    expect(
        len(kept) == before,
        called="from_float(linear), one forward pass, del linear",
        expected="no float tensor with in * out numbers left alive",
        got=[describe(tensor) for tensor in kept],
        why="int8 codes beside a float copy use more memory than the float layer did",
    )


@pytest.mark.task("QuantizedLinear")
def test_layer_computes_with_its_codes(answer, seed):
    """Setting the stored codes to zero leaves the bias; negating them negates the rest."""
    linear = random_linear(seed, 48, 20)
    layer = answer.QuantizedLinear.from_float(linear)
    x = draw(seed + 2, 5, 48)
    first = as_float64(layer(x))
    name, codes = stored(layer)
    bias = as_float64(linear.bias)
    bound = _float32_bound(x, dequantized(layer, linear), bias)
    for factor, label in ((-1, "negated"), (0, "set to zero")):
        with torch.no_grad():
            layer.load_state_dict({**layer.state_dict(), name: codes.clone() * factor})
        want = bias + factor * (first - bias) if factor else bias + 0 * first
        expect_close(
            as_float64(layer(x)),
            want,
            atol=2 * bound,
            called=f"layer(x) with the int8 codes {label}",
            why="the output must come from the stored codes, not from float weights kept elsewhere",
        )
        with torch.no_grad():
            layer.load_state_dict({**layer.state_dict(), name: codes})


@pytest.mark.task("QuantizedLinear")
def test_layer_output_is_x_times_dequantized_weights(answer, seed):
    """layer(x) = x @ (codes * scale).T + bias, to float32 rounding."""
    for bias in (True, False):
        linear = random_linear(seed, 300, 70, bias=bias)
        layer = answer.QuantizedLinear.from_float(linear)
        x = draw(seed + 3, 32, 300)
        w = dequantized(layer, linear)
        b = as_float64(linear.bias) if bias else 0.0
        expect_close(
            layer(x),
            torch.from_numpy(as_float64(x) @ w.T + b).float(),
            atol=_float32_bound(x, w, b),
            called=f"QuantizedLinear.from_float(linear)(x), bias {bias}",
            why="only the weights are quantized: x and the sums stay in float32",
        )


@pytest.mark.task("QuantizedLinear")
def test_layer_differs_from_float_by_the_quantization_error(answer, seed):
    """The output is close to the float layer's, and off by what rounding the weights predicts."""
    linear = random_linear(seed, 400, 60)
    layer = answer.QuantizedLinear.from_float(linear)
    x = draw(seed + 4, 200, 400)
    exact = as_float64(x) @ as_float64(linear.weight).T + as_float64(linear.bias)
    error = as_float64(layer(x)) - exact
    # A weight is off by a uniform error of variance scale^2 / 12, so an output is off by
    # |x| * scale / sqrt(12). 12,000 outputs put the ratio within a few percent of 1.
    scale = as_float64(linear.weight.abs().amax(1)) / 127
    norms = as_float64(x.norm(dim=1)).reshape(-1, 1)
    ratio = math.sqrt(((error / (norms * scale)) ** 2).mean() * 12)
    expect(
        0.8 < ratio < 1.25,
        called="rms of layer(x) - linear(x), as a multiple of the predicted |x| scale / sqrt(12)",
        expected="about 1",
        got=f"{ratio:.4g}",
        why="far above: a coarser scale than each row needs; near 0: nothing was quantized",
    )


@pytest.mark.task("QuantizedLinear")
def test_layer_takes_any_leading_shape(answer, seed):
    """[..., in] gives float32 [..., out]: one vector, an empty batch, three axes, 16-bit inputs."""
    linear = random_linear(seed, 12, 7)
    layer = answer.QuantizedLinear.from_float(linear)
    w, bias = dequantized(layer, linear), as_float64(linear.bias)
    x = draw(seed, 2, 3, 12)
    cases = [x, x[0, 0], x[:0], x[:, :0], x.transpose(0, 1), x.half(), x.bfloat16()]
    for case in cases:
        called = f"layer(x), x {describe(case)}"
        why = "a layer is called on tokens, on batches, and on the last, possibly empty, batch"
        got = layer(case)
        expect_array(got, like=torch.empty(*case.shape[:-1], 7), called=called, why=why)
        if case.numel():
            want = torch.from_numpy(as_float64(case) @ w.T + bias).float()
            expect_close(
                got,
                want,
                atol=_float32_bound(case, w, bias),
                called=called,
                why="each vector is on its own, and 16-bit inputs are computed in float32",
            )


@pytest.mark.task("QuantizedLinear")
def test_layer_state_dict_fills_a_fresh_layer(answer, seed):
    """A fresh QuantizedLinear(in, out, bias) loads the state_dict and answers the same."""
    for bias in (True, False):
        linear = random_linear(seed, 20, 9, bias=bias)
        layer = answer.QuantizedLinear.from_float(linear)
        fresh = answer.QuantizedLinear(20, 9, bias=bias)
        fresh.load_state_dict({name: v.clone() for name, v in layer.state_dict().items()})
        x = draw(seed + 5, 4, 20)
        expect_close(
            fresh(x),
            layer(x),
            atol=0,
            called=f"QuantizedLinear(20, 9, bias={bias}) after load_state_dict",
            why="what is not in the state_dict is lost between quantizing and serving",
        )


@pytest.mark.task("QuantizedLinear")
def test_layer_keeps_the_bias_in_float32(answer, seed):
    """The bias is stored in float32, bit for bit; without a bias none is stored."""
    linear = random_linear(seed, 16, 11)
    state = answer.QuantizedLinear.from_float(linear).state_dict()
    bias = as_float64(linear.bias)
    expect(
        any(v.dtype == torch.float32 and _same(v, bias) for v in state.values()),
        called="QuantizedLinear.from_float(linear).state_dict()",
        expected="the bias of linear, float32",
        got={name: describe(value) for name, value in state.items()},
        why="the bias is out numbers: quantizing it saves nothing and shifts every output",
    )
    bare = answer.QuantizedLinear.from_float(random_linear(seed, 16, 11, bias=False))
    expect(
        len(bare.state_dict()) == 2,
        called="QuantizedLinear.from_float(nn.Linear(16, 11, bias=False)).state_dict()",
        expected="codes and scale only",
        got={name: describe(value) for name, value in bare.state_dict().items()},
        why="most layers of a language model have no bias",
    )


@pytest.mark.task("QuantizedLinear")
def test_layer_leaves_the_source_alone(answer, seed):
    """from_float and forward change nothing in linear or x, and no memory is shared."""
    linear = random_linear(seed, 14, 6)
    x = draw(seed, 3, 14)
    with expect_untouched(linear, x, called="QuantizedLinear.from_float(linear)(x)"):
        layer = answer.QuantizedLinear.from_float(linear)
        before = as_float64(layer(x))
    with torch.no_grad():
        linear.weight.zero_()
        linear.bias.zero_()
    expect_close(
        as_float64(layer(x)),
        before,
        atol=0,
        called="layer(x) after linear.weight and linear.bias were set to zero",
        why="the quantized layer owns its numbers: copy what you keep",
    )


def _float32_bound(x: Tensor, w, bias):
    """A float32 dot product of n terms is off by at most (n + 4) eps sum |x w|, bias included."""
    terms = abs(as_float64(x)) @ abs(w).T + abs(bias)
    return (w.shape[1] + 4) * EPS * terms


def _float_tensors(size: int) -> list[Tensor]:
    """Every live floating-point tensor of `size` numbers, whoever holds it."""
    gc.collect()
    tensors = [thing for thing in gc.get_objects() if issubclass(type(thing), Tensor)]
    return [t for t in tensors if t.is_floating_point() and t.numel() == size]
