"""What `train_step` must do once it is mended, one claim a check."""

import math

import torch

from halfbits.course.checks import cases, context, expect, hardened, tolerance
from halfbits.course.checks.cases import each

TASK = "train_step"
SCALES = cases.named(1.0, 128.0, 65536.0, 0.25)
LR = 0.125
IN_PLACE = "A tied weight or an average that shares the memory must see the step: change in place."
PAIR = ((4, 3), (5,))
LISTS = {"one parameter": ((7,),), "two": PAIR, "three, one a number": ((2, 3), (), (4,))}


def model(seed, size, shapes=PAIR):
    """Parameters with gradients whose total length is `size`, and their gradients."""
    parameters = [cases.normal(seed + i, *shape) for i, shape in enumerate(shapes)]
    if shapes is PAIR:
        parameters[0] = parameters[0].T.contiguous().T  # a tied weight may lie transposed
    gradients = [cases.normal(seed + 9 + i, *shape) for i, shape in enumerate(shapes)]
    length = torch.cat([g.flatten() for g in gradients]).double().norm()
    gradients = [(g.double() * size / length).float() for g in gradients]
    return [p.requires_grad_() for p in parameters], gradients


def stepped(answer, parameters, gradients, scale, max_norm):
    """The length that the answer returns for a loss with these gradients."""
    loss = sum((p * g).sum() for p, g in zip(parameters, gradients, strict=True))
    return taken(answer, parameters, loss, scale, max_norm)


def taken(answer, parameters, loss, scale, max_norm):
    """The length that the answer returns; the parameters are the caller's own, ready for more."""
    given, views = list(parameters), [p.detach() for p in parameters]
    with context.in_place():
        length = answer.train_step(given, loss, scale, max_norm, LR)
    expect.equal(type(length).__name__, "float", of="type")
    own = len(given) == len(parameters) and all(map(lambda a, b: a is b, given, parameters))
    expect.true(own, expected="the same tensors in the list", got="others", of="parameters after")
    for parameter in parameters:
        expect.true(parameter.grad is None, expected="None", got=parameter.grad, of=".grad")
        expect.true(parameter.is_leaf, expected="a leaf", got="a result of others")
        expect.true(parameter.requires_grad, expected="requires_grad True", got="False")
    for parameter, view in zip(parameters, views, strict=True):
        if parameter.isfinite().all():  # NaN is what other checks tell of
            expect.same(view, parameter.detach(), of="a view from before the step", why=IN_PLACE)
    return length


def right(answer, seed, size, scale, max_norm, shapes=PAIR):
    """Parameters move by lr times the clipped gradient, and the length is the true one."""
    parameters, gradients = model(seed, size, shapes)
    before = [p.detach().double().clone() for p in parameters]
    length = stepped(answer, parameters, gradients, scale, max_norm)
    share = min(1.0, max_norm / size)
    # A norm of 17 numbers, a factor, two products and a difference; 1e-6 is in clip_grad_norm_.
    room = 64 * tolerance.eps() + 1e-6 / size
    expect.close(length, size, atol=room * size, of="length")
    for old, new, g in zip(before, parameters, gradients, strict=True):
        step = LR * share * g.double()
        atol = room * step.abs() + 2 * tolerance.eps() * old.abs()
        expect.close(new.detach().double(), old - step, atol=atol, of="parameters after")


def test_step_does_not_depend_on_the_scale(answer, seed):
    """A gradient above the limit gives a step of length lr * max_norm with every scale.

    If the scaled gradient is clipped, the step is shorter by the scale: training stands still.
    """
    for scale in each(SCALES):
        for size, max_norm in ((6.0, 1.0), (40.0, 2.0)):
            right(answer, seed, size, scale, max_norm)


