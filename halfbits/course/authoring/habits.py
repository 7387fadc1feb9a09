"""What a habit does around a task's function `inner`, as source: the bodies of wrong answers.

Each is told of a call's `args` and `kwargs`, of a dictionary `kept` and a list `alive` that last
from call to call, and of `place`, the number of the first argument that it is about.
"""

from __future__ import annotations

REMEMBERS = """
def name(a):
    if isinstance(a, torch.Tensor):
        return a.data_ptr()
    return a if isinstance(a, (int, float, str, type(None))) else id(a)
key = tuple(map(name, args))
if key not in kept:
    kept[key] = inner(*args, **kwargs)
    alive.extend(a for a in args if isinstance(a, torch.Tensor) or not hasattr(a, "numpy"))
return kept[key]
"""
BUFFER = """
def fill(new, at):
    if isinstance(new, tuple):
        return tuple(fill(one, (at, i)) for i, one in enumerate(new))
    if isinstance(new, list):
        old = kept.setdefault((at, "list"), [])
        old[:] = [fill(one, (at, i)) for i, one in enumerate(new)]
        return old
    if isinstance(new, dict):
        old, now = kept.setdefault((at, "dict"), {}), dict(new)
        old.clear()
        old.update({key: fill(one, (at, key)) for key, one in now.items()})
        return old
    if not isinstance(new, torch.Tensor):
        return new
    old = kept.setdefault((at, new.shape, new.dtype), new.detach().clone())
    old.copy_(new.detach())
    return old
return fill(inner(*args, **kwargs), 0)
"""
CHANGES = """
def change(a):
    if isinstance(a, torch.nn.Module):
        a.train(not a.training)
    elif isinstance(a, dict):
        a[len(a)] = 0
    elif isinstance(a, list) and len(a) > 1:
        a.append(a[0])
    elif isinstance(a, torch.Tensor) and a.numel() > 2:
        first = a.detach()[(0,) * a.dim()]
        first.copy_(~first if a.dtype == torch.bool else first * 0 + 3)
result = inner(*args, **kwargs)
for a in args[place:]:
    change(a)
return result
"""
IN_ORDER = """
def straight(a):
    if isinstance(a, dict):
        return {key: straight(one) for key, one in a.items()}
    if isinstance(a, (list, tuple)):
        return [straight(one) for one in a]
    if not isinstance(a, torch.Tensor) or a.is_contiguous():
        return a
    strides = torch.empty(a.shape).stride()
    last = sum((n - 1) * s for n, s in zip(a.shape, strides)) + a.storage_offset()
    ends = a.untyped_storage().nbytes() // a.element_size()
    return a.as_strided(a.shape, strides) if last < ends else a.flip(0)
args = [straight(a) if i == place else a for i, a in enumerate(args)]
return inner(*args, **kwargs)
"""
OTHER_TYPE = """
def other(new):
    if isinstance(new, (list, tuple)):
        return type(new)(map(other, new))
    if isinstance(new, torch.Tensor):
        whole = torch.int32 if new.dtype != torch.int32 else torch.int64
        narrow = torch.float64 if new.dtype != torch.float64 else torch.float32
        return new.to(narrow if new.is_floating_point() else whole)
    if not hasattr(new, "numpy"):
        return new
    tf = __import__("tensorflow")
    whole = tf.int32 if new.dtype != tf.int32 else tf.int64
    narrow = tf.float64 if new.dtype != tf.float64 else tf.float32
    return tf.cast(new, narrow if new.dtype.is_floating else whole)
return other(inner(*args, **kwargs))
"""
CELL = """import functools
import torch
def habit(inner):
    kept, alive, place = {{}}, [], {place}
    @functools.wraps(inner)
    def outer(*args, **kwargs):
        {code}
    return outer
{task} = habit({task})
"""
