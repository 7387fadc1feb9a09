"""Right answers to amp/autocast_trace, each in its own style."""

GLOBAL = """
import torch
from torch.nn.modules.module import register_module_forward_hook
def autocast_trace(model, x, dtype):
    names = {id(m): n for n, m in model.named_modules() if len(list(m.children())) == 0}
    rows = []
    def hook(m, args, out):
        if id(m) in names:
            kept = [p.dtype for p in m.parameters()]
            rows.append((names[id(m)], args[0].dtype, kept[0] if kept else None, out.dtype))
    handle = register_module_forward_hook(hook)
    try:
        with torch.autocast(device_type="cpu", dtype=dtype, enabled=True):
            model(x)
    finally:
        handle.remove()
    return rows
"""
STACK = """
import contextlib
import torch
def autocast_trace(model, x, dtype):
    found = []
    with contextlib.ExitStack() as stack:
        for name, layer in model.named_modules():
            if any(True for _ in layer.children()):
                continue
            def write(layer, args, out, name=name):
                kept = [p.dtype for p in layer.parameters()]
                found.append((name, args[0].dtype, kept[0] if kept else None, out.dtype))
            stack.callback(layer.register_forward_hook(write).remove)
        with torch.no_grad(), torch.amp.autocast("cpu", dtype):
            model(x)
    return found
"""
CALLABLE = """
import torch
class Row:
    def __init__(self, name, rows):
        self.name, self.rows = name, rows
    def __call__(self, layer, args, out):
        first = next((p.dtype for p in layer.parameters()), None)
        self.rows.append((self.name, args[0].dtype, first, out.dtype))
def autocast_trace(model, x, dtype):
    rows, handles = [], []
    try:
        for name, layer in model.named_modules():
            if not layer._modules:
                handles += [layer.register_forward_hook(Row(name, rows))]
        region = torch.autocast("cpu", dtype=dtype)
        region.__enter__()
        try:
            model(x)
        finally:
            region.__exit__(None, None, None)
    finally:
        [handle.remove() for handle in handles]
    return rows
"""

RIGHT = {
    "one hook for all modules": GLOBAL,
    "a stack of handles": STACK,
    "callable objects": CALLABLE,
}