def test_gradient_below_the_limit_is_not_clipped(answer, seed):
    """A gradient shorter than the limit gives the plain step, with every scale.

    Its scaled copy may be far above the limit.
    """
    for scale in each(SCALES):
        for size, max_norm in ((0.5, 1.0), (3.0, 100.0)):
            right(answer, seed, size, scale, max_norm)


def test_length_is_that_of_all_gradients_together(answer, seed):
    """Two parameters are clipped by one factor, and the direction of the step stays.

    Clipped each by itself, or number by number, the step would go another way.
    """
    for scale in each(SCALES):
        parameters, gradients = model(seed, 8.0)
        gradients[0] = gradients[0] * 30
        size = math.hypot(*(float(g.double().norm()) for g in gradients))
        before = [p.detach().clone() for p in parameters]
        length = stepped(answer, parameters, gradients, scale, 1.0)
        expect.close(length, size, atol=1e-5 * size, of="length")
        moved = zip(before, parameters, strict=True)
        step = torch.cat([(old - new.detach()).flatten() for old, new in moved])
        along = torch.cat([g.flatten() for g in gradients]) / size * LR
        expect.close(step, along, atol=1e-5, of="step of the parameters")


def test_step_with_an_infinite_gradient_is_left_out(answer, seed):
    """Where the gradient is not finite, parameters keep their bits, and the length says so.

    A scale that was too large costs one step, not the model.
    """
    for scale in each(SCALES):
        for bad in (math.inf, math.nan):
            parameters, gradients = model(seed, 2.0)
            gradients[1][2] = bad
            before = [p.detach().clone() for p in parameters]
            length = stepped(answer, parameters, gradients, scale, 1.0)
            expect.true(not math.isfinite(length), expected="not finite", got=length, of="length")
            for old, new in zip(before, parameters, strict=True):
                expect.same(new.detach(), old, of="parameters after")


def test_gradients_are_gone_and_parameters_stay_leaves(answer, seed):
    """After a step, taken or left out, every .grad is None; the tensors are the same leaves.

    The next step starts from nothing, with the caller's own tensors, which still ask for gradients.
    """
    for shapes in each(LISTS):
        right(answer, seed, 2.0, 128.0, 1.0, shapes)
        for bad in (math.inf, math.nan):
            parameters, gradients = model(seed, 2.0, shapes)
            gradients[-1] = gradients[-1] * bad
            stepped(answer, parameters, gradients, 128.0, 1.0)


def test_small_gradients_arrive_through_float16(answer):
    """A gradient below the smallest float16 arrives, since the backward pass carries the scale.

    Without the scale it is rounded to 0 on its way back, and the model learns nothing.
    """
    for scale in each(cases.named(1024.0, 4096.0)):
        parameter = torch.zeros(6).requires_grad_()
        # Backwards scale * 2**-12 * 2**-14: without the scale, a quarter of the smallest float16.
        loss = (parameter.half() * 2.0**-14 * 2.0**-12).sum().float()
        length = taken(answer, [parameter], loss, scale, 1.0)
        want, room = 2.0**-26, 16 * tolerance.eps() * 2.0**-26
        expect.close(length, want * math.sqrt(6), atol=room * 3, of="length")
        moved = torch.full((6,), -LR * want)
        expect.close(parameter.detach(), moved, atol=room, of="parameters after")


@hardened
def test_zero_gradients_and_no_limit_are_fine(answer, seed):
    """Gradients of 0 move nothing and have the length 0; a limit of infinity clips nothing.

    max_norm / 0 is infinite, or raises, and infinity times 0 is NaN.
    """
    for shapes in each(LISTS):
        parameters, gradients = model(seed, 1.0, shapes)
        before = [p.detach().clone() for p in parameters]
        length = stepped(answer, parameters, [0 * g for g in gradients], 128.0, 1.0)
        expect.same(length, 0.0, of="length")
        for old, new in zip(before, parameters, strict=True):
            expect.same(new.detach(), old, of="parameters after")
        right(answer, seed, 50.0, 128.0, math.inf, shapes)
