"""Pictures of the terminal for the book: real commands on a copy of the course, drawn as SVG."""

from __future__ import annotations

import html
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.ansi import AnsiDecoder
from rich.console import Console
from rich.terminal_theme import MONOKAI

from halfbits.course.authoring.stub import as_text
from halfbits.course.catalog import Catalog, load_catalog
from halfbits.course.notebook import read_json

WIDTH, MARGIN = 80, 12  # characters; units of the picture
SEED = "7"
COPIED = ("exercises", "solutions", "notebooks", "book/interview", "book/_toc.yml")
# The mistake that a first try makes: the codes are not clamped, so that nothing is ever cut off.
FIRST_TRY = '''import torch
from torch import Tensor


def best_clip(w: Tensor, bits: int, shares: list[float]) -> Tensor:
    """The share of the largest magnitude with the least squared error, for each row of w."""
    top = 2 ** (bits - 1) - 1
    amax = w.abs().amax(1, keepdim=True)
    errors = []
    for share in shares:
        scale = share * amax / top
        scale = torch.where(scale == 0, torch.ones_like(scale), scale)
        errors.append((w - torch.round(w / scale) * scale).square().sum(1))
    return torch.tensor(shares)[torch.stack(errors).argmin(0)]
'''
RIGHT = FIRST_TRY.replace("torch.round(w / scale) *", "torch.round(w / scale).clamp(-top, top) *")
# A terminal without a window around it, in whatever monospaced font the reader has.
FORMAT = """<svg viewBox="-12 -12 {terminal_width} {terminal_height}" \
xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; \
font-size: {char_height}px; line-height: {line_height}px; }}
{styles}
</style>
<rect x="-12" y="-12" width="100%" height="100%" rx="8" fill="#16181d"/>
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</svg>
"""


@dataclass(frozen=True)
class Picture:
    """What is typed, and which answers lie in the course before: exercise, then its cell.

    `handed_in` is what students gave to the exercise `best_clip` of a class, "" for nothing.
    `lines` is how many lines of what is printed are shown; 0 shows all.
    """

    name: str
    command: tuple[str, ...]
    answers: dict[str, str] = field(default_factory=dict)
    handed_in: dict[str, str] = field(default_factory=dict)
    lines: int = 0


PICTURES = (
    Picture("grade", ("grade", "best_clip"), {"best_clip": FIRST_TRY}, lines=9),
    Picture("hint", ("hint", "best_clip")),
    Picture("next", ("next", "--path", "interview")),
    Picture(
        "class",
        ("grade-class", "class", "--exercise", "best_clip"),
        handed_in={"Ada": RIGHT, "Ben": FIRST_TRY, "Chen": ""},
    ),
)


def draw(picture: Picture, root: Path) -> str:
    """The terminal after the command of `picture`, typed in a copy of the course at `root`."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "course"
        for name in COPIED:
            origin, target = root / name, copy / name
            target.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copy if origin.is_file() else shutil.copytree)(origin, target)
        catalog = load_catalog(copy)
        for name, source in picture.answers.items():
            answer(catalog, name, source, catalog.notebook(catalog.find(name)))
        for student, source in picture.handed_in.items():
            answer(catalog, "best_clip", source, copy / "class" / student / "best_clip.ipynb")
        return as_svg(picture, run(picture, copy, Path(folder) / "data"))


def answer(catalog: Catalog, name: str, source: str, target: Path) -> None:
    """Write the notebook of an exercise with one task to `target`, with `source` as its answer."""
    path = catalog.notebook(catalog.find(name))
    notebook: dict[str, Any] = read_json(path)
    (cell,) = [c for c in notebook["cells"] if "answer" in c["metadata"].get("tags", [])]
    if source:
        cell["source"] = source.rstrip("\n").splitlines(keepends=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(as_text(notebook), encoding="utf-8")


def run(picture: Picture, root: Path, data: Path) -> str:
    """What the command prints, colors included."""
    own = {"HALFBITS_ROOT": str(root), "HALFBITS_DATA": str(data), "HALFBITS_SEED": SEED}
    look = {"COLUMNS": str(WIDTH), "FORCE_COLOR": "1", "TERM": "xterm", "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "halfbits", *picture.command],
        cwd=root,
        env={**os.environ, **own, **look},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=False,
    )
    return done.stdout


def as_svg(picture: Picture, printed: str) -> str:
    """The typed line and what was printed below it."""
    typed = f"$ python course.py {' '.join(picture.command)}"
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(width=WIDTH, record=True, file=nowhere, force_terminal=True)
        console.print(typed, style="bold", highlight=False)
        lines = list(AnsiDecoder().decode(printed.strip("\n")))
        for line in lines[: picture.lines or None]:
            console.print(line)
        if picture.lines and len(lines) > picture.lines:
            console.print("…", style="dim", highlight=False)
        name = f"hb-{picture.name}"
        svg = console.export_svg(theme=MONOKAI, code_format=FORMAT, unique_id=name)
    return framed(svg)


def framed(svg: str) -> str:
    """A picture with the same margin on all sides."""

    def widened(found: re.Match[str]) -> str:
        width, height = (float(number) + 2 * MARGIN for number in found.groups())
        return f'viewBox="-{MARGIN} -{MARGIN} {width:g} {height:g}"'

    return re.sub(r'viewBox="-\d+ -\d+ ([\d.]+) ([\d.]+)"', widened, svg)


def write(root: Path) -> list[Path]:
    """Draw all of PICTURES into book/_static/terminal of `root`."""
    folder = root / "book" / "_static" / "terminal"
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for picture in PICTURES:
        path = folder / f"{picture.name}.svg"
        path.write_text(draw(picture, root), encoding="utf-8", newline="\n")
        written.append(path)
    return written


def texts(svg: str) -> list[str]:
    """The words of a picture, piece by piece, by which two are compared.

    Numbers with a point stand as #: their last digits are a processor's own.
    """
    pieces = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    return [re.sub(r"\d+\.\d+(e[+-]\d+)?", "#", html.unescape(text)).strip() for text in pieces]
