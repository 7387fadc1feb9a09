"""Right answers to formats/to_bf16, each in its own style."""

from halfbits.course.authoring.contract import swap

NEAREST = "(bits + 0x7FFF + (upper & 1)) >> 16"
COMPARED = """
def to_bf16(bits):
    head, tail = divmod(bits, 65536)
    exponent, fraction = bits // 2**23 % 256, bits % 2**23
    if exponent == 255:
        return head - head % 128 + (64 if fraction else 0)
    if tail > 32768 or tail == 32768 and head % 2 == 1:
        head += 1
    return head
"""
BY_VALUE = """
import math
import struct

def to_bf16(bits):
    (x,) = struct.unpack("<f", struct.pack("<I", bits))
    if math.isnan(x):
        return 0x7FC0
    down = bits >> 16
    if math.isinf(x):
        return down
    def value(code):
        field, fraction = code >> 7 & 255, code & 127
        hidden = 128 if field else 0
        return (hidden + fraction) * 2.0 ** (max(field, 1) - 134)
    below, above = abs(x) - value(down), value(down + 1) - abs(x)
    return down + (above < below or (above == below and down % 2))
"""
CAST = """
import numpy as np
import torch

def to_bf16(bits):
    x = torch.from_numpy(np.array([bits], dtype=np.uint32).view(np.float32))
    return int(x.to(torch.bfloat16).view(torch.int16)) & 0xFFFF
"""

RIGHT = {
    "halves compared": COMPARED,
    "distances of values": BY_VALUE,
    "torch's own cast": CAST,
    "Python's round, which goes to even": swap(
        "to_bf16",
        NEAREST,
        "round(bits / 65536)",
    ),
}
