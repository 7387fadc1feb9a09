"""Which parts of a model a scheme rounds, and the bytes that follow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from halfbits.perf.architecture.fields import NESTED, ConfigError
from halfbits.perf.architecture.sizes import MATRICES, PARTS, Sizes
from halfbits.perf.storage import STORAGE, storage

KEPT = STORAGE["bf16"].bits
ENDS = ("embedding", "head")
EXPERTS, EVERYTHING = " experts", " everything"
MODELOPT = {"NVFP4": "nvfp4", "FP8": "fp8", "MXFP8": "mxfp8", "MXFP4": "mxfp4"}
PLAIN = ("fp64", "fp32", "fp16", "bf16")


@dataclass(frozen=True)
class Scheme:
    """`name` as a person writes it; `bits` of a weight of each part, group scales included."""

    name: str
    bits: Mapping[str, float]

    @property
    def format(self) -> str:
        """The format's own name, without what it is applied to."""
        return self.name.removesuffix(EVERYTHING).removesuffix(EXPERTS)

    def nbytes(self, counts: Mapping[str, float]) -> float:
        """Bytes of these counts of parameters by part; scales that a whole row shares (one in
        thousands) are left out."""
        return sum(count * self.bits[part] / 8 for part, count in counts.items())


def scheme(name: str) -> Scheme:
    """A format by its name in `halfbits.perf.storage`, for the matrices of the layers alone.

    "mxfp4 experts" rounds the routed experts alone, "int4 everything" embedding and head as well;
    a float of 16 bits and more holds everything. Router and norms stay in 16 bits. Raises
    ConfigError for an unknown format.
    """
    base = name.removesuffix(EVERYTHING).removesuffix(EXPERTS)
    try:
        bits = storage(base).bits
    except ValueError as error:
        raise ConfigError(f"{error}; add{EXPERTS} for the experts alone.") from error
    if base in PLAIN:
        return Scheme(base, dict.fromkeys(PARTS, bits))
    rounded = ("experts",) if name.endswith(EXPERTS) else MATRICES
    rounded = (*rounded, *(ENDS if name.endswith(EVERYTHING) else ()))
    return Scheme(name, {part: bits if part in rounded else KEPT for part in PARTS})


def scheme_of(config: Mapping[str, Any], sizes: Sizes) -> Scheme:
    """What a config says of the released files: its `quantization_config`, else its float type.

    Raises ConfigError for a method that is not read here.
    """
    places = [config, *(config[name] for name in NESTED if isinstance(config.get(name), dict))]
    said = next((p["quantization_config"] for p in places if p.get("quantization_config")), None)
    if said is None:
        kinds = [p.get("torch_dtype") or p.get("dtype") for p in places]
        return scheme("fp32" if "float32" in kinds else "bf16")
    return scheme(_named(said) + (EXPERTS if _only_experts(said, sizes) else ""))


def _named(said: Mapping[str, Any]) -> str:
    method = said.get("quant_method")
    if method == "mxfp4":
        return "mxfp4"
    if method == "fp8":
        return "fp8 tiles" if said.get("weight_block_size") else "fp8"
    if method in ("gptq", "awq"):
        is_affine = said.get("zero_point") or not said.get("sym", True)
        return _grouped(said.get("bits"), said.get("group_size"), is_affine)
    if method == "compressed-tensors":
        return _compressed(said)
    if method == "modelopt" and said.get("quant_algo") in MODELOPT:
        return MODELOPT[said["quant_algo"]]
    if method == "bitsandbytes":
        return _bitsandbytes(said)
    raise ConfigError(f"quant_method {method!r} is not read here; name a format with --weights.")


def _compressed(said: Mapping[str, Any]) -> str:
    groups = list((said.get("config_groups") or {}).values())
    weights: dict[str, Any] = (groups[0].get("weights") if len(groups) == 1 else None) or {}
    match weights:
        case {"num_bits": int() as bits, "type": "int", "group_size": int() as group}:
            return _grouped(bits, group, not weights.get("symmetric", True))
        case {"num_bits": 8, "type": "int"}:
            return "int8"
        case {"num_bits": 8, "type": "float", "group_size": 32}:
            return "mxfp8"
        case {"num_bits": 8, "type": "float"}:
            return "fp8 tiles" if weights.get("strategy") == "block" else "fp8"
        case {"num_bits": 4, "type": "float", "group_size": 16 | 32 as group}:
            return "nvfp4" if group == 16 else "mxfp4"
    raise ConfigError(
        "its config_groups are not one kind known here; name a format with --weights."
    )


def _bitsandbytes(said: Mapping[str, Any]) -> str:
    if said.get("load_in_8bit"):
        return "int8"
    if said.get("load_in_4bit") and said.get("bnb_4bit_quant_type") == "nf4":
        return "nf4 double" if said.get("bnb_4bit_use_double_quant") else "nf4"
    raise ConfigError("bitsandbytes says neither int8 nor nf4; name a format with --weights.")


def _grouped(bits: Any, group: Any, is_affine: Any) -> str:
    name = f"int{bits} g{group}" + (" affine" if is_affine else "")
    if name not in STORAGE:
        raise ConfigError(f"int{bits} in groups of {group!r} is not in the table of formats.")
    return name


def _only_experts(said: Mapping[str, Any], sizes: Sizes) -> bool:
    """Whether attention is among what the config leaves alone, as in gpt-oss and Kimi-K2."""
    left = " ".join(map(str, said.get("modules_to_not_convert") or said.get("ignore") or ()))
    return sizes.has_experts and ("self_attn" in left or "attention" in left)
