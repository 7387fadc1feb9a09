"""The waiting room: workers that have imported the frameworks and wait for the next grading.

A verdict needs a process that has never run anything else, and importing a framework takes
seconds. So whoever grades leaves a worker behind that imports in the background and waits, for
ten minutes by default (HALFBITS_SPARE=seconds; 0 for none). The next grading, be it in a
notebook, in pytest or in a watcher, takes it. A seat is a JSON file in the data folder; taking
it is a rename, which only one of several takers can do.
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
from halfbits.errors import CourseError

WAIT = 600.0
MOST = 2  # waiting workers at a time: one that imported TensorFlow holds 0.7 GB
CONNECT = 1.0
SUPERVISOR = "halfbits.course.grading.process.supervisor"
# What can change a result: a worker only serves graders that agree with its own starter on it.
DECISIVE = (
    *("ATEN_", "CUBLAS", "CUDA_", "DNNL_", "KERAS_", "KMP_", "LANG", "LC_", "LD_", "MKL_", "OMP_"),
    *("ONEDNN_", "OPENBLAS_", "PATH", "PYTHON", "TF_", "TORCH", "TZ", "XLA_", "HALFBITS_ROOT"),
)


class Seat:
    """One place in the room: where a supervisor waits for the grader that takes it."""

    def __init__(self, folder: str, key: str, seconds: str) -> None:
        self._path = Path(folder, f"{key}-{os.getpid()}.json")
        self._until = time.monotonic() + float(seconds)

    def wait(self, is_alive: Callable[[], bool]) -> socket.socket | None:
        """The connection to the grader; None when nobody came or the worker died."""
        token = secrets.token_hex(16)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(0.5)
            _write(self._path, {"port": listener.getsockname()[1], "token": token})
            try:
                while time.monotonic() < self._until and is_alive():
                    if channel := _admit(listener, token):
                        return channel
                    if not self._path.exists():
                        # Taken: the taker connects at once, or never.
                        self._until = min(self._until, time.monotonic() + 2 * CONNECT)
            finally:
                with contextlib.suppress(OSError):
                    self._path.unlink()
        return None


def key_of(words: tuple[str, ...], environment: Mapping[str, str]) -> str:
    """What a worker and its taker must have in common, as a hash: code, versions, environment."""
    installed = Path(sysconfig.get_path("purelib")).stat().st_mtime_ns
    decisive = sorted(item for item in environment.items() if item[0].startswith(DECISIVE))
    whole = repr((words, sys.executable, str(LIBRARY), fingerprint(GRADER), installed, decisive))
    return hashlib.sha256(whole.encode("utf-8", "surrogateescape")).hexdigest()[:20]


def take(key: str) -> socket.socket | None:
    """A connection to a supervisor that waits under `key`, or None."""
    return next((channel for path in waiting(key) if (channel := _take(path))), None)


def waiting(key: str) -> list[Path]:
    """The seats of those who wait under `key`."""
    folder = _folder()
    return sorted(folder.glob(f"{key}-*.json")) if folder else []


def leave(key: str, words: tuple[str, ...], environment: Mapping[str, str]) -> None:
    """Start a supervisor that waits under `key`, unless one does or the learner wants none.

    Of forking servers, MOST may wait: each serves one of a class run's threads.
    """
    folder, wanted = _folder(), MOST if "--fork" in words else 1
    if folder is None or len(waiting(key)) >= wanted:
        return
    for path in sorted(folder.glob("*.json"), key=_age)[: -(MOST - 1) or None]:
        if channel := _take(path):
            channel.close()  # its supervisor ends then
    # A process that has run an operation has threads, and is not to fork then.
    early = [] if "--fork" in words else ["--warm"]
    command = [
        sys.executable,
        "-P",
        "-X",
        "utf8",
        "-m",
        SUPERVISOR,
    ]
    command += ["--wait", str(folder), key, str(_seconds()), "--", *early, *words]
    with contextlib.suppress(OSError):
        _start(command, environment)


def _start(command: list[str], environment: Mapping[str, str]) -> None:
    flags = {"start_new_session": True}
    if sys.platform == "win32":
        flags = {"creationflags": subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP}
    null = subprocess.DEVNULL
    started = subprocess.Popen(
        command,
        stdin=null,
        stdout=null,
        stderr=null,
        cwd=Path.home().anchor,
        env=dict(environment),
        **flags,  # type: ignore[call-overload]
    )
    started.returncode = 0  # it outlives us on purpose: Popen is not to warn of that


def _take(path: Path) -> socket.socket | None:
    mine = path.with_suffix(f".taken-{os.getpid()}-{secrets.token_hex(4)}")
    try:
        path.rename(mine)
        seat = json.loads(mine.read_text(encoding="utf-8"))
        mine.unlink()
        channel = socket.create_connection(("127.0.0.1", seat["port"]), CONNECT)
        channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        channel.sendall(seat["token"].encode())
        channel.settimeout(None)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return channel


def _admit(listener: socket.socket, token: str) -> socket.socket | None:
    try:
        channel, _ = listener.accept()
    except TimeoutError:
        return None
    channel.settimeout(CONNECT)
    said = b""
    with contextlib.suppress(OSError):
        while len(said) < len(token) and (more := channel.recv(len(token) - len(said))):
            said += more
    if not secrets.compare_digest(said, token.encode()):
        channel.close()
        return None
    channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    channel.settimeout(None)
    return channel


def _write(path: Path, seat: dict[str, object]) -> None:
    draft = path.with_suffix(".draft")
    descriptor = os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123
        json.dump(seat, file)
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
