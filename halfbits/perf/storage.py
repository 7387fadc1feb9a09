"""What a stored weight takes: the bits of its code, and its share of scales and zero points.

The one table of true bits. A format's name means the layout that is usual for it; other layouts of
the same codes have names of their own, such as `int4 g32`.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

from halfbits.format_table import FORMATS

ROW = 0  # a scale for each row of a weight, that is for each output channel


@dataclass(frozen=True)
class Storage:
    """Bits of a code, and of the scale and zero point that `group` neighbors share.

    `group` counts weights along the input; ROW means all of them.
    """

    code: float
    scale: float = 0
    group: int = ROW
    zero: float = 0

    @property
    def bits(self) -> float:
        """Bits a weight: code + (scale + zero) / group. What a whole row shares is left out."""
        return self.code + ((self.scale + self.zero) / self.group if self.group else 0)

    def parts(self, inputs: int, outputs: int) -> tuple[float, float, float]:
        """Bytes of the codes, scales and zero points of a weight [outputs, inputs]."""
        groups = outputs * (-(-inputs // self.group) if self.group else 1)
        return inputs * outputs * self.code / 8, groups * self.scale / 8, groups * self.zero / 8

    def nbytes(self, inputs: int, outputs: int) -> float:
        """Bytes of a weight [outputs, inputs], scales and zero points counted."""
        return sum(self.parts(inputs, outputs))


@dataclass(frozen=True)
class Parts:
    """Bytes of a model by what they hold; `embedding` and `head` with their own scales, if any."""

    codes: float
    scales: float
    zeros: float
    norms: float
    embedding: float
    head: float

    @property
    def total(self) -> float:
        """Bytes of the whole model."""
        return sum(astuple(self))

    @property
    def kept(self) -> float:
        """Bytes of embedding, head and norms."""
        return self.norms + self.embedding + self.head

    @property
    def read(self) -> float:
        """Bytes that one decode step reads: all but an input embedding, which only gives rows."""
        return self.total - self.embedding


STORAGE = {
    **{name: Storage(FORMATS[name].bits) for name in ("fp64", "fp32", "fp16", "bf16")},
    "tf32": Storage(FORMATS["fp32"].bits),  # a tensor core reads it from fp32
    # One 16-bit scale for each row, as checkpoints with a scale for each channel have it.
    **{"fp8": Storage(8, 16), "int8": Storage(8, 16)},
    # One float32 scale for a tile of 128 x 128, as DeepSeek-V3's checkpoint has it.
    "fp8 tiles": Storage(8, 32 / 128, 128),
    # Groups with a 16-bit scale, the usual layout of GPTQ and AWQ; affine ones with a zero point
    # of the codes' width.
    **{f"int{b} g{g}": Storage(b, 16, g) for b in (2, 3, 4, 8) for g in (128, 64, 32)},
    **{f"int{b} g{g} affine": Storage(b, 16, g, b) for b in (2, 3, 4, 8) for g in (128, 64, 32)},
    # NF4: a float32 scale for 64 codes, or that scale in 8 bits with a float32 for each 256; with
    # a 16-bit scale as this course stores it.
    **{"nf4": Storage(4, 32, 64), "nf4 double": Storage(4, 8 + 32 / 256, 64)},
    "nf4 g64": Storage(4, 16, 64),
    # OCP MX: an 8-bit power of two for 32 codes. NVFP4: an e4m3 scale for 16 codes; the float32
    # for the whole tensor is left out.
    **{"mxfp8": Storage(8, 8, 32), "mxfp6": Storage(6, 8, 32), "mxfp4": Storage(4, 8, 32)},
    "nvfp4": Storage(4, 8, 16),
    # llama.cpp: a 16-bit scale for 32; Q4_K has for 256 codes a 16-bit scale and a 16-bit minimum,
    # and 6 bits of each for every 32, Q5_K the same; Q2_K 4 bits of each for every 16; Q3_K a
    # 16-bit scale and 6 bits for every 16, Q6_K 8 bits.
    **{"q8_0": Storage(8, 16, 32), "q4_0": Storage(4, 16, 32), "q4_1": Storage(4, 16, 32, 16)},
    **{"q5_0": Storage(5, 16, 32), "q5_1": Storage(5, 16, 32, 16)},
    **{"q2_k": Storage(2, 16 + 16 * 4, 256, 16 + 16 * 4), "q3_k": Storage(3, 16 + 16 * 6, 256)},
    "q5_k": Storage(5, 16 + 8 * 6, 256, 16 + 8 * 6),
    **{"q4_k": Storage(4, 16 + 8 * 6, 256, 16 + 8 * 6), "q6_k": Storage(6, 16 + 16 * 8, 256)},
}
STORAGE["int4"] = STORAGE["int4 g128"]
BITS = {name: storage.bits for name, storage in STORAGE.items()}


def storage(name: str) -> Storage:
    """The layout called `name`. Raises ValueError with the names that exist."""
    if name not in STORAGE:
        raise ValueError(f"no format is called {name!r}; there are {', '.join(STORAGE)}")
    return STORAGE[name]
