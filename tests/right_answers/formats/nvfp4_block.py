"""Right answers to formats/nvfp4_block, each in its own style."""

ONE_DIVISION = """
import torch
def nvfp4_scales(x):
    amax = x.abs().amax(dim=-1)
    tensor_scale = (amax.max() / 2688.0).clamp_min(2.0**-126)
    return tensor_scale, torch.minimum(amax / (6.0 * tensor_scale), torch.tensor(448.0)).to(
        torch.float8_e4m3fn
    )
"""
NUMPY = """
import ml_dtypes
import numpy as np
import torch
def nvfp4_scales(x):
    a = np.abs(x.numpy()).max(1).astype(np.float64)
    whole = np.float32(a.max() / 2688) or np.float32(1)
    codes = np.minimum(a / 6 / whole, 448).astype(ml_dtypes.float8_e4m3fn)
    stored = torch.from_numpy(codes.view(np.uint8)).view(torch.float8_e4m3fn)
    return [torch.tensor(whole), stored]
"""
LOOP = """
import torch
def nvfp4_block(x):
    tensor_scale, block_scale = nvfp4_scales(x)
    rows = []
    for row, stored in zip(x, block_scale.float()):
        scale = stored * tensor_scale
        rows.append(round_to_fp4(row / scale) * scale if scale > 0 else torch.zeros(16))
    return torch.stack(rows)
"""
SEARCHED = """
import torch
def nvfp4_block(x):
    whole, stored = nvfp4_scales(x)
    positive = [0, 0.5, 1, 1.5, 2, 3, 4, 6]
    levels = torch.tensor([-v for v in positive] + positive)
    options = stored.float()[:, None] * whole * levels
    off = (x[:, :, None].double() - options[:, None, :]).abs()
    return options.gather(1, off.argmin(2))
"""

RIGHT = {
    "nvfp4_scales: one division": ONE_DIVISION,
    "nvfp4_scales: numpy in float64": NUMPY,
    "nvfp4_block: row by row": LOOP,
    "nvfp4_block: the nearest of all products": SEARCHED,
}
