"""Right answers to quantization/pack_int4, each in its own style."""

RIGHT = {
    "pack: remainders and sums, a loop over columns": """
def pack_int4(codes):
    if codes.numel() and not (-8 <= int(codes.min()) and int(codes.max()) <= 7):
        raise ValueError(f"codes from {codes.min()} to {codes.max()} need more than four bits")
    rows, n = codes.shape
    packed = torch.zeros(rows, -(-n // 2), dtype=torch.int32)
    for column in range(n):
        packed[:, column // 2] += codes[:, column].int().remainder(16) * (16 if column % 2 else 1)
    return packed.byte()
""",
    "pack and unpack in numpy": """
import numpy as np
def pack_int4(codes):
    array = codes.numpy()
    if np.any(np.abs(array.astype(int) * 2 + 1) > 15):
        raise ValueError("not int4")
    wide = np.zeros((array.shape[0], array.shape[1] + array.shape[1] % 2), np.uint8)
    wide[:, : array.shape[1]] = array.view(np.uint8) & 15 if array.flags.c_contiguous else (
        array.astype(np.int16) & 15
    )
    return torch.from_numpy(wide[:, ::2] + wide[:, 1::2] * np.uint8(16))
def unpack_int4(packed, n):
    array = np.asarray(packed)
    wide = np.empty((array.shape[0], 2 * array.shape[1]), np.int8)
    wide[:, ::2], wide[:, 1::2] = array % 16, array // 16
    return torch.from_numpy(((wide + 8) % 16 - 8).astype(np.int8)[:, :n].copy())
""",
    "unpack: shifts of a signed byte extend the sign": """
def unpack_int4(packed, n):
    signed = packed.view(torch.int8)
    out = torch.empty(packed.shape[0], packed.shape[1] * 2, dtype=torch.int8)
    out[:, 0::2] = (signed << 4) >> 4
    out[:, 1::2] = signed >> 4
    return out[:, :n].clone()
""",
}
