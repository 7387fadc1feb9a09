"""What `fake_quantize` must do, forward and backward, one claim a check."""

import torch

from halfbits.course.checks import calls, cases, expect, hardened, tolerance
from halfbits.course.checks.cases import each

TASK = "fake_quantize"
# (scale, bits): the range ends at (2 ** (bits - 1) - 1) * scale.
SCALES = dict(zip(range(2, 9), (4.0, 0.25, 1.0, 2.0**-12, 1024.0, 0.125, 2.0**-6), strict=True))
RANGES = {f"{bits} bits, scale {scale:g}": (scale, bits) for bits, scale in SCALES.items()}
again = calls.Calls("fake_quantize", lambda seed: (cases.sized(seed, 9), 0.25, 4))


def end(scale, bits):
    """The largest value that the codes reach."""
    return (2 ** (bits - 1) - 1) * scale


def values(answer, x, scale, bits):
    """The result, once its values are right, and with them its type and shape."""
    got = answer.fake_quantize(x, scale, bits)
    limit = end(scale, bits)
    want = (torch.round(x.detach() / scale) * scale).clamp(-limit, limit)
    # The trick x + (rounded - x) rounds twice, at the size of x.
    expect.close(got, want, atol=2 * tolerance.eps() * (want.abs() + x.detach().abs()))
    return got


def gradient(answer, x, scale, bits, upstream):
    """The gradient of x for this gradient of the result."""
    x = x.clone().requires_grad_()
    got = values(answer, x, scale, bits)
    traced = "a result that autograd can go back from"
    expect.true(got.requires_grad, expected=traced, got="requires_grad False")
    got.backward(upstream)
    return torch.zeros_like(x) if x.grad is None else x.grad


def test_forward_rounds_and_clamps(answer, seed):
    """Values are multiples of the scale, the nearest ones, and end at top * scale.

    The network must see what it will see after quantization.
    """
    for scale, bits in each(RANGES):
        for shape in ((200,), (6, 7), (2, 3, 4), (), (1, 9), (5, 1), (6, 6)):
            values(answer, cases.normal(seed, *shape) * end(scale, bits), scale, bits)


def test_gradient_passes_unchanged_inside(answer, seed):
    """Inside the range the gradient of x is that of the result, bit by bit.

    The rounding itself has a gradient of 0, with which nothing would be learned.
    """
    for scale, bits in each(RANGES):
        x = (cases.normal(seed, 50, 4).clamp(-1.9, 1.9) / 2) * end(scale, bits)
        upstream = cases.normal(seed + 1, 50, 4)
        got = gradient(answer, x, scale, bits, upstream)
        expect.same(got, upstream, of="gradient of x by the result")


def test_gradient_is_zero_outside(answer, seed):
    """From half a step beyond the last code on, on both sides, the gradient is 0.

    The result does not depend on x there; a gradient would push x out further and further.
    """
    for scale, bits in each(RANGES):
        beyond = cases.normal(seed, 40).abs() * 3 * end(scale, bits)
        beyond[seed % 20], beyond[20 + seed % 20] = 0, 0  # exactly half a step beyond
        x = (beyond + end(scale, bits) + 0.5 * scale) * cases.normal(seed + 2, 40).sign()
        got = gradient(answer, x, scale, bits, cases.normal(seed + 1, 40))
        expect.same(got, torch.zeros(40), of="gradient of x by the result")


def test_each_value_has_its_own_gradient(answer, seed):
    """Inside and outside may be mixed in one tensor; one value outside stops no other.

    Layers have outliers, and the rest has to learn.
    """
    for scale, bits in each(RANGES):
        inside = torch.arange(60).view(20, 3) % (3 + seed % 4) > 0
        size = torch.where(inside, 0.9, 4.0) * end(scale, bits) + torch.where(inside, 0.0, scale)
        upstream = cases.normal(seed + 1, 20, 3)
        x = size * cases.normal(seed, 20, 3).sign()
        got = gradient(answer, x, scale, bits, upstream)
        expect.same(got, torch.where(inside, upstream, 0.0), of="gradient of x by the result")


def test_input_is_left_alone_and_no_graph_is_made_up(answer, seed):
    """x keeps its bits and its gradient; without requires_grad the result has no history either.

    Inference uses the same function.
    """
    for scale, bits in each(RANGES):
        x = cases.normal(seed, 5, 6) * 2 * end(scale, bits)
        for view in (x, x.t(), x[:, ::2]):
            with expect.untouched(view):
                expect.no_graph(values(answer, view, scale, bits))
        trained = x.clone().requires_grad_()
        trained.grad = torch.ones_like(x)
        with expect.untouched(trained):
            values(answer, trained, scale, bits)


def test_calls_do_not_share_a_backward_pass(answer, seed):
    """Two results are traced back after both were computed, and each has its own gradient.

    A model calls it for every layer before the first gradient flows.
    """
    for scale, bits in each(RANGES):
        inside = cases.normal(seed, 30).clamp(-1.9, 1.9).div(2) * end(scale, bits)
        first, second = inside.clone().requires_grad_(), (4 * inside.sign() * end(scale, bits))
        second.requires_grad_()
        results = [values(answer, x, scale, bits) for x in (first, second)]
        upstream = cases.normal(seed + 1, 30)
        for result in results:
            expect.true(result.requires_grad, expected="a history", got="requires_grad False")
            result.backward(upstream)
        expect.same(first.grad, upstream, of="gradient of the first x by the result")
        far = torch.zeros(30) if second.grad is None else second.grad
        expect.same(far, torch.zeros(30), of="gradient of the second x by the result")


@hardened
def test_infinities_get_the_last_codes_and_no_gradient(answer, seed):
    """An infinite or huge x gives top * scale with its sign, and a gradient of 0, not NaN.

    x + (rounded - x) is infinity minus infinity there, and a code of 3e9 is beyond an int32.
    """
    for scale, bits in each(RANGES):
        x, far = cases.normal(seed, 18).clamp(-0.9, 0.9) * end(scale, bits), seed % 6
        huge = torch.tensor([3e9, 1e20, torch.inf]) * scale
        x[far : far + 3], x[9 + far : 12 + far] = huge, -huge
        inside, upstream = x.abs() < end(scale, bits), cases.normal(seed + 1, 18)
        x.requires_grad_()
        got = answer.fake_quantize(x, scale, bits)
        want = (torch.round(x.detach() / scale) * scale).clamp(-end(scale, bits), end(scale, bits))
        expect.close(got, want, atol=2 * tolerance.eps() * end(scale, bits))
        got.backward(upstream)
        expect.same(x.grad, torch.where(inside, upstream, 0.0), of="gradient of x by the result")


@hardened
def test_views_and_empty_tensors_pass_their_gradient(answer, seed):
    """Scalars, single rows, empty tensors and views have gradients of their shape.

    Biases, unused experts and transposed weights are quantized as well.
    """
    for scale, bits in each(RANGES):
        base = cases.normal(seed, 6, 8).clamp(-1.9, 1.9).div(2) * end(scale, bits)
        for part in (base.t(), base[::2, 1::3], base[:1], base[:, :1], base[0, 0], base[:0]):
            x = part.detach().requires_grad_()
            upstream = torch.ones(part.shape)
            values(answer, x, scale, bits).backward(upstream)
            expect.same(x.grad, upstream, of="gradient of x by the result")
