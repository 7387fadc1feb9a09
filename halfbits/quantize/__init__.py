"""Quantizers for weights: codes, scales, their true bytes, and the way back.

All work on a weight [out, in] and share one shape rule: a granularity cuts the matrix into groups,
each with its own scale. "tensor" is one group, "channel" one a row, an integer g is g neighbors
along the input. Rounding is to nearest, ties to even. A group of zeros gives zeros and scale 1.
"""

from halfbits.quantize.grid import quantize_affine, quantize_symmetric
from halfbits.quantize.levels import (
    FP4_LEVELS,
    MX_GROUP,
    NF4_LEVELS,
    nearest,
    quantize_fp8,
    quantize_mxfp4,
    quantize_nf4,
)
from halfbits.quantize.packing import pack, unpack
from halfbits.quantize.quantized import Granularity, Quantized, grouped, positive, stored_scale

__all__ = [
    "FP4_LEVELS",
    "MX_GROUP",
    "NF4_LEVELS",
    "Granularity",
    "Quantized",
    "grouped",
    "nearest",
    "pack",
    "positive",
    "quantize_affine",
    "quantize_fp8",
    "quantize_mxfp4",
    "quantize_nf4",
    "quantize_symmetric",
    "stored_scale",
    "unpack",
]
