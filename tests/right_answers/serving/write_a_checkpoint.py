"""Right answers to serving/write_a_checkpoint, each in its own style."""

from halfbits.course.authoring.contract import swap

STRUCT = """
import struct
def q8_0(w):
    out = bytearray()
    for row in w.tolist():
        for start in range(0, len(row), 32):
            block = row[start : start + 32]
            scale = max(map(abs, block)) / 127
            codes = [round(x / scale) if scale else 0 for x in block]
            out += struct.pack("<e32b", scale, *codes)
    return bytes(out)
"""
TORCH = """
import torch
def q8_0(w):
    blocks = w.reshape(-1, 32)
    scale = (blocks.abs().amax(1, keepdim=True) / 127).half()
    step = torch.where(scale == 0, 1.0, scale.float())
    codes = (blocks / step).round().clamp(-127, 127).to(torch.int8)
    return torch.cat([scale.view(torch.uint8), codes.view(torch.uint8)], 1).numpy().tobytes()
"""
PACKAGE = """
import gguf
def q8_0(w):
    return gguf.quantize(w.numpy(), gguf.GGMLQuantizationType.Q8_0).tobytes()
def write_gguf(path, tensors):
    writer = gguf.GGUFWriter(path, "llama")
    for name, tensor in tensors.items():
        array, kind = tensor.numpy(), None
        if tensor.dim() == 2:
            kind = gguf.GGMLQuantizationType.Q8_0
            array = gguf.quantize(array, kind)
        writer.add_tensor(name, array, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
"""
TWO_PASSES = """
import struct
def write_gguf(path, tensors):
    def aligned(n):
        return (n + 31) // 32 * 32
    payload = [q8_0(t) if t.ndim == 2 else t.numpy().tobytes() for t in tensors.values()]
    with open(path, "wb") as file:
        def put(form, *values):
            file.write(struct.pack("<" + form, *values))
        def text(value):
            put("Q", len(value.encode("utf-8")))
            file.write(value.encode("utf-8"))
        file.write(b"GGUF")
        put("IQQ", 3, len(tensors), 1)
        text("general.architecture")
        put("I", 8)
        text("llama")
        place = 0
        for (name, tensor), raw in zip(tensors.items(), payload):
            text(name)
            put("I", tensor.ndim)
            put(f"{tensor.ndim}Q", *tuple(tensor.shape)[::-1])
            put("IQ", 8 if tensor.ndim == 2 else 0, place)
            place += aligned(len(raw))
        file.write(bytes(aligned(file.tell()) - file.tell()))
        for raw in payload:
            file.write(raw.ljust(aligned(len(raw)), bytes(1)))
"""

RIGHT = {
    "struct, block by block": STRUCT,
    "torch alone, the rounded scale": TORCH,
    "the package gguf": PACKAGE,
    "two passes and an open file": TWO_PASSES,
    "no zeros behind the last tensor": swap(
        "write_gguf",
        "data += bytes(-len(data) % 32)",
        "if name != list(tensors)[-1]:\n            data += bytes(-len(data) % 32)",
    ),
}
