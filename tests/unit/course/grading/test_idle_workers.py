"""An idle worker serves the next grading once, and only a grading that may have it."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fake_course import COUNTER, DOUBLE, make_course
from processes import soon

from halfbits.course import fingerprint
from halfbits.course.catalog import Catalog, load_catalog
from halfbits.course.grading.process import idle
from halfbits.course.grading.process.client import Worker
from halfbits.course.grading.process.launch import worker_environment
from halfbits.course.grading.process.spawn_pool import POOL
from halfbits.course.grading.report import Report
from halfbits.course.grading.runner import grade_answers
from halfbits.errors import CourseError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder where idle workers are registered; those left afterwards are ended."""
    monkeypatch.setenv("HALFBITS_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HALFBITS_SPARE", "60")
    folder = tmp_path / "data" / "waiting"
    yield folder
    for path in folder.glob("*.json"):
        path.unlink(missing_ok=True)  # its supervisor ends when it notices, in a second or two


@pytest.fixture
def course(tmp_path: Path) -> Catalog:
    return load_catalog(make_course(tmp_path))


def graded(course: Catalog) -> Report:
    return grade_answers(course, course.find("double"), [DOUBLE, COUNTER])


def waiting(folder: Path) -> list[Path]:
    return list(folder.glob("*.json"))


def test_next_grading_claims_the_idle_worker(course: Catalog, folder: Path) -> None:
    assert graded(course).all_pass
    POOL.leave_idle()
    assert soon(lambda: waiting(folder))
    worker = POOL.take(())
    assert worker._channel is not None, "a new one was started instead"
    assert worker.ready() == ""
    assert waiting(folder) == []
    worker.close()
    worker.wait()


def test_verdicts_of_an_idle_worker_are_those_of_a_new_one(course: Catalog, folder: Path) -> None:
    first = graded(course)
    POOL.leave_idle()
    assert soon(lambda: waiting(folder))
    second = graded(course)
    assert waiting(folder) == []
    kinds = [[(v.check.name, v.kind) for v in report.verdicts] for report in (first, second)]
    assert kinds[0] == kinds[1]
    assert second.all_pass


def test_one_of_several_graders_gets_it(folder: Path) -> None:
    arguments, environment = (), worker_environment()
    key = idle.key_of(arguments, environment)
    idle.start(key, arguments, environment)
    assert soon(lambda: waiting(folder))
    with ThreadPoolExecutor(8) as threads:
        taken = [channel for channel in threads.map(lambda _: idle.claim(key), range(8)) if channel]
    assert len(taken) == 1
    taken[0].close()


@pytest.mark.parametrize("name", ["ATEN_CPU_CAPABILITY", "OMP_NUM_THREADS", "TZ", "PYTHONPATH"])
def test_other_environment_wants_another_worker(name: str) -> None:
    usual = worker_environment()
    assert idle.key_of((), usual) == idle.key_of((), dict(usual))
    assert idle.key_of((), usual) != idle.key_of((), usual | {name: "another"})
    assert idle.key_of((), usual) != idle.key_of(("torch",), usual)


def test_worker_of_an_edited_grader_is_not_claimed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = tmp_path / "library"
    heavy = shutil.ignore_patterns("__pycache__", "models")
    shutil.copytree(fingerprint.LIBRARY, library, ignore=heavy)
    monkeypatch.setattr(fingerprint, "LIBRARY", library)
    environment = worker_environment()
    idle.start(idle.key_of((), environment), (), environment)
    assert soon(lambda: waiting(folder), 20)
    reader = library / "course" / "notebook.py"
    reader.write_text(reader.read_text("utf-8") + "# edited", encoding="utf-8")
    assert idle.claim(idle.key_of((), environment)) is None
    assert waiting(folder)


def test_terminal_of_the_grader_makes_no_difference() -> None:
    usual = worker_environment()
    assert idle.key_of((), usual) == idle.key_of((), usual | {"TERM": "dumb", "SHLVL": "7"})


def test_no_worker_waits_longer_than_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALFBITS_SPARE", "1")
    idle.start("key", (), worker_environment())
    assert soon(lambda: waiting(folder))
    assert soon(lambda: not waiting(folder))


def test_no_worker_waits_when_the_learner_wants_none(
    course: Catalog, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HALFBITS_SPARE", "0")
    started: list[object] = []
    monkeypatch.setattr(idle, "_start", lambda *arguments: started.append(arguments))
    assert graded(course).all_pass
    POOL.leave_idle()
    assert (started, waiting(folder)) == ([], [])


def test_unclear_wish_is_one_sentence(course: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALFBITS_SPARE", "soon")
    with pytest.raises(CourseError, match="HALFBITS_SPARE is 'soon': set it to the seconds"):
        idle.start("key", (), {})


def test_registration_whose_supervisor_is_gone_is_passed_over(
    course: Catalog, folder: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder.mkdir(parents=True)
    key = idle.key_of((), worker_environment())
    (folder / f"{key}-1.json").write_text(
        json.dumps({"port": port, "token": "x"}), encoding="utf-8"
    )
    (folder / f"{key}-2.json").write_text("half a", encoding="utf-8")
    assert graded(course).all_pass
    assert waiting(folder) == []


def test_stranger_without_the_token_is_not_served(folder: Path) -> None:
    idle.start("key", (), worker_environment())
    assert soon(lambda: waiting(folder))
    port = json.loads(waiting(folder)[0].read_text(encoding="utf-8"))["port"]
    with socket.create_connection(("127.0.0.1", port), 5) as stranger:
        stranger.sendall(b"x" * 32)
        stranger.settimeout(10)
        assert stranger.recv(1) == b""
    channel = idle.claim("key")
    assert channel is not None
    channel.close()


def test_two_workers_wait_at_most(folder: Path) -> None:
    for key in ("a", "b", "c"):
        idle.start(key, (), worker_environment())
        assert soon(lambda key=key: idle.registered(key))
    assert soon(lambda: len(waiting(folder)) <= idle.MOST)
    assert idle.registered("c")


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_token_is_for_its_owner_alone(folder: Path) -> None:
    idle.start("key", (), worker_environment())
    assert soon(lambda: waiting(folder))
    assert waiting(folder)[0].stat().st_mode & 0o077 == 0


def test_worker_that_cannot_import_says_so_whether_it_waited_or_not(folder: Path) -> None:
    arguments = ("no_such_framework",)
    new = Worker(arguments, claim_idle=True)
    assert "the grader cannot import: ModuleNotFoundError" in new.ready()
    new.close()
    new.leave_idle()
    assert soon(lambda: not waiting(folder))
