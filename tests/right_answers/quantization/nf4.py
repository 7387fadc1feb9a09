"""Right answers to quantization/nf4, each in its own style."""

from halfbits.course.authoring.contract import swap

MIDDLES = """
import torch
def nf4_quantize(w):
    with torch.no_grad():
        x = w.to(torch.float32).unflatten(1, (-1, 64))
        limit = torch.linalg.vector_norm(x, ord=torch.inf, dim=2)
        limit = limit.masked_fill(limit == 0, 1.0)
        middles = (LEVELS[:-1] + LEVELS[1:]) / 2
        places = torch.bucketize(x / limit.unsqueeze(2), middles)
        return places.flatten(1).byte(), limit
"""
NUMPY = """
import numpy as np
import torch
def nf4_quantize(w):
    x = w.detach().to(torch.float32).numpy().reshape(w.shape[0], -1, 64)
    scale = np.abs(x).max(axis=-1)
    scale[scale == 0] = 1
    table, unit = LEVELS.numpy(), x / scale[..., None]
    codes = np.zeros(x.shape, np.uint8)
    for place in range(1, 16):
        closer = np.abs(unit - table[place]) < np.abs(unit - table[codes])
        codes[closer] = place
    return [torch.from_numpy(codes.reshape(w.shape)), torch.from_numpy(scale)]
"""
LOOP = """
import torch
def double_quantize(scale):
    offset = scale.double().mean().float()
    codes, steps = [], []
    for block in scale.split(256):
        apart = block - offset
        step = max(apart.max(), -apart.min()) / 127
        steps.append(step)
        codes.append((apart / step).nan_to_num().round().char())
    return torch.cat(codes), torch.stack(steps), offset
"""
IN_PLACE = """
import torch
def double_quantize(scale):
    offset = torch.sum(scale) / scale.numel()
    blocks = scale.clone().sub_(offset).view(-1, 256)
    limit = blocks.abs().max(dim=1, keepdim=True).values
    codes = (127 * blocks / limit.clamp(min=1e-30)).round_().to(torch.int8)
    return [codes.view(-1), (limit / 127).squeeze(1), offset]
"""

RIGHT = {
    "the middles between the levels": MIDDLES,
    "numpy, level after level": NUMPY,
    "block after block, the mean in float64": LOOP,
    "127 times first, in place of a copy": IN_PLACE,
    "squares": swap(
        "nf4_quantize", ".sub(LEVELS).abs().argmin(3)", ".sub(LEVELS).square().argmin(3)"
    ),
}
