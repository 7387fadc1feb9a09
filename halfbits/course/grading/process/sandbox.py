"""What a graded answer is kept from: the network, and in a class the files of others; Linux only.

It uses namespaces that the kernel gives to every user; where it does not, nothing is kept away,
and `grade-class` says so.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

CLONE_NEWUSER, CLONE_NEWNET, CLONE_NEWNS = 0x10000000, 0x40000000, 0x20000
MS_RDONLY, MS_REC, MS_PRIVATE, BIND = 1, 0x4000, 0x40000, 0x1000
SYS_MOUNT_SETATTR, AT_FDCWD, AT_RECURSIVE, MOUNT_ATTR_RDONLY = 442, -100, 0x8000, 1
SCRATCH = b"size=256m"
CAPABILITIES_3, PR_SET_NO_NEW_PRIVS = 0x20080522, 38
SHARED = Path("/dev/shm")


def leave_network() -> bool:
    """Move this process into a network namespace without interfaces; False where that fails.

    It must run before any thread starts: a process of several threads may not leave its user
    namespace, which is what a user without privileges has to do first.
    """
    return _unshare(CLONE_NEWNET)


def confine(hidden: Iterable[Path]) -> bool:
    """No network, all files read-only, and `hidden` folders empty; False where that fails.

    `open_scratch` then gives a job its one folder to write to. Call it before any thread starts.
    """
    if not _unshare(CLONE_NEWNET | CLONE_NEWNS):
        return False
    private = _mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None)
    for folder in hidden:
        if folder.is_dir():
            private = private and _mount_empty(os.fsencode(folder), MS_RDONLY, b"size=4k")
    return private and _make_read_only() and _open_shared()


def open_scratch(scratch: str) -> bool:
    """After `confine`, in a job's own process: make `scratch` and shared memory writable."""
    if _libc().unshare(CLONE_NEWNS) != 0:
        return False
    return _mount_empty(os.fsencode(scratch), 0, SCRATCH) and _open_shared()


def show_only(own: Path | None, folders: Iterable[Path]) -> bool:
    """After `confine`, in a job's own process: `folders` are empty, but for `own` inside them."""
    seen = os.open(own, os.O_PATH | os.O_DIRECTORY) if own is not None else None
    done = all(
        _mount_empty(os.fsencode(folder), 0, b"size=64k") for folder in folders if folder.is_dir()
    )
    if own is not None and seen is not None:
        own.mkdir(parents=True, exist_ok=True)
        done = done and _mount(f"/proc/self/fd/{seen}".encode(), os.fsencode(own), None, BIND, None)
        os.close(seen)
    return done


def give_up_rights() -> bool:
    """After the mounts are made, in a job's own process: nothing it runs can change them again.

    Whoever makes a user namespace has every right in it, that to mount among them, and so has each
    process that it forks. A namespace made later finds these mounts locked. Call it before any
    thread starts: capabilities belong to a thread.
    """
    header, none = (ctypes.c_uint32 * 2)(CAPABILITIES_3, 0), (ctypes.c_uint32 * 6)()
    dropped = _libc().capset(header, none) == 0
    return _libc().prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 and dropped


def can_confine() -> bool:
    """Whether `confine` works here, tried in a process of its own."""
    command = [sys.executable, "-m", "halfbits.course.grading.process.sandbox"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _unshare(what: int) -> bool:
    if sys.platform != "linux":
        return False
    uid, gid = os.getuid(), os.getgid()
    if _libc().unshare(CLONE_NEWUSER | what) != 0:
        return False
    # Without the maps the process would lose the right to its own files.
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {uid} 1"),
        ("gid_map", f"{gid} {gid} 1"),
    ):
        Path("/proc/self", name).write_text(text, encoding="ascii")
    return True


def _open_shared() -> bool:
    """Empty shared memory; the temporary folder of a server, whose imports want to have one."""
    if not SHARED.is_dir():
        return True
    os.environ["TMPDIR"] = str(SHARED)
    return _mount_empty(os.fsencode(SHARED), 0, SCRATCH)


class _Attributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "user")]


def _make_read_only() -> bool:
    wanted = _Attributes(MOUNT_ATTR_RDONLY, 0, 0, 0)
    size = ctypes.sizeof(wanted)
    call = (SYS_MOUNT_SETATTR, AT_FDCWD, b"/", AT_RECURSIVE, ctypes.byref(wanted), size)
    return _libc().syscall(*call) == 0


def _mount_empty(place: bytes, flags: int, options: bytes) -> bool:
    return _mount(b"tmpfs", place, b"tmpfs", flags, options)


def _mount(source: bytes, place: bytes, kind: bytes | None, flags: int, data: bytes | None) -> bool:
    return _libc().mount(source, place, kind, ctypes.c_ulong(flags), data) == 0


def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


if __name__ == "__main__":
    sys.exit(0 if confine([]) else 1)
