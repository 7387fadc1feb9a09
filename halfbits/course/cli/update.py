"""`python course.py update`: a newer course from git, with the learner's answers in it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from halfbits.course.authoring.stub import is_pristine, write_notebook
from halfbits.course.catalog import load_catalog
from halfbits.course.cli.grading import back_up
from halfbits.course.progress.carry import carried
from halfbits.errors import CourseError


def update() -> int:
    """Fast-forward to the newest commit of the branch's origin and carry the answers over.

    Every changed notebook is kept in a dated backup first; a lesson that was run comes new. Raises
    CourseError, with everything as it was, where git cannot go forward or other files changed.
    """
    root = load_catalog().root
    where = git(root, "rev-parse", "--show-toplevel", why="the course is no clone of a repository")
    if Path(where).resolve() != root.resolve():
        raise CourseError(f"{root} is no clone of its own: update the repository that holds it.")
    git(root, "fetch", "--quiet", why="the newer course cannot be fetched")
    newest = git(root, "rev-parse", "@{upstream}", why="this branch follows no other")
    if not git(root, "rev-list", "HEAD..@{upstream}"):
        print("The course is up to date.")
        return 0
    changed = git(root, "diff", "--name-only", "HEAD").splitlines()
    answers = [name for name in changed if Path(name).suffix == ".ipynb"]
    if others := sorted({*changed} - {*answers}):
        named = ", ".join(others[:3])
        raise CourseError(f"{named}: changed here; `git checkout -- FILE` takes a change back.")
    kept = {name: (root / name).read_bytes() for name in answers if (root / name).is_file()}
    old = {name: git(root, "show", f"HEAD:{name}", strip=False) for name in kept}
    for name in kept:
        print(f"your work is kept as {back_up(root / name)}")
    if answers:
        git(root, "checkout", "--quiet", "HEAD", "--", *answers)
    try:
        git(root, "merge", "--quiet", "--ff-only", newest, why="this branch has commits of its own")
    except CourseError:
        for name, content in kept.items():
            (root / name).write_bytes(content)
        raise
    for name, content in kept.items():
        if is_exercise(name):
            put_back(root / name, old[name], content)
    print(f"The course is at {newest[:10]}; notebooks that are open in JupyterLab: reload them.")
    return 0


def put_back(path: Path, old: str, content: bytes) -> None:
    """The learner's notebook `content` at `path`, in the newer notebook that lies there now."""
    try:
        mine = json.loads(content)
        if is_pristine(mine):
            return  # only outputs were changed
        new: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        write_notebook(path, carried(json.loads(old), mine, new))
        print(f"{path.name} has your answers")
    except (CourseError, OSError, ValueError) as error:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        print(f"{path.name} stays as you left it ({error})")


def is_exercise(name: str) -> bool:
    """Whether a path of git names a learner's notebook."""
    path = Path(name)
    return path.parts[0] == "exercises" and path.suffix == ".ipynb"


def git(root: Path, *words: str, why: str = "git failed", strip: bool = True) -> str:
    """What a git command prints; raises CourseError with `why` where it fails."""
    command = ["git", "-C", str(root), "-c", "core.quotepath=off", *words]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", check=False
        )
    except FileNotFoundError:
        raise CourseError("git is not installed: an update needs it.") from None
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise CourseError(f"The course was not updated: {why} ({last}).")
    return done.stdout.strip() if strip else done.stdout
