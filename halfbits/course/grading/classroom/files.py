"""All files of one student, at any depth and inside archives; links lead nowhere.

An archive is opened if it is a zip or tar file of bounded size whose members stay inside it; only
its notebooks and Python files are unpacked.
"""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from halfbits.course.grading.classroom.names import file_name

ARCHIVES = (".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz")
CLOSED = (".rar", ".7z")
MOST_MEMBERS, MOST_BYTES = 20_000, 64 << 20


def walk(top: Path, lines: list[str]) -> Iterator[Path]:
    """Every file below `top`, hidden ones left out; one line for each that is refused."""
    try:
        entries = sorted(top.iterdir())
    except OSError as error:
        lines.append(f"The folder {top} cannot be read: {error.strerror or error}.")
        return
    for path in (entry for entry in entries if not entry.name.startswith((".", "__"))):
        if path.is_symlink():
            lines.append(linked(path, f"{top.name}/{path.name}"))
        elif path.is_dir():
            yield from walk(path, lines)
        elif path.is_file():
            yield path
        else:
            lines.append(f"{top.name}/{path.name} was left out: it is no plain file.")


def linked(path: Path, name: str) -> str:
    """What is said of a symbolic link, which may lead to a solution or to a classmate's file."""
    where = path.readlink()
    return f"{name} was left out: it is a link to {where}, and a submission is a file of its own."


def unpack(archive: Path, into: Path) -> str:
    """Unpack an archive's notebooks and Python files; "" or why that was refused."""
    into.mkdir(parents=True)
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as file:
                members = [(m.filename, m.file_size, m) for m in file.infolist() if not m.is_dir()]
                _write(members, into, lambda member: file.open(member))
        else:
            with tarfile.open(archive) as tar:
                files = [(m.name, m.size, m) for m in tar if m.isfile()]
                _write(files, into, lambda member: tar.extractfile(member))
    except (OSError, ValueError, RuntimeError, zipfile.BadZipFile, tarfile.TarError) as error:
        shutil.rmtree(into)
        return str(error) or type(error).__name__
    return ""


def is_archive(path: Path) -> bool:
    """Whether the name is that of an archive, opened here or not."""
    return path.suffix.lower() in (*ARCHIVES, *CLOSED)


def _write(members: list[tuple], into: Path, opened: object) -> None:
    if len(members) > MOST_MEMBERS or sum(size for _, size, _ in members) > MOST_BYTES:
        raise ValueError(f"it holds more than {MOST_MEMBERS} files or {MOST_BYTES >> 20} MiB")
    for name, size, member in members:
        inside = PurePosixPath(name.replace("\\", "/"))
        if inside.is_absolute() or ".." in inside.parts:
            raise ValueError(f"its member {name} leads out of it")
        if file_name(inside.name).kind and not any(p.startswith((".", "__")) for p in inside.parts):
            _copy(opened(member), into / inside, size)  # type: ignore[operator]


def _copy(source: IO[bytes], path: Path, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with source:
        data = source.read(size + 1)
    if len(data) > size:
        raise ValueError(f"its member {path.name} is larger than it says")
    path.write_bytes(data)
