"""Right answers to amp/islands, each in its own style."""

from halfbits.course.authoring.contract import swap

FORWARD = """
import copy
import torch
def make_islands(model, islands, dtype):
    made = copy.deepcopy(model)
    inside = {m for name in islands for m in made.get_submodule(name).modules()}
    for layer in made.modules():
        if layer not in inside:
            for p in layer.parameters(recurse=False):
                p.data = p.data.to(dtype)
            for key, b in list(layer.named_buffers(recurse=False)):
                layer._buffers[key] = b.to(dtype) if b.is_floating_point() else b.clone()
    for name in islands:
        island = made.get_submodule(name)
        def forward(*xs, run=island.forward):
            return run(*[x.float() if x.is_floating_point() else x for x in xs]).to(dtype)
        island.forward = forward
    return made
"""
RESTORED = """
import copy
import torch
def make_islands(model, islands, dtype):
    made = copy.deepcopy(model).to(dtype)
    source = dict(model.named_parameters()) | dict(model.named_buffers())
    for name in islands:
        part = made.get_submodule(name)
        for key, tensor in [*part.named_parameters(), *part.named_buffers()]:
            tensor.data = source[f"{name}.{key}"].detach().clone()
        part.register_forward_pre_hook(
            lambda m, xs: tuple(x.float() if torch.is_floating_point(x) else x for x in xs)
        )
        part.register_forward_hook(lambda m, xs, out: out.type(dtype))
    return made
"""
REPLACED = swap(
    "make_islands",
    "made.set_submodule(name, island)",
    'parent, _, last = name.rpartition(".")\n'
    "        setattr(made.get_submodule(parent), last, island)",
)

RIGHT = {
    "another forward": FORWARD,
    "the numbers of the source put back": RESTORED,
    "setattr on the parent": REPLACED,
}
