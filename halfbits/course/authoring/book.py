"""Builds the book from sources staged under _build/ and keeps the last good pages."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from halfbits.course.catalog import load_catalog
from halfbits.course.fingerprint import BOOK, RULES, fingerprint
from halfbits.folders import CATALOG, find_root

STAGED = ("book", "notebooks", "solutions")
MACHINERY = (
    "book/_templates",
    "book/_config.yml",
    "book/_toc.yml",
    "exercises/course.toml",
)
TOOLS = (
    *("jupyter-book", "sphinx", "sphinx-book-theme", "myst-nb", "latex2mathml"),
    *("lightningcss", "fonttools"),
)
CLUTTER = {".ipynb_checkpoints", "__pycache__", ".DS_Store"}


@dataclass(frozen=True)
class Site:
    """Where one build reads (`root`, a checkout) and writes (`work`, its _build folder)."""

    root: Path
    work: Path

    @property
    def source(self) -> Path:
        return self.work / "book-source"

    @property
    def pages(self) -> Path:
        """The finished pages; replaced only by a build without a warning."""
        return self.work / "book" / "html"

    @property
    def draft(self) -> Path:
        return self.work / "book" / "_build"

    @property
    def log(self) -> Path:
        return self.work / "book" / "build.log"

    @property
    def stamp(self) -> Path:
        return self.work / "book" / "stamp.json"

    @cached_property
    def fingerprint(self) -> dict[str, str]:
        """`all`: hash of every input; `machinery`: of the inputs whose change Sphinx cannot see."""
        tools = " ".join(f"{tool} {version(tool)}" for tool in TOOLS).encode()
        machinery = hashlib.sha256(tools + fingerprint(BOOK).encode())
        everything = machinery.copy()
        for path in sorted(files_of(self.root, *MACHINERY)):
            machinery.update(described(self.root, path))
        everything.update(fingerprint(RULES).encode())
        checks = (self.root / "exercises").rglob("test_*.py")
        for path in sorted({*files_of(self.root, *STAGED, "exercises/course.toml"), *checks}):
            everything.update(described(self.root, path))
        return {"all": everything.hexdigest(), "machinery": machinery.hexdigest()}


def build(force: bool = False, *, root: Path | None = None, work: Path | None = None) -> int:
    """Build the book of the checkout at `root` into `work`/book/html; 0 if it is current."""
    from filelock import FileLock

    root = root or find_root()
    site = Site(root, work or root / "_build")
    if not force and is_current(site):
        print("The book is up to date.")
        return 0
    site.log.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(site.log.parent / "lock"):
        return 0 if not force and is_current(site) else build_now(site, force)


def is_current(site: Site) -> bool:
    stamp = read_stamp(site)
    return stamp.get("all") == site.fingerprint["all"] and (site.pages / "index.html").is_file()


def build_now(site: Site, force: bool) -> int:
    print("Building the book (the first time it takes up to a minute) ...", flush=True)
    # The stamp is gone while a build runs. Sphinx repeats no warning of a page that it has read,
    # so after a failed or interrupted build the next one must read every page again.
    resumable = read_stamp(site).get("machinery") == site.fingerprint["machinery"]
    site.stamp.unlink(missing_ok=True)
    if force or not resumable:
        shutil.rmtree(site.draft, ignore_errors=True)
    mirror(staged_files(site), site.source)
    status = run_jupyter_book(site)
    if status != 0:
        print(f"The book was not built: read the end of {site.log}.", file=sys.stderr)
        return 1
    html = site.draft / "html"
    mirror({path.relative_to(html): path for path in files_of(html, ".")}, site.pages)
    site.stamp.write_text(json.dumps(site.fingerprint), encoding="utf-8")
    print(f"The book is in {site.pages}.")
    return 0


def staged_files(site: Site) -> dict[Path, Path | bytes]:
    """What the build reads: the repository's own pages, the catalog, and each exercise as its
    pristine stub."""
    staged: dict[Path, Path | bytes] = {
        path.relative_to(site.root): path for path in files_of(site.root, *STAGED)
    }
    staged[Path(CATALOG)] = site.root / CATALOG
    catalog = load_catalog(site.root)
    for exercise in catalog.exercises:
        solution = catalog.notebook(exercise, "solutions")
        if solution.is_file():
            from halfbits.course.authoring.stub import stub_text

            name = catalog.notebook(exercise).relative_to(site.root)
            staged[name] = stub_text(solution).encode()
    return staged


def run_jupyter_book(site: Site) -> int:
    """Run Jupyter Book on the staged sources; every warning fails the build. Output: the log."""
    book = site.source / "book"
    arguments = ["build", str(site.source), "--path-output", str(site.log.parent)]
    arguments += ["--config", str(book / "_config.yml"), "--toc", str(book / "_toc.yml")]
    arguments += ["--warningiserror", "--keep-going"]
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", *arguments]
    # course.py names its own checkout; what is built may be another.
    environment = {**os.environ, "PYTHONUTF8": "1", "HALFBITS_ROOT": str(site.root)}
    with site.log.open("w", encoding="utf-8") as log:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
        )
    # Jupyter Book colors its output, whatever it writes to.
    text = site.log.read_text(encoding="utf-8", errors="replace")
    site.log.write_text(re.sub(r"\x1b\[[\d;]*m", "", text), encoding="utf-8")
    return done.returncode


def files_of(root: Path, *names: str) -> Iterator[Path]:
    """Every file at or below the named places of `root`, without editors' and Python's clutter."""
    for place in (root / name for name in names):
        for path in [place] if place.is_file() else place.rglob("*"):
            if path.is_file() and CLUTTER.isdisjoint(path.relative_to(root).parts):
                yield path


def described(root: Path, path: Path) -> bytes:
    """One file's name and content, unambiguous in a row of them."""
    content = hashlib.sha256(path.read_bytes()).digest()
    return path.relative_to(root).as_posix().encode() + b"\0" + content


def mirror(files: dict[Path, Path | bytes] | dict[Path, Path], folder: Path) -> None:
    """Make `folder` hold exactly `files`; a file whose content is the same keeps its time."""
    for name, origin in files.items():
        content = origin.read_bytes() if isinstance(origin, Path) else origin
        target = folder / name
        if not target.is_file() or target.read_bytes() != content:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    if folder.is_dir():
        for path in list(files_of(folder, ".")):
            if path.relative_to(folder) not in files:
                path.unlink()


def read_stamp(site: Site) -> dict[str, str]:
    try:
        return json.loads(site.stamp.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
