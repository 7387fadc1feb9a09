"""Build the tiny language model's corpus: Python files of pinned packages, split by file.

Run with Python 3.11: `python -m benchmarks.build_corpus`. It downloads the wheels of SOURCES (no
dependencies, nothing is installed), takes their `.py` files and the running interpreter's standard
library, and writes

    .corpus/train.txt.xz                      the training text (not committed)
    halfbits/models/tiny_lm/heldout.txt       whole files that share no span with the training text
    book/data/tiny_lm_corpus.json             sources, versions, licences, bytes, held-out files
    tests/unit/tiny_lm_fingerprint.npz        hashed spans of the training text, one in SAMPLE

Files are joined by END. A span is SPAN consecutive words (identifiers, numbers or single signs).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import lzma
import platform
import re
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

END = "<|endoftext|>"
SPAN = 50
SAMPLE = 128
HELD_OUT_BYTES = 320_000
ROOT = Path(__file__).resolve().parents[1]
RECORD = ROOT / "book" / "data" / "tiny_lm_corpus.json"
HELD_OUT = ROOT / "halfbits" / "models" / "tiny_lm" / "heldout.txt"
FINGERPRINT = ROOT / "tests" / "unit" / "tiny_lm_fingerprint.npz"

# name -> (version, licence). torch comes as the macOS wheel: same Python files, fewer bytes.
SOURCES = {
    "click": ("8.2.1", "BSD-3-Clause"),
    "dask": ("2025.5.1", "BSD-3-Clause"),
    "django": ("5.2.1", "BSD-3-Clause"),
    "flask": ("3.1.1", "BSD-3-Clause"),
    "httpx": ("0.28.1", "BSD-3-Clause"),
    "ipython": ("9.2.0", "BSD-3-Clause"),
    "jinja2": ("3.1.6", "BSD-3-Clause"),
    "matplotlib": ("3.10.3", "PSF-based (Matplotlib license)"),
    "networkx": ("3.4.2", "BSD-3-Clause"),
    "numpy": ("2.2.6", "BSD-3-Clause"),
    "pandas": ("2.2.3", "BSD-3-Clause"),
    "scikit_image": ("0.25.2", "BSD-3-Clause"),
    "scikit_learn": ("1.6.1", "BSD-3-Clause"),
    "scipy": ("1.15.3", "BSD-3-Clause"),
    "statsmodels": ("0.14.4", "BSD-3-Clause"),
    "sympy": ("1.13.3", "BSD-3-Clause"),
    "torch": ("2.7.1", "BSD-3-Clause"),
    "torchao": ("0.11.0", "BSD-3-Clause"),
    "torchvision": ("0.22.1", "BSD-3-Clause"),
    "werkzeug": ("3.1.3", "BSD-3-Clause"),
}
PLATFORMS = {"torch": "macosx_11_0_arm64"}
# Vendored code carries other licences; the rest is data or generated tables in Python's clothes.
SKIP = re.compile(
    r"_?vendor|vendored|externals?/|/extern/|_bundled|site-packages|lib2to3/tests|/test/|idle_test"
    r"|_array_api|array_api_compat|array_api_extra|_lib/pyprima|cobyqa|_highs|rubi/|torch/test|"
    r"conf/locale|_pb2|pydata|pythran|datasets/.*/data"
)
WORD = re.compile(r"\w+|[^\w\s]")


def wheel_files(folder: Path, name: str, version: str) -> Iterator[tuple[str, str]]:
    """(path, text) of every Python file of one wheel, downloaded to `folder` when missing."""
    found = list(folder.glob(f"{name}-{version}-*.whl"))
    if not found:
        tags = ["--platform", PLATFORMS[name]] if name in PLATFORMS else []
        arguments = ["pip", "download", "-q", "--no-deps", "--only-binary=:all:", "-d", str(folder)]
        wanted = ["--python-version", "3.11", *tags, f"{name}=={version}"]
        subprocess.run([sys.executable, "-m", *arguments, *wanted], check=True)
        found = list(folder.glob(f"{name}-{version}-*.whl"))
    with zipfile.ZipFile(found[0]) as wheel:
        for path in sorted(wheel.namelist()):
            if path.endswith(".py"):
                yield path, wheel.read(path).decode("utf-8", errors="replace")


def library_files() -> Iterator[tuple[str, str]]:
    """(path, text) of every module of the running interpreter's standard library."""
    folder = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(folder.rglob("*.py")):
        yield path.relative_to(folder).as_posix(), path.read_text("utf-8", errors="replace")


def usable(path: str, text: str) -> bool:
    """Is this a hand-written file of sensible size, in ASCII but for a few signs?"""
    if SKIP.search(path) or not 256 <= len(text) <= 120_000 or "\ufffd" in text or END in text:
        return False
    digits = len(re.findall(r"\d", text)) / len(text)
    foreign = len(re.findall(r"[^\x00-\x7e]", text)) / len(text)
    return digits < 0.12 and foreign < 0.01


