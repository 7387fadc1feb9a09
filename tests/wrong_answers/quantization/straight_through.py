"""Wrong answers to quantization/straight_through: each is one misconception."""

TOP = "top = 2 ** (bits - 1) - 1"
CLAMP = "x.clamp(-top * scale, top * scale)"
ROUNDED = "torch.round(inside / scale) * scale"
RESULT = "return inside + (rounded - inside).detach()"
ALL = "return x + (rounded - x).detach()"

EQUIVALENT = {}

MASKED = """
class Rounded(torch.autograd.Function):
    seen = None
    @staticmethod
    def forward(ctx, x, scale, top):
        ctx.seen = Rounded.seen = (x / scale).abs() <= top
        return torch.round(x / scale).clamp(-top, top) * scale
    @staticmethod
    def backward(ctx, gradient):
        return gradient * SEEN, None, None
def fake_quantize(x, scale, bits):
    return Rounded.apply(x, scale, 2 ** (bits - 1) - 1)
"""

WRONG = {
    "test_forward_rounds_and_clamps": [
        ("not clamped", "after quantization", CLAMP, "x * 1.0"),
        ("codes without their scale", "after quantization", ROUNDED, "torch.round(inside / scale)"),
        ("as many levels each way as codes", "expected", TOP, "top = 2**bits - 1"),
        ("one code more below", "expected", CLAMP, "x.clamp(-(top + 1) * scale, top * scale)"),
        ("truncated", "expected", ROUNDED, "torch.trunc(inside / scale) * scale"),
        (
            "zeros for a single row or column",
            "expected",
            RESULT,
            f"{RESULT} * (x.dim() != 2 or 1 not in x.shape)",
        ),
        ("not rounded", "expected", RESULT, "return inside * 1.0"),
    ],
    "test_gradient_passes_unchanged_inside": [
        ("the gradient of the rounding", "nothing would be learned", RESULT, "return rounded"),
        ("all of it detached", "autograd can go back", RESULT, "return rounded.detach()"),
        (
            "a gradient in steps",
            "of x by the result",
            RESULT,
            "return inside / scale + (rounded - inside / scale).detach()",
        ),
        (
            "a soft mask",
            "of x by the result",
            RESULT,
            "soft = top * scale * torch.tanh(x / (top * scale))\n"
            "    return soft + (rounded - soft).detach()",
        ),
    ],
    "test_gradient_is_zero_outside": [
        ("passes everywhere", "further and further", RESULT, ALL),
        (
            "stopped above alone",
            "further and further",
            RESULT,
            "above = x.clamp(max=top * scale)\n    return above + (rounded - above).detach()",
        ),
        (
            "passes at the tie",
            "further and further",
            MASKED.replace("SEEN", "ctx.seen").replace("<= top", "<= top + 0.5"),
        ),
        (
            "leaks a little",
            "further and further",
            RESULT,
            "return inside + (rounded - inside).detach() + 0.01 * (x - x.detach())",
        ),
    ],
    "test_each_value_has_its_own_gradient": [
        (
            "all or nothing",
            "the rest has to learn",
            RESULT,
            "return inside + (rounded - inside).detach() if x.abs().max() <= top * scale "
            "else rounded.detach() + 0 * x",
        ),
        (
            "a mask by rows",
            "the rest has to learn",
            RESULT,
            "rows = (x.abs() <= top * scale).all(-1, keepdim=True)\n"
            "    kept = torch.where(rows, x, x.detach())\n"
            "    return kept + (rounded - kept).detach()",
        ),
    ],
    "test_input_is_left_alone_and_no_graph_is_made_up": [
        ("clamps in place", "left as it was", CLAMP, "x.data.clamp_(-top * scale, top * scale)"),
        ("begins without a gradient", "left as it was", TOP, f"{TOP}\n    x.grad = None"),
        ("asks for a gradient", "requires_grad", CLAMP, f"x.clone().requires_grad_().{CLAMP[2:]}"),
    ],
    "test_calls_do_not_share_a_backward_pass": [
        ("the mask of the last call", "every layer", MASKED.replace("SEEN", "Rounded.seen")),
    ],
    "test_infinities_get_the_last_codes_and_no_gradient": [
        (
            "a difference of infinities",
            "NaN",
            RESULT,
            "return torch.where(x.abs() <= top * scale, x, x.detach()) + (rounded - x).detach()",
        ),
        (
            "codes through an int32",
            "expected",
            ROUNDED,
            "(x / scale).nan_to_num(0, 99, -99).round().long().int().clamp(-top, top) * scale",
        ),
        ("0 for what is not finite", "expected", CLAMP, f"x.nan_to_num(0, 0, 0){CLAMP[1:]}"),
    ],
    "test_views_and_empty_tensors_pass_their_gradient": [
        ("needs one block of memory", "raised", CLAMP, f"x.view(-1).view(x.shape){CLAMP[1:]}"),
        (
            "no gradient for a single row or column",
            "expected",
            CLAMP,
            f"(x.detach() + 0 * x if x.dim() == 2 and 1 in x.shape else x){CLAMP[1:]}",
        ),
        ("by the largest of all", "raised", RESULT, f"x.abs().max()\n    {RESULT}"),
    ],
    "test_again_reads_its_arguments_at_every_call": [
        (
            "remembers by address",
            "is used again",
            ROUNDED,
            f"fake_quantize.__dict__.setdefault(x.data_ptr(), {ROUNDED})",
        ),
    ],
}
