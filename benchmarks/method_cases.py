"""The rows of book/data/methods.json: their names, and what builds the model of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from halfbits.methods import (
    allocate,
    autoround,
    awq,
    gptq,
    kv_cache,
    llm_int8,
    low_rank,
    qat,
    rotation,
    rounding,
    rtn,
    smoothquant,
)
from halfbits.methods.activations import round_inputs
from halfbits.methods.calibration import windows
from halfbits.models.language_model import LanguageModel
from halfbits.models.llama import Llama
from halfbits.models.tiny_lm import END, load_text

DOCUMENTS, JUDGED = 16, 256
SAMPLES, LENGTH = 32, 256  # of every row that does not say otherwise
SWEEP_LENGTH, SWEEP = 64, (8, 32, 128, 512)
SEED_SAMPLES, MORE_SEEDS, SEED_TEXTS = 128, (1, 2), ("code", "austen")
TEXTS = ("code", "python_docs", "austen")
GROUP = 64
ADAROUND_STEPS, QAT_STEPS = 100, 30
AUTOROUND_STEPS, MORE_QAT_STEPS = 150, 120
FEW_BITS, FEW_BITS_GROUP = 2, 32


Built = tuple[nn.Module, float]


class Case(NamedTuple):
    """A row's name and kind, what builds its model, and what else the row says."""

    name: str
    kind: str
    build: Callable[[], Built]
    said: dict[str, str | int]


class Data(NamedTuple):
    """`judged` int64 [documents, JUDGED + 1], and the calibration texts' tokens by name."""

    judged: Tensor
    texts: dict[str, Tensor]


def load_data(lm: LanguageModel) -> Data:
    """Even held-out documents to judge by, odd ones and two other texts to calibrate on."""
    rows = [
        torch.cat([torch.tensor([lm.end]), lm.encode(t)]) for t in load_text("heldout").split(END)
    ]
    even = [row[: JUDGED + 1] for row in rows[0::2] if len(row) > JUDGED][:DOCUMENTS]
    others = {name: lm.encode(load_text(name)) for name in TEXTS[1:]}
    return Data(torch.stack(even), {"code": torch.cat(rows[1::2]), **others})


def weights(model: Llama, data: Tensor) -> Iterator[Case]:
    """Weights alone, groups of 64, at 4 and 3 bits."""
    for bits in (4, 3):
        plain, name = partial(rtn.quantize, model, None, bits, GROUP), f"int{bits} g{GROUP}"
        learned = partial(gptq.quantize, model, data, bits, GROUP)
        scaled = partial(awq.quantize, model, data, bits, GROUP)
        builds: dict[str, Callable[[], Built]] = {
            "rtn": partial(plain, clip=1.0),
            "clip": plain,
            "gptq amax": partial(learned, clip=1.0),
            "gptq": learned,
            "awq scale": partial(scaled, clip=False),
            "awq": scaled,
        }
        for method, build in builds.items():
            yield Case(f"{name} {method}", "weights", build, {})
    yield from three_bits(model, data)


def three_bits(model: Llama, data: Tensor) -> Iterator[Case]:
    """What is looked at where a method matters most; then what takes other bytes."""
    plain = partial(rtn.quantize, model, None, 3, GROUP)
    learned = partial(gptq.quantize, model, data, 3, GROUP, 1.0)
    builds: dict[str, Callable[[], Built]] = {
        "int3 g64 octav": partial(plain, clip="octav"),
        "int3 g64 gptq amax no act order": partial(learned, act_order=False),
        "int3 g64 adaround": partial(
            rounding.quantize, model, data, 3, GROUP, steps=ADAROUND_STEPS
        ),
        "int3 g64 qat": partial(qat.quantize, model, data, 3, GROUP, steps=QAT_STEPS),
        "int3 g64 low rank 8": partial(low_rank.quantize, model, data, 8, 3, GROUP),
        "int3 g64 affine": partial(plain, clip=1.0, symmetric=False),
        "int3 g64 affine gptq": partial(learned, symmetric=False),
        "int3 g32 clip": partial(rtn.quantize, model, None, 3, 32),
        "int3 g32 gptq": partial(gptq.quantize, model, data, 3, 32),
        "int3.5 g64 fisher": partial(allocate.quantize, model, data, 3.5, group=GROUP),
        "int3.5 g64 first layers 4": partial(half_and_half, model, True),
        "int3.5 g64 last layers 4": partial(half_and_half, model, False),
        "int4 g64 fisher": partial(allocate.quantize, model, data, 4.0, group=GROUP),
    }
    for name, build in builds.items():
        yield Case(name, "weights", build, {})


def trained(model: Llama, data: Tensor) -> Iterator[Case]:
    """What descends on gradients; then two bits, where the methods without them break."""
    for bits in (4, 3):
        build = partial(autoround.quantize, model, data, bits, GROUP, steps=AUTOROUND_STEPS)
        said: dict[str, str | int] = {"steps": AUTOROUND_STEPS}
        yield Case(f"int{bits} g{GROUP} autoround", "weights", build, said)
        build = partial(qat.quantize, model, data, bits, GROUP, steps=MORE_QAT_STEPS)
        said = {"steps": MORE_QAT_STEPS}
        yield Case(f"int{bits} g{GROUP} qat {MORE_QAT_STEPS}", "weights", build, said)
    name, few = f"int{FEW_BITS} g{FEW_BITS_GROUP}", (FEW_BITS, FEW_BITS_GROUP)
    yield Case(f"{name} clip", "weights", partial(rtn.quantize, model, None, *few), {})
    yield Case(f"{name} gptq", "weights", partial(gptq.quantize, model, data, *few), {})
    build = partial(qat.quantize, model, data, *few, steps=MORE_QAT_STEPS)
    yield Case(f"{name} qat {MORE_QAT_STEPS}", "weights", build, {"steps": MORE_QAT_STEPS})


