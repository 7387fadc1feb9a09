"""`python course.py inspect`: what is in a checkpoint, and what a format would do to it."""

from __future__ import annotations

import json
import statistics as stats
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from halfbits.checkpoints import Checkpoint, CheckpointError, StoredTensor, open_checkpoint
from halfbits.checkpoints.files import Floats
from halfbits.checkpoints.statistics import WIDEST, Statistics, statistics

SHOWN = 5
Rounded = Callable[[Floats], Floats]


@dataclass
class Findings:
    """Statistics by tensor, and whether all tensors were looked at."""

    of: dict[str, Statistics] = field(default_factory=dict)
    looked: int = 0
    undecoded: int = 0
    wide: int = 0

    @property
    def seen(self) -> int:
        return sum(found.seen for found in self.of.values())


def run(path: Path, scheme: str, whole: bool, as_json: bool) -> int:
    """Print the report; CheckpointError in one sentence. Interrupted, it prints what it knows."""
    rounded, checkpoint = rounding(scheme), open_checkpoint(path)
    found = Findings()
    try:
        look(checkpoint, found, rounded, whole)
    except KeyboardInterrupt:
        print("halfbits: stopped; this is what was seen until then.", file=sys.stderr)
    if as_json:
        print(json.dumps(as_dict(checkpoint, found), allow_nan=False))
    else:
        print("\n".join(report(path, checkpoint, found, scheme)))
    return 0 if found.looked == len(checkpoint.tensors) else 130


def look(checkpoint: Checkpoint, found: Findings, rounded: Rounded, whole: bool) -> None:
    """Fill `found`, tensor by tensor, behind a bar where somebody watches."""
    bar = Console(stderr=True)
    tensors = track(
        checkpoint.tensors, "reading", console=bar, transient=True, disable=not bar.is_terminal
    )
    for tensor in tensors:
        is_matrix = len(tensor.shape) > 1
        seen = statistics(checkpoint, tensor, rounded if is_matrix else None, whole)
        is_wide = tensor.shape[-1:] > (WIDEST,)
        if seen is None:
            found.wide += is_wide
            found.undecoded += bool(tensor.numel) and not is_wide
        else:
            found.of[tensor.name] = seen
        found.looked += 1


def rounding(scheme: str) -> Rounded:
    """What a scheme leaves of rows: "int4 g32", "int8", "fp8", "nf4", "mxfp4", "nvfp4".

    Raises CheckpointError for another name.
    """
    import torch

    from halfbits import quantize

    schemes = {
        "int8": lambda w: quantize.quantize_symmetric(w, 8),
        "int4": lambda w: quantize.quantize_symmetric(w, 4, 128),
        "int4 g32": lambda w: quantize.quantize_symmetric(w, 4, 32),
        "fp8": lambda w: quantize.quantize_fp8(w, "channel"),
        "nf4": quantize.quantize_nf4,
        "mxfp4": quantize.quantize_mxfp4,
        "nvfp4": quantize.quantize_nvfp4,
    }
    if scheme not in schemes:
        raise CheckpointError(f"there is no scheme {scheme!r}; there are {', '.join(schemes)}.")
    return lambda rows: schemes[scheme](torch.from_numpy(rows)).dequantize().numpy()


def report(path: Path, checkpoint: Checkpoint, found: Findings, scheme: str) -> Iterator[str]:
    """The lines of the report."""
    count, values = len(checkpoint.tensors), checkpoint.parameters
    bits = 8 * checkpoint.nbytes / values if values else 0
    whole = size(checkpoint.nbytes)
    yield f"{path.name}: {count} tensors, {values:,} values, {whole}, {bits:.2f} bits a value"
    yield ""
    yield from formats_table(checkpoint.tensors)
    yield ""
    share = found.seen / values if values else 1
    yield f"Looked at {found.seen:,} values, {share:.1%} of all" + (
        " (--full looks at all)." if share < 1 and not found.undecoded else "."
    )
    if found.undecoded:
        yield f"{found.undecoded} tensors hold packed codes: without scales they mean nothing."
    if found.wide:
        yield f"{found.wide} tensors have rows of more than {WIDEST:,} values and were not read."
    yield from faults(found)
    yield from channels(found)
    yield from losses(found, scheme)


