"""What the quantizers and `QuantizedLinear` must do, one claim a check.

Three suites hold what is true of every quantizer and every such layer: read their claims in
halfbits/course/checks/: quantizers.py, activations.py and layers.py.
"""

import math

import torch

from halfbits.course.checks import (
    activations,
    calls,
    cases,
    expect,
    layers,
    quantizers,
    task,
    tolerance,
)
from halfbits.course.checks.cases import each

weight = quantizers.SymmetricRows("quantize_weight", bits=8)
activation = activations.AffineTensor("quantize_activation")
layer = layers.WeightOnlyLinear("QuantizedLinear")
weight_again = calls.Calls("quantize_weight", lambda seed: (cases.sized(seed, 6, 9),))
activation_again = calls.Calls("quantize_activation", lambda seed: (cases.sized(seed, 50),))
layer_again = calls.Calls(
    "QuantizedLinear",
    lambda seed: (cases.linear(seed, 6, 5), cases.normal(seed + 9, 4, 6)),
    through=lambda kind, linear, x: kind.from_float(linear)(x).detach(),
)


@task("quantize_weight")
def test_weight_rounds_half_to_even(answer, seed):
    """x.5 goes to the even neighbor, as torch.round does.

    Truncation, floor(x + 0.5) and rounding away from zero all bias the weights.
    """
    for w, even in each(cases.halves(seed, top=127)):
        expect.same(weight.coded(answer, w).codes, even.double(), of="codes")


@task("quantize_weight")
def test_weight_codes_use_exactly_minus_127_to_127(answer, seed):
    """The largest |w| of a row gets +127 or -127, and -128 never appears.

    A symmetric range uses 127 both ways, so that -w gets the negated code; wrapping would turn
    128 into -128, which has no positive partner.
    """
    w = cases.normal(seed, 32, 50)
    w[:16] *= -1
    codes, at = torch.from_numpy(weight.coded(answer, w).codes), w.abs().argmax(1, keepdim=True)
    want = 127 * w.gather(1, at).sign().double()
    expect.same(codes.gather(1, at), want, of="the code of each row's largest |w|")
    expect.within(codes, -127, 127, of="codes")


@task("quantize_activation")
def test_activation_scale_spreads_the_range_over_255_steps(answer, seed):
    """scale = (high - low) / 255, where 0 always belongs to the range.

    256 codes make 255 steps, and 0 is inside the range even if x never reaches it.
    """
    x = cases.normal(seed, 40, 30)
    shifted = {"all above 3": x.abs() + 3, "all below -3": -x.abs() - 3}
    for case in each(cases.matrices(seed) | shifted):
        want = (max(case.max().item(), 0.0) - min(case.min().item(), 0.0)) / 255
        # A subtraction and a division, or two quotients and their difference.
        room = 3 * tolerance.eps() * want
        expect.close(activation.coded(answer, case).scale, want, atol=room, of="scale")


@task("QuantizedLinear")
def test_layer_stores_int8_in_a_quarter_of_the_bytes(answer, seed):
    """The state_dict holds the int8 codes; with scales and bias it is about a quarter as large.

    A file that also holds float weights is larger than before, not smaller.
    """
    quantized = layer.of(answer, cases.linear(seed, 512, 128))
    expect.array(layers.codes_of(quantized)[1], torch.int8, [128, 512], of="the codes")
    allowed = 128 * 512 + 3 * 4 * 128  # codes, then scale and bias, and room for one more column
    expect.at_most(layers.nbytes(quantized), allowed, "bytes", of="the state_dict")


@task("QuantizedLinear")
def test_layer_differs_from_float_by_the_quantization_error(answer, seed):
    """The output is close to the float layer's, and off by what rounding the weights predicts.

    Far above: a coarser scale than each row needs; near 0: nothing was quantized.
    """
    linear, x = cases.linear(seed, 400, 60), cases.normal(seed + 4, 200, 400)
    error = layer.of(answer, linear)(x) - linear.double()(x.double())
    # A weight is off by a uniform error of variance scale**2 / 12, so an output is off by
    # |x| * scale / sqrt(12). 12,000 outputs put the ratio within a few percent of 1.
    scale = linear.weight.abs().amax(1) / 127
    rms = math.sqrt(((error / (x.norm(dim=1, keepdim=True) * scale)) ** 2).mean())
    expect.within(rms * math.sqrt(12), 0.8, 1.25, of="error over |x| scale / sqrt(12)")
