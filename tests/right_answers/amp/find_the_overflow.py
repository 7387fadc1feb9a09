"""Right answers to amp/find_the_overflow, each in its own style."""

GLOBAL = """
import torch
from torch.nn.modules.module import register_module_forward_hook
def birthplace(model, x):
    names, bad = {m: n for n, m in model.named_modules()}, []
    def hook(module, args, out):
        ok = all(torch.isfinite(t).all().item() for t in args)
        if module in names and ok and bool((~torch.isfinite(out)).any()):
            bad.append(names[module])
    handle = register_module_forward_hook(hook)
    try:
        model(x)
    finally:
        handle.remove()
    return next(iter(bad), None)
"""
STACK = """
import contextlib
import torch
def beyond_half(model, x):
    seen = {}
    with contextlib.ExitStack() as stack:
        for name, layer in model.named_modules():
            if len(list(layer.children())):
                continue
            def write(layer, args, out, name=name):
                if float(out.detach().abs().max()) >= 65520.0:
                    seen.setdefault(name)
            stack.callback(layer.register_forward_hook(write).remove)
        with torch.inference_mode():
            model(x)
    return list(seen)
"""
CALLABLE = """
import torch
class First:
    name = None
    def watching(self, name):
        def look(module, args, out):
            if self.name is None:
                good = sum(int((~torch.isfinite(a)).sum()) for a in args) == 0
                if good and not torch.isfinite(out).all():
                    self.name = name
        return look
def birthplace(model, x):
    first = First()
    handles = [m.register_forward_hook(first.watching(n)) for n, m in model.named_modules()]
    try:
        with torch.no_grad():
            model(x)
    finally:
        [h.remove() for h in handles]
    return first.name
"""
COPIED = """
import io
import torch
def birthplace(model, x, look=birthplace):
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    return look(torch.load(file, weights_only=False), x)
"""

RIGHT = {
    "a copy by torch.save": COPIED,
    "one hook for all modules": GLOBAL,
    "a stack of handles": STACK,
    "an object that remembers the first": CALLABLE,
}