def formats_table(tensors: Iterable[StoredTensor]) -> Iterator[str]:
    """Tensors, values and bytes of each format, the largest first."""
    tensors = list(tensors)
    count = Counter(tensor.format for tensor in tensors)
    nbytes, numel = Counter[str](), Counter[str]()
    for tensor in tensors:
        nbytes[tensor.format] += tensor.nbytes
        numel[tensor.format] += tensor.numel
    yield f"{'format':10}{'tensors':>9}{'values':>20}{'bytes':>12}{'bits':>8}"
    for kind, total in nbytes.most_common():
        bits = 8 * total / numel[kind] if numel[kind] else 0
        yield f"{kind:10}{count[kind]:>9}{numel[kind]:>20,}{size(total):>12}{bits:>8.2f}"


def faults(found: Findings) -> Iterator[str]:
    """NaN, infinities, and what float16 cannot hold."""
    for word, of in (
        ("NaN", lambda s: s.nans),
        ("infinities", lambda s: s.infinities),
        ("values that float16 makes infinite", lambda s: s.to_infinity),
        ("values that float16 makes zero", lambda s: s.to_zero),
    ):
        hit = {name: of(s) for name, s in found.of.items() if of(s)}
        if hit:
            worst = max(hit, key=hit.__getitem__)
            yield f"{word}: {sum(hit.values()):,} in {len(hit)} tensors, most in {worst}"
    if found.of:
        name, largest = max(found.of.items(), key=lambda item: item[1].amax)
        yield f"largest magnitude: {largest.amax:.5g} in {name}"


def channels(found: Findings) -> Iterator[str]:
    """Input channels far above the others of their tensor."""
    out = sorted(
        ((s.peak_channel, name, s.channel) for name, s in found.of.items() if s.stands_out),
        reverse=True,
    )
    if not out:
        yield "no input channel is more than 20 times the median channel of its tensor"
    for ratio, name, channel in out[:SHOWN]:
        yield f"channel {channel} of {name} is {ratio:.0f} times the median channel"
    if len(out) > SHOWN:
        yield f"and {len(out) - SHOWN} tensors more have such a channel"


def losses(found: Findings, scheme: str) -> Iterator[str]:
    """SQNR of a scheme on what was seen: the median, and the tensors that lose most."""
    judged = sorted((s.sqnr, name) for name, s in found.of.items() if s.sqnr is not None)
    refused = [(name, s.refused) for name, s in found.of.items() if s.refused]
    if refused:
        yield ""
        name, reason = refused[0]
        yield f"{scheme} cannot hold {len(refused)} tensors; the first is {name}: {reason}"
    if not judged:
        return
    yield ""
    middle = stats.median(sqnr for sqnr, _ in judged)
    yield f"Signal over noise with {scheme}: {middle:.1f} dB in the median tensor; the lowest:"
    for sqnr, name in judged[:SHOWN]:
        yield f"  {sqnr:6.1f} dB  {name}"


def as_dict(checkpoint: Checkpoint, found: Findings) -> dict[str, object]:
    """Everything for programs; what is not finite is null."""

    def plain(values: dict[str, object]) -> dict[str, object]:
        odd = {k for k, v in values.items() if isinstance(v, float) and not np.isfinite(v)}
        return {k: None if k in odd else v for k, v in values.items()}

    seen = {name: plain(asdict(s)) for name, s in found.of.items()}
    tensors = [asdict(tensor) | {"seen": seen.get(tensor.name)} for tensor in checkpoint.tensors]
    return {"bytes": checkpoint.nbytes, "values": checkpoint.parameters, "tensors": tensors}


def size(nbytes: float) -> str:
    """12.3 MB, 4.56 GB: powers of ten."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if nbytes >= scale:
            return f"{nbytes / scale:.4g} {unit}"
    return f"{nbytes:.0f} B"
