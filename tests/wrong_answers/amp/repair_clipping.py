"""Wrong answers to amp/repair_clipping: each is one misconception."""

BACK = "(loss * scale).backward()"
UNSCALE = "    for parameter in parameters:\n        parameter.grad /= scale\n"
CLIP = "torch.nn.utils.clip_grad_norm_(parameters, max_norm)"
STEP = "parameter -= lr * parameter.grad"
FINITE = "if length.isfinite():"
GONE = "parameter.grad = None"
RESULT = "return length.item()"

EQUIVALENT = {}

WRONG = {
    "test_step_does_not_depend_on_the_scale": [
        ("as it came", "stands still", UNSCALE, "", STEP, f"{STEP} / scale"),
        ("unscaled twice", "stands still", STEP, f"{STEP} / scale"),
        ("never unscaled", "stands still", UNSCALE, ""),
        (
            "a limit for scaled gradients, true length",
            "expected",
            UNSCALE,
            "",
            CLIP,
            "torch.nn.utils.clip_grad_norm_(parameters, max_norm * scale)",
        ),
        ("the scale is squared", "expected", BACK, "(loss * scale * scale).backward()"),
        (
            "a larger learning rate for it",
            "expected",
            UNSCALE,
            "",
            STEP,
            STEP.replace("lr", "lr * scale"),
        ),
    ],
    "test_gradient_below_the_limit_is_not_clipped": [
        (
            "always brought to the limit",
            "expected",
            CLIP,
            "torch.stack([p.grad.norm() for p in parameters]).norm()\n"
            "    for p in parameters:\n        p.grad *= max_norm / length",
        ),
        ("the scale is left out", "expected", BACK, "loss.backward()"),
    ],
    "test_length_is_that_of_all_gradients_together": [
        (
            "each by itself",
            "go another way",
            CLIP,
            "torch.stack("
            "[torch.nn.utils.clip_grad_norm_([p], max_norm) for p in parameters]).norm()",
        ),
        (
            "number by number",
            "go another way",
            CLIP,
            "torch.stack([p.grad.norm() for p in parameters]).norm()\n"
            "    torch.nn.utils.clip_grad_value_(parameters, max_norm)",
        ),
        ("the largest number for the length", "expected", "max_norm)", "max_norm, torch.inf)"),
        (
            "the sum of the lengths",
            "expected",
            CLIP,
            f"sum(p.grad.norm() for p in parameters)\n    {CLIP}",
        ),
        ("the clipped length", "expected", RESULT, "return min(length.item(), max_norm)"),
    ],
    "test_step_with_an_infinite_gradient_is_left_out": [
        ("taken all the same", "costs one step", FINITE, "if True:"),
        ("infinite alone is looked for", "costs one step", FINITE, "if not length.isinf():"),
        (
            "the length hides it",
            "not finite",
            RESULT,
            "return length.nan_to_num(posinf=0.0).item()",
        ),
    ],
    "test_gradients_are_gone_and_parameters_stay_leaves": [
        ("gradients are kept", "starts from nothing", GONE, "pass"),
        ("gradients of zero", "starts from nothing", GONE, "parameter.grad.zero_()"),
        (
            "gradients of a step that was left out",
            "starts from nothing",
            GONE,
            "parameter.grad = None if length.isfinite() else parameter.grad",
        ),
        (
            "new memory for a parameter",
            "change in place",
            STEP,
            "parameter.data = parameter.data - lr * parameter.grad",
        ),
        (
            "no more gradients",
            "requires_grad",
            GONE,
            f"{GONE}\n            parameter.requires_grad_(False)",
        ),
        (
            "new tensors in the list",
            "the same tensors",
            RESULT,
            "parameters[:] = [p.detach().clone().requires_grad_() for p in parameters]\n    "
            + RESULT,
        ),
    ],
    "test_small_gradients_arrive_through_float16": [
        ("no scale at all", "on its way back", BACK, "loss.backward()", UNSCALE, ""),
    ],
    "test_zero_gradients_and_no_limit_are_fine": [
        (
            "divides by the length",
            "raised",
            CLIP,
            "torch.stack([p.grad.norm() for p in parameters]).norm()\n"
            "    for p in parameters:\n        p.grad *= min(1.0, max_norm / length.item())",
        ),
    ],
}
