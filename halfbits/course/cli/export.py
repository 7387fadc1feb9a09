"""`python course.py export`: the tiny language model, quantized, as another program's file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from halfbits.errors import CourseError

if TYPE_CHECKING:
    from halfbits.models.language_model import LanguageModel
    from halfbits.models.llama import Llama

METHODS = ("none", "rtn", "gptq", "awq", "adaround", "autoround")
SAMPLES = 16  # windows of code that the methods with calibration see


def run(method: str, bits: int, group: int, zeros: bool, form: str, to: Path) -> int:
    """Write the model below `to` and say what it is; CourseError in one sentence."""
    from halfbits.checkpoints.exports import FORMS, bytes_of, export
    from halfbits.models.tiny_lm import load_tiny_lm

    if form not in FORMS:
        raise CourseError(f"--as takes {', '.join(FORMS)}, not {form!r}.")
    exact = load_tiny_lm()
    made = quantized(exact, method, bits, group, zeros)
    path = export(made, form, to)
    count = sum(p.numel() for p in exact.model.parameters())
    nbytes = bytes_of(path)
    print(f"{path}: {form}, {nbytes:,} bytes, {8 * nbytes / count:.2f} bits a weight.")
    print(f"Read by {FORMS[form]}; `python course.py engines` compares what is installed here.")
    return 0


def quantized(
    exact: LanguageModel, method: str, bits: int, group: int, zeros: bool
) -> LanguageModel:
    """The model by one of METHODS; "none" leaves it in float32. Raises CourseError."""
    if method not in METHODS:
        raise CourseError(f"--method takes {', '.join(METHODS)}, not {method!r}.")
    if not 2 <= bits <= 8:
        raise CourseError(f"--bits is {bits}; 2 to 8 have integer codes in these files.")
    if zeros and method not in ("rtn", "gptq"):
        raise CourseError(f"--zeros goes with rtn and gptq; {method} has symmetric codes.")
    if method == "none":
        return exact
    return exact.with_model(_build(exact, method, bits, group, zeros))


def _build(exact: LanguageModel, method: str, bits: int, group: int, zeros: bool) -> Llama:
    import torch

    from halfbits.methods import autoround, awq, gptq, rounding, rtn
    from halfbits.methods.calibration import windows
    from halfbits.models.tiny_lm import END, load_text

    grid = {"bits": bits, "granularity": group}
    zero = {"symmetric": False, "clip": 1.0} if zeros else {}
    if method == "rtn":
        return rtn.quantize(exact.model, **grid, **zero)[0]  # type: ignore[arg-type]
    # The other half of the documents is what `engines` judges on.
    documents = load_text("heldout").split(END)
    data = windows(exact.encode(END + END.join(documents[1::2])), SAMPLES)
    methods: dict[str, Callable[..., tuple[Llama, float]]] = {
        "gptq": gptq.quantize,
        "awq": awq.quantize,
        "adaround": rounding.quantize,
        "autoround": autoround.quantize,
    }
    with torch.random.fork_rng(devices=[]):
        return methods[method](exact.model, data, **grid, **zero)[0]
