"""Right answers to amp/repair_clipping, each in its own style."""

from halfbits.course.authoring.contract import swap

BY_HAND = """
import torch
def train_step(parameters, loss, scale, max_norm, lr):
    scaled = torch.autograd.grad(loss * scale, parameters)
    grads = [g.double() / scale for g in scaled]
    length = torch.cat([g.flatten() for g in grads]).norm().item()
    if length < float("inf"):
        factor = min(1.0, max_norm / length) if length else 1.0
        for p, g in zip(parameters, grads, strict=True):
            p.data.sub_((lr * factor * g).float())
    return length
"""
LIMIT = """
import torch
def train_step(parameters, loss, scale, max_norm, lr):
    torch.mul(loss, scale).backward()
    length = torch.nn.utils.clip_grad_norm_(parameters, max_norm * scale) / scale
    if torch.isfinite(length):
        with torch.no_grad():
            for p in parameters:
                p.sub_(p.grad, alpha=lr / scale)
    for p in parameters:
        p.grad = None
    return float(length)
"""
OPTIMIZER = """
import math
import torch
def train_step(parameters, loss, scale, max_norm, lr):
    optimizer = torch.optim.SGD(parameters, lr=lr)
    optimizer.zero_grad()
    (scale * loss).backward()
    torch._foreach_div_([p.grad for p in parameters], scale)
    length = float(torch.nn.utils.clip_grad_norm_(parameters, max_norm))
    if math.isfinite(length):
        optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return length
"""

RIGHT = {
    "autograd.grad and a factor by hand": BY_HAND,
    "a limit times the scale, the step divided": LIMIT,
    "an optimizer": OPTIMIZER,
    "a product": swap("train_step", "parameter.grad /= scale", "parameter.grad.mul_(1 / scale)"),
}
