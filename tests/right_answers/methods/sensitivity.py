"""Right answers to methods/sensitivity, each in its own style."""

from halfbits.course.authoring.contract import swap

COPIES = """
import copy
import torch
from torch import nn
from torch.nn import functional as F
def sensitivity(model, x, quantize):
    found = {}
    with torch.no_grad():
        p = F.log_softmax(model(x), dim=-1)
        for name, module in model.named_modules():
            if not isinstance(module, nn.Linear):
                continue
            other = copy.deepcopy(model)
            layer = other.get_submodule(name)
            layer.weight.data = quantize(layer.weight.data)
            q = F.log_softmax(other(x), dim=-1)
            kl = F.kl_div(q, p, reduction="none", log_target=True).sum(dim=-1)
            found[name] = float(kl.mean())
    return found
"""
FUNCTIONAL = """
import torch
from torch import nn
from torch.func import functional_call
def sensitivity(model, x, quantize):
    with torch.inference_mode():
        base = torch.softmax(model(x).double(), -1)
        def kl(name, layer):
            key = f"{name}.weight".lstrip(".")
            logits = functional_call(model, {key: quantize(layer.weight)}, x)
            ratio = base.log() - logits.double().log_softmax(-1)
            return (base * ratio).sum(-1).mean()
        return {n: kl(n, m) for n, m in model.named_modules() if isinstance(m, nn.Linear)}
"""
HOOKS = """
import torch
from torch import nn
from torch.nn import functional as F
def sensitivity(model, x, quantize):
    found = {}
    with torch.no_grad():
        p = model(x).log_softmax(-1)
        for name, layer in model.named_modules():
            if isinstance(layer, nn.Linear):
                w = quantize(layer.weight.detach())
                hook = layer.register_forward_hook(
                    lambda module, args, out, w=w: F.linear(args[0], w, module.bias)
                )
                try:
                    q = model(x).log_softmax(-1)
                finally:
                    hook.remove()
                found[name] = torch.sum(p.exp() * (p - q), dim=-1).mean().item()
    return found
"""

RIGHT = {
    "a copy of the model for each layer": COPIES,
    "functional_call": FUNCTIONAL,
    "hooks that are removed": HOOKS,
    "quantizes before it touches the layer": swap(
        "sensitivity",
        "kept = layer.weight.clone()\n            try:\n"
        "                layer.weight.copy_(quantize(kept))",
        "kept = layer.weight.clone()\n            coarse = quantize(kept)\n            try:\n"
        "                layer.weight.copy_(coarse)",
    ),
}
