"""A quantized model that an answer delivers as files: what they take, and what was used besides.

What is written goes through a folder into which the judge copies it, file by file; `opened` notes
what else is read.
"""

from __future__ import annotations

import copy
import gc
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from halfbits.course.checks import expect, memory
from halfbits.course.checks.opened import WATCH, stamp
from halfbits.course.checks.threads import one_thread
from halfbits.course.checks.whole_models import HIDDEN, Case

KEPT = 16 * 1024  # bytes that a function may remember: a table of levels, not weights
FILES = 16
WHY = "a quantized model is its files, at their true size: what it needs besides them saves nothing"
# A file of so few bits a weight cannot come closer: at R bits, a Gaussian weight keeps an error of
# 2^-2R of its variance at best, at 4.5 a thirteenth of what plain int4 leaves; a tenth of that is
# given away.
CLOSEST = 0.008


@dataclass(frozen=True)
class Delivery:
    """What an answer wrote and read back; reading began at entry `mark`, at the stamp `began`.

    `kept` is what outlived the writing, in bytes: 0 where nobody looked.
    """

    size: int
    said: Any
    model: Any
    kept: int
    folder: Path
    mark: int
    began: int

    @property
    def opened(self) -> list[str]:
        """What reading it, or calling its model since, opened besides its own files."""
        return WATCH.since(self.mark, self.began, self.folder)


@one_thread()
def deliver(answer: Any, *cases: Case, audited: bool = False) -> list[Delivery]:
    """Each case written, its weights wiped, its files copied; then each read back.

    The cases are of one shape, and each is lent in the same model, tokens and folder, so that what
    an answer remembers by their place is out of date. `audited` looks for what outlives the calls,
    which takes half a second.
    """
    names = memory.namespace_of(getattr(answer.write_model, "__wrapped__", answer.write_model))
    before, arrays = (_reached(names), memory.Snapshot()) if audited else (0, None)
    written = _written(answer, cases)
    kept = max(_reached(names) - before, arrays.written()) if arrays else 0
    return [_read(answer, case, *one, kept) for case, one in zip(cases, written, strict=True)]


def _reached(names: dict[str, Any]) -> int:
    """The bytes that the answer's names lead to."""
    gc.collect()
    return memory.held(*names.values(), module="__main__")


def _written(answer: Any, cases: Sequence[Case]) -> list[tuple[Path, Any]]:
    """The folder of each case's files, moved, and what write_model returned."""
    lent, folder = copy.deepcopy(cases[0].model), Path(tempfile.mkdtemp())
    tokens, found = _view_like(cases[0].calibration), []
    for case in cases:
        lent.load_state_dict(case.model.state_dict())
        tokens.copy_(case.calibration)
        said = answer.write_model(lent, tokens, case.budget, folder)
        found.append((_moved(folder), said))
        folder.mkdir()
        for parameter in lent.parameters():
            parameter.data.zero_()
    folder.rmdir()
    return found


def _view_like(tokens: Tensor) -> Tensor:
    """A view of every second number of a tensor, of the shape and type of `tokens`."""
    return torch.zeros(*tokens.shape, 2, dtype=tokens.dtype)[..., 0]


def _moved(folder: Path) -> Path:
    """The contents of its files in another folder, the first one gone."""
    bytes_in(folder)  # refuses what is no plain file
    moved = Path(tempfile.mkdtemp()) / "moved"
    shutil.copytree(folder, moved, copy_function=shutil.copyfile)
    shutil.rmtree(folder)
    return moved


def _read(answer: Any, case: Case, folder: Path, said: Any, kept: int) -> Delivery:
    size, mark, began = bytes_in(folder), len(WATCH.opened), stamp()
    model = answer.read_model(folder, case.model.config)
    return Delivery(size, said, model, kept, folder, mark, began)


def bytes_in(folder: Path) -> int:
    """The bytes of all files of `folder`; links, folders and more than a few files are refused."""
    entries = sorted(folder.iterdir())
    plain = all(path.is_file() and not path.is_symlink() for path in entries)
    expect.true(plain, of="the folder", expected="plain files", got="a link, folder or device")
    expect.true(
        0 < len(entries) <= FILES,
        of="the folder",
        expected=f"1 to {FILES} files",
        got=f"{len(entries)} files",
    )
    return sum(path.stat().st_size for path in entries)


def fits(made: Delivery, case: Case) -> None:
    """Demand that the files take at most the budget, and that their bytes were named."""
    most, found = f"at most {case.budget:,} bytes", f"{made.size:,} bytes"
    _demand(made.size <= case.budget, "the files of write_model", most, found)
    _demand(made.said == made.size, "the bytes returned by write_model", made.size, made.said)


def hides_nothing(made: Delivery) -> None:
    """Demand that nothing outlived the writing, and that no other file and no hidden text was read.

    The delivery has to be an audited one.
    """
    memory, kept = f"at most {KEPT:,} bytes kept in memory", f"{made.kept:,} bytes that outlive it"
    _demand(made.kept <= KEPT, "write_model, once it has returned", memory, kept)
    hidden = [name for name in WATCH.opened if name.endswith(HIDDEN)]
    for place, opened in (("the model read back", made.opened), ("the answer", hidden)):
        _demand(not opened, place, "no file opened but its own", f"opened {', '.join(opened)}")


def as_lossy_as_its_size(ratio: float) -> None:
    """Demand that a KL over that of plain rounding is one that so few bits can reach."""
    elsewhere = ": float weights come from somewhere else" if ratio < CLOSEST else ""
    least = f"at least {CLOSEST} of the KL that plain rounding leaves"
    _demand(ratio >= CLOSEST, "the model read back", least, f"{ratio:.2g} of it{elsewhere}")


def _demand(holds: bool, called: str, expected: object, got: object) -> None:
    expect.true(holds, called=called, expected=expected, got=got, why=WHY)
