"""Quantizers for weights: codes, scales, their true bytes, and the way back.

All work on a weight [..., out, in] and share one rule for its blocks (halfbits.quantize.blocks).
Rounding is to nearest, ties to even. A block of zeros gives zeros and scale 1; a weight that is
empty or not finite, and a width that no code has, is one ValueError.
"""

from halfbits.quantize.blocks import Granularity, grouped, ungrouped
from halfbits.quantize.gguf_blocks import GGUF_TYPES, dequantize_gguf, quantize_gguf
from halfbits.quantize.grid import (
    best_clip,
    quantize_affine,
    quantize_symmetric,
    quantize_ternary,
)
from halfbits.quantize.levels import (
    FP4_LEVELS,
    NF4_LEVELS,
    levels_of,
    nearest,
    quantize_fp4,
    quantize_fp8,
    quantize_nf4,
)
from halfbits.quantize.microscaling import (
    MX_ELEMENTS,
    MX_GROUP,
    NVFP4_GROUP,
    quantize_mx,
    quantize_mxfp4,
    quantize_nvfp4,
)
from halfbits.quantize.packing import pack_codes, unpack_codes
from halfbits.quantize.quantized import Quantized, positive, stored_scale

__all__ = [
    "FP4_LEVELS",
    "GGUF_TYPES",
    "MX_ELEMENTS",
    "MX_GROUP",
    "NF4_LEVELS",
    "NVFP4_GROUP",
    "Granularity",
    "Quantized",
    "best_clip",
    "dequantize_gguf",
    "grouped",
    "levels_of",
    "nearest",
    "pack_codes",
    "positive",
    "quantize_affine",
    "quantize_fp4",
    "quantize_fp8",
    "quantize_gguf",
    "quantize_mx",
    "quantize_mxfp4",
    "quantize_nf4",
    "quantize_nvfp4",
    "quantize_symmetric",
    "quantize_ternary",
    "stored_scale",
    "ungrouped",
    "unpack_codes",
]