def half_and_half(model: Llama, first: bool) -> Built:
    """Half the layers in 4 bits, the others in 3: the mixture that looks at nothing."""
    names = list(allocate.code_bytes(model, (3, 4)))
    half = set(names[: len(names) // 2] if first else names[len(names) // 2 :])
    return allocate.rounded(model, {name: 4 if name in half else 3 for name in names}, GROUP)


def activations(model: Llama, data: Tensor) -> Iterator[Case]:
    """int8 weights a row and int8 inputs; int4 weights of 64 and int4 inputs; scales from amax."""
    for bits, group in ((8, "channel"), (4, GROUP)):
        name = f"w{bits}a{bits}"
        options: dict[str, Any] = {"bits": bits, "granularity": group, "clip": 1.0}

        def plain(start: Llama, bits: int = bits, options: dict = options) -> Built:
            lossy, nbytes = rtn.quantize(start, None, **options)
            return round_inputs(lossy, bits), nbytes

        smooth = partial(smoothquant.quantize, model, data, activation_bits=bits, **options)
        turned = partial(rotation.quantize, model, None, activation_bits=bits, **options)
        builds: dict[str, Callable[[], Built]] = {
            "none": partial(plain, model),
            "smooth 0.5": partial(smooth, alpha=0.5),
            "smooth 0.9": partial(smooth, alpha=0.9),
            "gains folded": partial(plain, rotation.fold_gains(model)),
            "rotated but down": partial(turned, down=None),
            "rotated down in 64": partial(turned, down=64),
            "rotated": turned,
        }
        for method, build in builds.items():
            yield Case(f"{name} {method}", "activations", build, {})
    split = partial(llm_int8.quantize, model, data)
    yield Case("w8a8 llm.int8", "activations", split, {})
    best = partial(rotation.quantize, model, data, granularity=GROUP)
    yield Case("w4a4 rotated gptq", "activations", best, {})


def caches(model: Llama) -> Iterator[Case]:
    """Keys or values alone, and both, with groups of 32; 16 bits until a group has passed."""
    for bits in (4, 2):
        keys: dict[str, Any] = {"key_bits": bits, "value_bits": 16}
        values: dict[str, Any] = {"key_bits": 16, "value_bits": bits}
        both: dict[str, Any] = {"key_bits": bits, "value_bits": bits}
        options: dict[str, dict[str, Any]] = {
            "keys by token": keys | {"key_axis": "token"},
            "keys by token rotated": keys | {"key_axis": "token", "hadamard": True},
            "keys by channel": keys,
            "keys by channel before rope": keys | {"before_rope": True},
            "values by token": values,
            "values by channel": values | {"value_axis": "channel"},
            "both by token": both | {"key_axis": "token"},
            "kivi": both,
            "kivi first 4": both | {"first": 4},
            "kivi 32 more recent": both | {"recent": 32},
        }
        for name, chosen in options.items():
            yield Case(f"kv{bits} {name}", "cache", partial(cache, model, chosen), {})


def cache(model: Llama, options: dict) -> Built:
    """The model with such a cache, and the cache's bytes: the mean while a sequence grows."""
    lossy, _ = kv_cache.quantize(model, None, **options)
    sizes = [lossy.scheme.nbytes(model.config, tokens) for tokens in range(1, JUDGED + 1)]
    return lossy, sum(sizes) / len(sizes)


def calibrations(model: Llama, texts: dict[str, Tensor]) -> Iterator[Case]:
    """int3 g64 by GPTQ and AWQ on three texts, 8 to 512 samples; three seeds of 128."""
    methods: dict[str, Callable[..., Built]] = {"gptq": gptq.quantize, "awq": awq.quantize}
    plan = [(text, samples, 0) for text in TEXTS for samples in SWEEP]
    plan += [(text, SEED_SAMPLES, seed) for text in SEED_TEXTS for seed in MORE_SEEDS]
    for text, samples, seed in plan:
        data = windows(texts[text], samples, SWEEP_LENGTH, seed)
        for name, method in methods.items():
            said: dict[str, str | int] = {
                "method": name,
                "text": text,
                "samples": samples,
                "seed": seed,
            }
            title = f"int3 g{GROUP} {name} {text} {samples}" + (f" seed {seed}" if seed else "")
            build = partial(method, model, data, bits=3, granularity=GROUP)
            yield Case(title, "calibration", build, said)


def cases(model: Llama, data: Data) -> Iterator[Case]:
    """All rows but the model's own, in the record's order."""
    code = windows(data.texts["code"], SAMPLES, LENGTH)
    yield from weights(model, code)
    yield from trained(model, code)
    yield from activations(model, code)
    yield from caches(model)
    yield from calibrations(model, data.texts)