def gather(folder: Path) -> dict[str, str]:
    """Every usable file as "source/path" -> text; the second of two equal texts is dropped."""
    files: dict[str, str] = {}
    seen: set[bytes] = set()
    sources: dict[str, Iterable[tuple[str, str]]] = {"cpython": library_files()}
    sources |= {n: wheel_files(folder, n, version) for n, (version, _) in SOURCES.items()}
    for name, pairs in sources.items():
        for path, text in pairs:
            key = hashlib.sha256(" ".join(text.split()).encode()).digest()
            if usable(path, text) and key not in seen:
                seen.add(key)
                files[f"{name}/{path}"] = text.replace("\r\n", "\n")
    return files


def span_hashes(text: str, memo: dict[str, int] | None = None) -> np.ndarray:
    """uint64 hash of every run of SPAN words: a polynomial in the words' own 64-bit hashes."""
    memo = {} if memo is None else memo
    words = WORD.findall(text)
    for word in {w for w in words if w not in memo}:
        digest = hashlib.blake2b(word.encode(), digest_size=8).digest()
        memo[word] = int.from_bytes(digest, "little")
    values = np.fromiter((memo[w] for w in words), np.uint64, len(words))
    count = max(0, len(words) - SPAN + 1)
    total = np.zeros(count, np.uint64)
    for shift in range(SPAN):
        total = total * np.uint64(6364136223846793005) + values[shift : shift + count]
    return total ^ (total >> np.uint64(29))


def sample_hashes(spans: np.ndarray) -> np.ndarray:
    """One span in SAMPLE, picked by its hash, so that equal spans are both kept: sorted uint32."""
    return np.unique((spans[spans % np.uint64(SAMPLE) == 0] >> np.uint64(7)).astype(np.uint32))


def split(files: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """(train, held out): candidates are every 40th file by hash of its path; those that share a
    span with any other file leave the pool, the first HELD_OUT_BYTES of the rest are held out."""
    order = {p: int(hashlib.sha256(p.encode()).hexdigest(), 16) for p in files}
    pool = [p for p in sorted(files, key=order.__getitem__) if order[p] % 40 == 0]
    train = {p: t for p, t in files.items() if order[p] % 40}
    memo: dict[str, int] = {}
    known = np.unique(np.concatenate([span_hashes(t, memo) for t in train.values()]))
    steps = np.diff(sample_hashes(known), prepend=np.uint32(0))
    np.savez_compressed(FINGERPRINT, steps=steps)
    held: dict[str, str] = {}
    for path in pool:
        spans = span_hashes(files[path], memo)
        size = sum(len(t.encode()) for t in held.values())
        places = np.searchsorted(known, spans).clip(max=len(known) - 1)
        fresh = not (known[places] == spans).any()
        if fresh and 1_500 <= len(files[path]) <= 20_000 and size < HELD_OUT_BYTES:
            held[path] = files[path]
    return train, held


def record(files: dict[str, str], train: dict[str, str], held: dict[str, str]) -> dict:
    """What the corpus is made of, for the notice and the book."""
    licences = {"cpython": (platform.python_version(), "PSF-2.0"), **SOURCES}
    table = []
    for name, (version, licence) in licences.items():
        mine = [t for p, t in train.items() if p.startswith(f"{name}/")]
        row = {"name": name, "version": version, "licence": licence, "train_files": len(mine)}
        table.append(row | {"train_bytes": sum(len(t.encode()) for t in mine)})
    text = END.join(held.values()).encode()
    held_record = {"files": list(held), "bytes": len(text), "span_words": SPAN}
    held_record["sha256"] = hashlib.sha256(text).hexdigest()
    return {"sources": table, "held_out": held_record, "fingerprint_one_in": SAMPLE}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheels", type=Path, default=ROOT / ".corpus" / "wheels")
    folder = parser.parse_args().wheels
    folder.mkdir(parents=True, exist_ok=True)
    files = gather(folder)
    train, held = split(files)
    HELD_OUT.parent.mkdir(parents=True, exist_ok=True)
    HELD_OUT.write_bytes(END.join(held.values()).encode())
    RECORD.parent.mkdir(parents=True, exist_ok=True)
    RECORD.write_text(json.dumps(record(files, train, held), indent=1) + "\n", encoding="utf-8")
    packed = lzma.compress(END.join(train.values()).encode(), preset=3)
    (ROOT / ".corpus" / "train.txt.xz").write_bytes(packed)
    size = sum(len(t) for t in train.values())
    print(f"{len(train)} training files, {size:,} characters, {len(packed):,} bytes packed")
    print(f"{len(held)} held-out files, {HELD_OUT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
