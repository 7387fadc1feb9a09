"""Half the Bits in one command: `python course.py start`, `python course.py test`.

The first use makes .venv here and installs the pinned requirements; all arguments are then passed
on to the `halfbits` command line in it. With --here the current environment is used instead
(conda, Colab, JupyterHub). Standard library only; the file has to parse on old Pythons too, so
that they get a sentence and not a traceback.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BUILD = ROOT / "_build"
LOG = BUILD / "install.log"
LOCK = BUILD / "install.lock"
SUPPORTED = ("3.11", "3.12", "3.13")
THIS = ".".join(map(str, sys.version_info[:2]))
NEEDED_GB = 5.0  # .venv with the CPU build of torch measured 4.0; the rest is pip's at work
AGAIN = "then run the same command again: it goes on where it stopped"
USAGE = """usage: python course.py [--here] COMMAND ...

  start      open the course: JupyterLab and the book   (--no-browser, --port N)
  grade      grade your saved notebooks                 (grade quantized_linear)
  watch      grade each notebook as you save it, in a window of its own
  hint       open the next hint of an exercise
  progress   show what is solved and what comes next
  next       the next exercise and why        (--path interview|student|instructor|engineer)
  reset      put an exercise back as it was; your work is kept in a backup
  update     get the newest course by git; your answers are carried over
  leaderboard  the best scores of the capstone  (FILES of others are merged)
  cards      flashcards of the interview questions      (--lang en|zh)
  mock       a mock interview                           (--minutes 30 --level onsite)
  plan       what to do on each day before an interview (--days 10)
  anki       write the questions as Anki decks          (--out DIR)
  bench      measure this machine, GPU or CPU
  why        why a quantized model is slower            (why --weights int4 --batch 32)
  fit        what a model takes and what fits           (fit gpt-oss-120b --card h100)
  inspect    what is in a checkpoint                    (inspect model.safetensors)
  test       for authors: run the project's own tests

  --here     use the current Python environment instead of .venv
