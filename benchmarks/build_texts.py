"""Extract the two texts of other domains from Debian packages: English prose and technical English.

`apt-get download r-cran-janeaustenr python3.11-doc`, then
`python -m benchmarks.build_texts FOLDER` with the folder that holds both .deb files.
Writes austen.txt and python_docs.txt beside the tiny language model's held-out text.
"""

from __future__ import annotations

import argparse
import struct
import subprocess
import tempfile
import zlib
from pathlib import Path

END = "<|endoftext|>"
TARGET = Path(__file__).resolve().parents[1] / "halfbits" / "models" / "tiny_lm"
NOVELS = "usr/lib/R/site-library/janeaustenr/data/Rdata.rdb"
GUIDES = "usr/share/doc/python3.11/html/_sources/howto"
GUIDE_NAMES = ("sockets", "sorting", "urllib2", "regex")
PROSE_BYTES = 120_000
STRING, STRINGS = 9, 16  # R's type numbers for one string and for a vector of strings


def unpack(folder: Path, package: str, target: Path) -> None:
    archive = next(folder.glob(f"{package}_*.deb"))
    subprocess.run(["dpkg-deb", "-x", str(archive), str(target)], check=True)


def lazy_objects(data: bytes) -> list[bytes]:
    """The serialized objects of an R .rdb file: each a big-endian length and a zlib stream."""
    objects = []
    while len(data) > 4:
        reader = zlib.decompressobj()
        objects.append(reader.decompress(data[4:]))
        data = reader.unused_data
    return objects


def r_strings(data: bytes) -> list[str]:
    """The first vector of strings of an R serialization (XDR); empty when there is none."""
    for start in range(len(data) - 12):
        kind, count, first = struct.unpack_from(">iii", data, start)
        if kind == STRINGS and count > 1000 and first & 0xFF == STRING:
            return _read_strings(data, start + 8, count)
    return []


def _read_strings(data: bytes, place: int, count: int) -> list[str]:
    lines = []
    for _ in range(count):
        kind, size = struct.unpack_from(">ii", data, place)
        if kind & 0xFF != STRING:
            raise ValueError(f"expected a string at byte {place}, found type {kind & 0xFF}")
        lines.append(data[place + 8 : place + 8 + size].decode("utf-8"))
        place += 8 + size
    return lines


def prose(root: Path) -> str:
    """Whole chapters of Persuasion from the first, up to PROSE_BYTES; END between chapters."""
    novels = [r_strings(data) for data in lazy_objects((root / NOVELS).read_bytes())]
    lines = next(lines for lines in novels if lines and lines[0].upper() == "PERSUASION")
    text = "\n".join(lines)
    chapters = text.split("\nChapter ")[1:]
    kept: list[str] = []
    for chapter in chapters:
        if sum(len(c.encode()) for c in kept) + len(chapter.encode()) <= PROSE_BYTES:
            kept.append("Chapter " + chapter.strip() + "\n")
    return END.join(kept)


def guides(root: Path) -> str:
    paths = [root / GUIDES / f"{name}.rst.txt" for name in GUIDE_NAMES]
    return END.join(path.read_text(encoding="utf-8") for path in paths)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        unpack(folder, "r-cran-janeaustenr", root)
        unpack(folder, "python3.11-doc", root)
        (TARGET / "austen.txt").write_bytes(prose(root).encode())
        (TARGET / "python_docs.txt").write_bytes(guides(root).encode())


if __name__ == "__main__":
    main()
