"""course.py: what it refuses, what it remembers, how it goes on after a break."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import venv
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

SOURCE = Path(__file__).parents[2] / "course.py"
FOLDER = "cours d'été/half the bits"


def load(folder: Path) -> ModuleType:
    """A course.py in a folder of its own, with a requirements file of two pins."""
    folder.mkdir(parents=True)
    shutil.copy(SOURCE, folder)
    (folder / "requirements.txt").write_text("one==1.0\ntwo==2.0\n", encoding="utf-8")
    (folder / "pyproject.toml").write_text("[project]\nname = 'tiny'\n", encoding="utf-8")
    spec = importlib.util.spec_from_file_location("course_under_test", folder / "course.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def course(tmp_path, monkeypatch):
    """course.py in a path with spaces and accents, with steps that only record themselves."""
    module = load(tmp_path / FOLDER)
    module.done = []

    def step(what, command, held, show=None, env=None):
        module.done.append(what)
        if what == "making .venv":
            venv.create(module.VENV, with_pip=False)
            (module.VENV / "made").touch()

    monkeypatch.setattr(module, "step", step)
    monkeypatch.setattr(module, "has_pip", lambda: True)
    return module


def test_file_parses_on_an_old_python():
    ast.parse(SOURCE.read_text(encoding="utf-8"), feature_version=(3, 8))


def test_it_imports_only_the_standard_library():
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    names = {n.name for i in ast.walk(tree) if isinstance(i, ast.Import) for n in i.names}
    names |= {i.module for i in ast.walk(tree) if isinstance(i, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 12, 7), (3, 13, 1)])
def test_supported_python_is_accepted(course, version):
    course.check_version(version)


@pytest.mark.parametrize("version", [(3, 8, 10), (3, 10, 14), (3, 14, 0), (3, 1, 1)])
def test_other_python_is_refused_in_a_sentence(course, version):
    shown = ".".join(map(str, version))
    with pytest.raises(course.StopError, match=f"needs Python 3.11, 3.12 or 3.13, .*{shown}; "):
        course.check_version(version)


def test_refusal_names_a_python_that_is_here(course, monkeypatch):
    monkeypatch.setattr(course.shutil, "which", lambda name: name == "python3.12" or None)
    with pytest.raises(course.StopError, match=r"run: python3\.12 course\.py start"):
        course.check_version((3, 9, 2))


def test_full_disk_is_refused_before_anything_is_made(course, monkeypatch):
    monkeypatch.setattr(course.shutil, "disk_usage", lambda _: SimpleNamespace(free=5e8))
    with pytest.raises(course.StopError, match=r"needs 5\.0 GB and .* has 0\.5 GB free"):
        course.install(here=False)
    assert course.done == []
    assert not course.VENV.exists()


def test_what_is_installed_counts_as_space(course, monkeypatch):
    course.VENV.mkdir()
    with (course.VENV / "big").open("wb") as file:
        file.truncate(int(4.9e9))
    monkeypatch.setattr(course.shutil, "disk_usage", lambda _: SimpleNamespace(free=5e8))
    course.check_space(course.VENV)


def test_first_use_makes_the_environment_then_installs_then_remembers(course):
    assert not course.is_ready(here=False)
    course.install(here=False)
    assert course.done == ["making .venv", "installing the packages", "installing the course"]
    assert course.is_ready(here=False)


def test_second_use_does_nothing(course):
    course.install(here=False)
    course.done.clear()
    course.install(here=False)
    assert course.done == []


@pytest.mark.parametrize("name", ["requirements.txt", "pyproject.toml"])
def test_changed_requirements_are_installed_into_the_same_environment(course, name):
    course.install(here=False)
    course.done.clear()
    with (course.ROOT / name).open("a", encoding="utf-8") as file:
        file.write("# three\n")
    assert not course.is_ready(here=False)
    course.install(here=False)
    assert course.done == ["installing the packages", "installing the course"]
    assert course.is_ready(here=False)


def test_moved_folder_is_installed_again(course, monkeypatch):
    course.install(here=False)
    monkeypatch.setattr(course, "ROOT", course.ROOT.parent)
    for name in ("requirements.txt", "pyproject.toml"):
        shutil.copy(SOURCE.parent / name, course.ROOT)
    assert not course.is_ready(here=False)


def test_environment_of_an_unsupported_python_is_made_anew(course):
    course.install(here=False)
    config = course.VENV / "pyvenv.cfg"
    text = config.read_text(encoding="utf-8")
    config.write_text(re.sub(r"(?m)^version = .*", "version = 3.9.2", text), encoding="utf-8")
    course.done.clear()
    course.install(here=False)
    assert course.done[0] == "making .venv"


def fail_at(course, monkeypatch, where: str) -> None:
    working = course.step

    def step(what, *arguments, **options):
        if what == where:
            raise course.StopError("broken here")
        working(what, *arguments, **options)

    monkeypatch.setattr(course, "step", step)
    with pytest.raises(course.StopError):
        course.install(here=False)
    monkeypatch.setattr(course, "step", working)
    course.done.clear()


def test_install_cut_off_goes_on_in_the_same_environment(course, monkeypatch):
    fail_at(course, monkeypatch, "installing the packages")
    assert not course.is_ready(here=False)
    course.install(here=False)
    assert course.done == ["installing the packages", "installing the course"]


def test_environment_cut_off_is_made_anew(course, monkeypatch):
    fail_at(course, monkeypatch, "making .venv")
    venv.create(course.VENV, with_pip=False)
    course.install(here=False)
    assert course.done[0] == "making .venv"
    assert course.is_ready(here=False)


def test_failed_update_does_not_leave_the_old_stamp(course, monkeypatch):
    course.install(here=False)
    (course.ROOT / "requirements.txt").write_text("one==1.1\n", encoding="utf-8")
    fail_at(course, monkeypatch, "installing the packages")
    (course.ROOT / "requirements.txt").write_text("one==1.0\ntwo==2.0\n", encoding="utf-8")
    assert not course.is_ready(here=False)


def test_package_whose_copying_was_cut_off_is_forgotten(course):
    packages = course.VENV / "lib" / "python3.11" / "site-packages"
    for name in ("whole-1.0.dist-info", "half-1.0.dist-info"):
        (packages / name).mkdir(parents=True)
        (packages / name / "METADATA").touch()
    (packages / "whole-1.0.dist-info" / "INSTALLER").touch()
    course.repair(course.VENV)
    assert [path.name for path in packages.iterdir()] == ["whole-1.0.dist-info"]


@pytest.mark.parametrize(
    ("output", "says"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("Retrying ... NewConnectionError ...\nERROR: No matching distribution found", "network"),
        ("ERROR: No matching distribution found for torch==2.13.0", "try another Python"),
        ("error: externally-managed-environment", "leave out --here"),
        ("PermissionError: [Errno 13] Permission denied: 'x'", "folder of your own"),
        ("ensurepip is not available", "python3-venv"),
        ("first\nsomething unheard of\n", r"\(something unheard of\); read .*install\.log"),
        ("", "no output"),
    ],
)
def test_failure_is_one_sentence_that_says_what_to_do(course, output, says):
    with pytest.raises(course.StopError, match=says) as raised:
        course.explain("installing the packages", output)
    assert str(raised.value).startswith("installing the packages failed")
    assert "run the same command again" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_python_without_venv_is_named_before_it_is_tried(course, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "ensurepip" else real(name)
    )
    with pytest.raises(course.StopError, match="apt install python3-venv"):
        course.install(here=False)


def test_only_one_installs_at_a_time(course):
    course.check_folder()
    with course.lock(), course.LOCK.open("a") as other:
        assert not course.try_lock(other)
    with course.LOCK.open("a") as other:
        assert course.try_lock(other)


def test_folder_that_cannot_be_written_is_refused(course):
    course.BUILD.touch()  # a file where the folder should be
    with pytest.raises(course.StopError, match=r"cannot be written .*folder of your own"):
        course.install(here=False)


def test_current_environment_is_used_when_asked(course, monkeypatch):
    seen = []
    monkeypatch.setattr(course, "install_packages", lambda python, here, held: seen.append(python))
    course.install(here=True)
    assert seen == [Path(sys.executable)]
    assert not course.VENV.exists()
    assert course.is_ready(here=True) == (importlib.util.find_spec("halfbits") is not None)


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(folder / "course.py"), *arguments]
    return subprocess.run(
        command, cwd=folder.parent, capture_output=True, encoding="utf-8", timeout=120, check=False
    )


def test_words_and_exit_status_pass_through_from_any_folder(course):
    """The stand-in for halfbits lies where `-m` looks first: the folder of the caller."""
    course.install(here=False)
    package = course.ROOT.parent / "halfbits"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(
        "import os, sys\nprint(sys.argv[1:], os.environ['HALFBITS_ROOT'], sys.prefix, sep='|')\n"
        "sys.exit(7)\n",
        encoding="utf-8",
    )
    done = run(course.ROOT, "grade", "a name", "--answers", "é", "--", "$HOME")
    assert done.returncode == 7, done.stderr
    arguments, root, prefix = done.stdout.strip().split("|")
    assert arguments == "['grade', 'a name', '--answers', 'é', '--', '$HOME']"
    assert Path(root).samefile(course.ROOT)
    assert Path(prefix).samefile(course.VENV)


def test_no_words_shows_the_commands_and_installs_nothing(course):
    for arguments, status in (((), 2), (("--help",), 0)):
        done = run(course.ROOT, *arguments)
        assert done.returncode == status
        assert "start" in done.stdout and "test" in done.stdout
    assert not course.VENV.exists()


def test_failing_step_keeps_its_whole_output_in_the_log(tmp_path):
    course = load(tmp_path / FOLDER)
    course.check_folder()
    script = "print('one'); print('Errno 28'); raise SystemExit(3)"
    with course.lock() as held, pytest.raises(course.StopError, match="the disk is full"):
        course.step("trying", [sys.executable, "-c", script], held)
    assert course.LOG.read_text(encoding="utf-8") == "one\nErrno 28\n"


@pytest.mark.skipif(os.name == "nt", reason="needs signals between processes")
@pytest.mark.parametrize(("name", "status"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_stopping_an_install_ends_its_children(tmp_path, name, status):
    course = load(tmp_path / FOLDER)
    course.BUILD.mkdir()
    pid = tmp_path / "pid"
    child = f"import os, pathlib, time; pathlib.Path({str(pid)!r}).write_text(str(os.getpid())); "
    driver = (
        "import sys, course\n"
        "def install(here):\n"
        "    with course.lock() as held:\n"
        f"        course.step('x', [sys.executable, '-c', {child + 'time.sleep(600)'!r}], held)\n"
        "course.install = install\nsys.exit(course.main(['start']))\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", driver], cwd=course.ROOT)
    deadline = time.monotonic() + 120
    while not (pid.exists() and pid.read_text(encoding="utf-8")) and time.monotonic() < deadline:
        time.sleep(0.05)
    parent.send_signal(getattr(signal, name))
    assert parent.wait(120) == status
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text(encoding="utf-8")), 0)


def test_progress_counts_packages_and_is_quiet_in_a_log(course, capsys):
    course.sys.stdout.isatty = lambda: False
    show = course.Progress(60)
    for number in range(60):
        show(f"Collecting name{number}==1.0\n")
        show(f"  Downloading name{number}-1.0-py3-none-any.whl (2 MB)\n")
    show("Installing collected packages: a, b\n")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert "25 of 60: name24" in lines[0]
    assert "Unpacking" in lines[2]


def test_pins_name_no_host_no_folder_and_no_local_build():
    text = (SOURCE.parent / "requirements.txt").read_text(encoding="utf-8")
    pins = [line for line in text.splitlines() if line and not line.startswith("#")]
    one_system = r"( ; sys_platform == \"\w+\"( and platform_machine == \"\w+\")?)?"
    assert all(re.match(rf"^[\w.-]+==[\w.!]+{one_system}\s+# via ", pin) for pin in pins)
    assert not re.search(r"://|file:/|nvidia", text)
    assert "torch==2.13.0 " in text and "tensorflow==2.21.0 " in text


def test_pins_cover_every_requirement_of_the_package():
    import tomllib

    text = (SOURCE.parent / "requirements.txt").read_text(encoding="utf-8")
    project = tomllib.loads((SOURCE.parent / "pyproject.toml").read_text(encoding="utf-8"))
    table = project["project"]
    wanted = table["dependencies"] + table["optional-dependencies"]["dev"]
    names = {re.split(r"[<>=\[ ]", item)[0] for item in wanted}
    pinned = {line.split("==")[0] for line in text.splitlines() if "==" in line}
    assert names <= pinned