"""
OFFLINE = (
    "NewConnectionError|NameResolutionError|name resolution|getaddrinfo|ConnectTimeout|ReadTimeout|"
    "ConnectionReset|Connection aborted|ProxyError|SSLError|Network is unreachable"
)
# What pip or venv printed, and the sentence for it; the first match counts.
CAUSES = (
    ("No space left on device|Errno 28|not enough space", "the disk is full; make room"),
    (
        "externally-managed-environment",
        "this Python belongs to the operating system; leave out --here",
    ),
    (
        "ensurepip is not available|No module named (venv|ensurepip)",
        "this Python cannot make environments; install its venv package "
        "(Debian, Ubuntu: apt install python3-venv)",
    ),
    (
        "Errno 13|Errno 30|Permission denied|Access is denied|Read-only file system",
        "a file cannot be written; put the course in a folder of your own",
    ),
    (OFFLINE, "the package index cannot be reached; check the network or the proxy"),
    (
        "No matching distribution found",
        "a package is not made for this computer and Python; try another Python, 3.11 to 3.13",
    ),
)


class StopError(Exception):
    """The course cannot go on; the text is one sentence for the person."""


def check_version(version: tuple[int, ...] = sys.version_info[:3]) -> None:
    """Refuse a Python that the pinned packages do not install on; name one that is here."""
    shown = ".".join(map(str, version))
    if shown.rpartition(".")[0] in SUPPORTED:
        return
    names = [f"python{name}" for name in reversed(SUPPORTED)]
    found = next((name for name in names if shutil.which(name)), None)
    advice = f"run: {found} course.py start" if found else "install one of them and use it here"
    raise StopError(f"the course needs Python 3.11, 3.12 or 3.13, and this is {shown}; {advice}.")


def check_space(venv: Path = VENV) -> None:
    """Refuse to begin what the disk cannot hold; what is installed already counts."""
    have = sum(file.lstat().st_size for file in venv.rglob("*")) if venv.exists() else 0
    need = max(NEEDED_GB * 1e9 - have, 2e8)
    free = shutil.disk_usage(venv.parent).free
    if free < need:
        raise StopError(
            f"the installation needs {need / 1e9:.1f} GB and {venv.parent} has {free / 1e9:.1f} GB "
            f"free; make room, {AGAIN}."
        )


def check_folder() -> None:
    """Refuse a folder that cannot be written."""
    try:
        BUILD.mkdir(exist_ok=True)
        LOCK.touch()
    except OSError as error:
        cause = f"{ROOT} cannot be written ({error.strerror})"
        raise StopError(f"{cause}; put the course in a folder of your own.") from error


def venv_python(venv: Path = VENV) -> Path:
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def venv_version(venv: Path = VENV) -> str:
    """ "3.11" for an environment made by Python 3.11, "" when there is none that can run."""
    try:
        text = (venv / "pyvenv.cfg").read_text(encoding="utf-8")
    except OSError:
        return ""
    match = re.search(r"^version(?:_info)?\s*=\s*(\d+\.\d+)", text, re.MULTILINE)
    return match.group(1) if match and venv_python(venv).exists() else ""


def digest(version: str) -> str:
    """What the environment must have been made from: the pins, the package, Python, the place."""
    parts = [(ROOT / name).read_bytes() for name in ("requirements.txt", "pyproject.toml")]
    return hashlib.sha256(b"\0".join([*parts, version.encode(), os.fsencode(ROOT)])).hexdigest()


def stamp(here: bool) -> Path:
    """The file that holds the digest of a finished installation."""
    if not here:
        return VENV / "half-the-bits.stamp"
    return BUILD / f"here-{hashlib.sha256(os.fsencode(sys.prefix)).hexdigest()[:12]}.stamp"


def is_ready(here: bool) -> bool:
    version = THIS if here else venv_version()
    if not version or (here and importlib.util.find_spec("halfbits") is None):
        return False
    try:
        return stamp(here).read_text(encoding="utf-8") == digest(version)
    except OSError:
        return False


def try_lock(handle: Any) -> bool:
    """Lock the open file for this process and its children; False if another has it."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # Anything else: a network drive without locks; two starts at once stay the user's care.
        return error.errno not in (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
    return True


@contextlib.contextmanager
def lock() -> Iterator[int]:
    """One installation at a time. Children inherit the lock, so an orphaned pip still holds it."""
    with LOCK.open("a") as handle:
        if not try_lock(handle):
            say("Another start is installing the course; waiting for it.")
            while not try_lock(handle):
                time.sleep(0.5)
        yield handle.fileno()


def install(here: bool) -> None:
    """Make the environment if needed and install the pins and the package in it."""
    check_version()
    check_folder()
    with lock() as held:
        if is_ready(here):
            return
        stamp(here).unlink(missing_ok=True)
        LOG.write_text("", encoding="utf-8")
        began = time.monotonic()
        if not here:
            make_venv(held)
        check_space(Path(sys.prefix) if here else VENV)
        install_packages(Path(sys.executable) if here else venv_python(), here, held)
        version = THIS if here else venv_version()
        stamp(here).write_text(digest(version), encoding="utf-8")
        say(f"Installed in {clock(time.monotonic() - began)}.")


def make_venv(held: int) -> None:
    """Make .venv, or keep the one that works; one that was left half-made is made anew."""
    unfinished = BUILD / "venv.unfinished"
    usable = venv_version() in SUPPORTED
    if usable and not unfinished.exists() and has_pip():
        repair(VENV)
        return
    check_space(VENV)
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        explain("making .venv", f"No module named {missing[0]}")
    say(f"Making an environment for the course in {VENV}")
    unfinished.touch()
    step("making .venv", [sys.executable, "-m", "venv", "--clear", str(VENV)], held)
    unfinished.unlink()


def has_pip() -> bool:
    command = [str(venv_python()), "-m", "pip", "--version"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def repair(venv: Path) -> None:
    """Forget packages whose copying was cut off: pip writes INSTALLER last, yet counts them."""
    for info in venv.glob("[Ll]ib*/**/site-packages/*.dist-info"):
        if not (info / "INSTALLER").exists():
            shutil.rmtree(info)


def install_packages(python: Path, here: bool, held: int) -> None:
    pins = ROOT / "requirements.txt"
    total = len(re.findall(r"^[\w.-]+==", pins.read_text(encoding="utf-8"), re.MULTILINE))
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
    pip += ["--retries", "3", "--progress-bar", "off"]
    env = {} if here else {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}
    say(f"Installing {total} packages; later starts skip this. Details: {LOG.relative_to(ROOT)}")
    step("installing the packages", [*pip, "-r", str(pins)], held, Progress(total), env)
    package = ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
    step("installing the course", [*pip, *package], held, env=env)


class Progress:
    """pip's hundreds of lines as one that changes, or as one in 25 where output is kept."""

    def __init__(self, total: int) -> None:
        self.total, self.count, self.shown = total, 0, 0
        self.began = time.monotonic()
        self.live = sys.stdout.isatty()

    def __call__(self, line: str) -> None:
        match = re.match(
            r"\s*(Collecting|Processing|Requirement already satisfied:|Downloading) (\S+)", line
        )
        if match and match.group(1) != "Downloading":
            self.count = min(self.count + 1, self.total)
        name = re.split(r"==|-\d", Path(match.group(2)).name)[0] if match else ""
        if line.startswith("Installing collected packages"):
            self.show("Unpacking them; this takes a few minutes", always=True)
        elif match:
            self.show(f"{self.count} of {self.total}: {name}", always=False)

    def show(self, text: str, always: bool) -> None:
        text = f"  {clock(time.monotonic() - self.began):>10}  {text}"
        if self.live:
            width = shutil.get_terminal_size().columns - 1
            print("\r" + text[:width].ljust(width), end="\n" if always else "", flush=True)
        elif always or self.count >= self.shown + 25:
            self.shown = self.count
            say(text)


def step(
    what: str,
    command: list[str],
    held: int,
    show: Callable[[str], None] | None = None,
    env: dict[str, str] | None = None,
) -> None:
    """Run one command, its output to the log; its failure is one sentence."""
    lines: list[str] = []
    inherit: dict[str, Any] = {} if os.name == "nt" else {"pass_fds": (held,)}
    full = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", **(env or {})}
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL}
    text = {"encoding": "utf-8", "errors": "replace"}
    with LOG.open("a", encoding="utf-8") as log:
        child = subprocess.Popen(command, env=full, **pipe, **text, **inherit)  # type: ignore[call-overload]
        try:
            for line in child.stdout:
                log.write(line)
                lines.append(line)
                if show:
                    show(line)
            status = child.wait()
        finally:
            if child.poll() is None:
                child.terminate()
                child.wait()
    if status:
        explain(what, "".join(lines))


def explain(what: str, output: str) -> NoReturn:
    """Stop with the cause that the output of a failed step shows."""
    for pattern, cause in CAUSES:
        if re.search(pattern, output):
            raise StopError(f"{what} failed: {cause}, {AGAIN}.")
    last = (output.strip().splitlines() or ["no output"])[-1].strip()
    raise StopError(f"{what} failed ({last}); read {LOG}, mend that, {AGAIN}.")


def clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def say(text: str) -> None:
    print(text, flush=True)


def hand_over(arguments: list[str], here: bool) -> int:
    """Run `halfbits` in the environment, in this process where the system can do that."""
    env = {**os.environ, "HALFBITS_ROOT": str(ROOT)}
    python = sys.executable
    if not here:
        python = str(venv_python())
        path = [str(venv_python().parent), env.get("PATH", "")]
        env.update(VIRTUAL_ENV=str(VENV), PATH=os.pathsep.join(path))
        env.pop("PYTHONHOME", None)
    command = [python, "-m", "halfbits", *arguments]
    if os.name != "nt":
        os.execve(python, command, env)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the child to answer
    return subprocess.run(command, env=env, check=False).returncode


def main(arguments: list[str]) -> int:
    for stream in (sys.stdout, sys.stderr):  # a path may hold letters that a console lacks
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    here = "--here" in arguments
    arguments = [argument for argument in arguments if argument != "--here"]
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(USAGE, end="")
        return 0 if arguments else 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if not is_ready(here):
            install(here)
        return hand_over(arguments, here)
    except KeyboardInterrupt:
        print("\ncourse.py: stopped. Run the same command again: it goes on.", file=sys.stderr)
        return 130
    except StopError as error:
        print(f"\ncourse.py: {error}", file=sys.stderr)
    except OSError as error:
        full = error.errno == errno.ENOSPC
        cause = "the disk is full" if full else f"{error.strerror}: {error.filename}"
        print(f"\ncourse.py: {cause}; mend that, {AGAIN}.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
