"""Idle workers: they have imported the frameworks and wait for the next grading.

A verdict needs a process that has never run anything else, and importing a framework takes
seconds. So each grading starts a worker that imports in the background and waits, for ten
minutes by default (HALFBITS_SPARE=seconds; 0 for none). The next grading, in a notebook, in
pytest or in a watcher, claims it. An idle worker is registered by a JSON file in the data
folder; claiming it renames the file, which only one of several graders can do.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import socket
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from halfbits.course.fingerprint import GRADER, LIBRARY, fingerprint
from halfbits.course.grading.process.launch import SUPERVISOR, detached, module_command
from halfbits.errors import CourseError

WAIT = 600.0
MOST = 2  # idle workers at a time: one that imported TensorFlow holds 0.7 GB
CONNECT = 1.0
# What can change a result: a worker only serves graders that agree with its own starter on it.
DECISIVE = (
    *("ATEN_", "CUBLAS", "CUDA_", "DNNL_", "KERAS_", "KMP_", "LANG", "LC_", "LD_", "MKL_", "OMP_"),
    *("ONEDNN_", "OPENBLAS_", "PATH", "PYTHON", "TF_", "TORCH", "TZ", "XLA_", "HALFBITS_ROOT"),
)


class Registration:
    """An idle worker's file in the data folder: the port and the token of its supervisor."""

    def __init__(self, folder: str, key: str, seconds: str) -> None:
        self._path = Path(folder, f"{key}-{os.getpid()}.json")
        self._until = time.monotonic() + float(seconds)

    def wait(self, is_alive: Callable[[], bool]) -> socket.socket | None:
        """The connection to the grader that claims it; None if none came or the worker died."""
        token = secrets.token_hex(16)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(0.5)
            _write(self._path, {"port": listener.getsockname()[1], "token": token})
            try:
                while time.monotonic() < self._until and is_alive():
                    if channel := _accept(listener, token):
                        return channel
                    if not self._path.exists():
                        # Claimed: the grader connects at once, or never.
                        self._until = min(self._until, time.monotonic() + 2 * CONNECT)
            finally:
                with contextlib.suppress(OSError):
                    self._path.unlink()
        return None


def key_of(arguments: tuple[str, ...], environment: Mapping[str, str]) -> str:
    """What a worker and its grader must have in common, as a hash: code, versions, environment."""
    installed = Path(sysconfig.get_path("purelib")).stat().st_mtime_ns
    decisive = sorted(item for item in environment.items() if item[0].startswith(DECISIVE))
    whole = (arguments, sys.executable, str(LIBRARY), fingerprint(GRADER), installed, decisive)
    return hashlib.sha256(repr(whole).encode("utf-8", "surrogateescape")).hexdigest()[:20]


def claim(key: str) -> socket.socket | None:
    """A connection to the supervisor of an idle worker of this `key`, or None."""
    return next((channel for path in registered(key) if (channel := _claim(path))), None)


def registered(key: str) -> list[Path]:
    """The files of the idle workers of this `key`."""
    folder = _folder()
    return sorted(folder.glob(f"{key}-*.json")) if folder else []


def start(key: str, arguments: tuple[str, ...], environment: Mapping[str, str]) -> None:
    """Start an idle worker of this `key`, unless there is one or the learner wants none.

    Of forking servers there may be MOST: each serves one of a class run's threads.
    """
    folder, wanted = _folder(), MOST if "--fork" in arguments else 1
    if folder is None or len(registered(key)) >= wanted:
        return
    for path in sorted(folder.glob("*.json"), key=_age)[: -(MOST - 1) or None]:
        if channel := _claim(path):
            channel.close()  # its supervisor ends then
    # A process that has run an operation has threads, and is not to fork then.
    early = [] if "--fork" in arguments else ["--warm"]
    waits = ["--wait", str(folder), key, str(_seconds()), "--"]
    with contextlib.suppress(OSError):
        _start(module_command(SUPERVISOR, *waits, *early, *arguments), environment)


def _start(command: list[str], environment: Mapping[str, str]) -> None:
    null = subprocess.DEVNULL
    started = subprocess.Popen(
        command,
        stdin=null,
        stdout=null,
        stderr=null,
        cwd=Path.home().anchor,
        env=dict(environment),
        **detached(),
    )
    started.returncode = 0  # it outlives us on purpose: Popen is not to warn of that


def _claim(path: Path) -> socket.socket | None:
    mine = path.with_suffix(f".taken-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        path.rename(mine)
        found = json.loads(mine.read_text(encoding="utf-8"))
        mine.unlink()
        channel = socket.create_connection(("127.0.0.1", found["port"]), CONNECT)
        channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        channel.sendall(found["token"].encode())
        channel.settimeout(None)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return channel


def _accept(listener: socket.socket, token: str) -> socket.socket | None:
    """The next connection, if it begins with `token`."""
    try:
        channel, _ = listener.accept()
    except TimeoutError:
        return None
    channel.settimeout(CONNECT)
    received = b""
    with contextlib.suppress(OSError):
        while len(received) < len(token) and (more := channel.recv(len(token) - len(received))):
            received += more
    if not secrets.compare_digest(received, token.encode()):
        channel.close()
        return None
    channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    channel.settimeout(None)
    return channel


def _write(path: Path, content: dict[str, object]) -> None:
    draft = path.with_suffix(".draft")
    descriptor = os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123
        json.dump(content, file)
    draft.replace(path)


def _age(path: Path) -> float:
    with contextlib.suppress(OSError):
        return path.stat().st_mtime
    return 0.0


def _folder() -> Path | None:
    if not _seconds():
        return None
    from halfbits.folders import data_folder

    try:
        folder = data_folder() / "waiting"
        folder.mkdir(mode=0o700, exist_ok=True)
    except (CourseError, OSError):
        return None
    return folder


def _seconds() -> float:
    text = os.environ.get("HALFBITS_SPARE", str(WAIT))
    try:
        return max(0.0, float(text))
    except ValueError:
        raise CourseError(
            f"HALFBITS_SPARE is {text!r}: set it to the seconds that a worker waits, or to 0."
        ) from None
