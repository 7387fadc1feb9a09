"""What the grading commands do, from `grade` to `sync`."""

from __future__ import annotations

import shutil
from pathlib import Path

from halfbits.course.catalog import load_catalog
from halfbits.course.checklist import read_checks
from halfbits.course.notebook import find_answer, read_json
from halfbits.course.progress.progress import as_rows, read_progress
from halfbits.course.progress.store import stamp
from halfbits.errors import CourseError
from halfbits.folders import data_folder


def grade(names: list[str], answers: Path | None) -> int:
    """Grade the named exercises or files, or all; 0 when all are solved.

    A named one that is solved is followed by what an interviewer would ask.
    """
    from halfbits.course.grading.faces.asked import asked_next
    from halfbits.course.grading.faces.console import print_report
    from halfbits.course.grading.grader import Grader
    from halfbits.course.grading.submission import answers_folder, named

    catalog = load_catalog()
    folder = answers_folder(catalog, answers)
    wanted = list(dict.fromkeys(names)) or [exercise.key for exercise in catalog.exercises]
    waiting = [named(catalog, name, folder) for name in wanted]
    all_solved = True
    with Grader() as grader:
        for number, one in enumerate(waiting, 1):
            report = grader.grade(one, later=waiting[number:])
            report.asked = asked_next(catalog.root, report) if names else ()
            print_report(report)
            all_solved = all_solved and report.solved
    return 0 if all_solved else 1


def hint(name: str, task: str | None, level: int | None) -> int:
    """Show the next hint of a task, or the level asked for, and remember it."""
    from halfbits.course.grading.faces.console import print_hint
    from halfbits.course.progress.hints import open_hint

    catalog = load_catalog()
    exercise = catalog.find(name)
    print_hint(exercise, open_hint(catalog, exercise, task, level))
    return 0


def rules(name: str) -> int:
    """Print every rule that can fail the exercise `name`."""
    from rich.console import Console
    from rich.markdown import Markdown

    from halfbits.course.rules import rules_of

    catalog = load_catalog()
    Console().print(Markdown(rules_of(catalog, catalog.find(name))))
    return 0


def reset(name: str) -> int:
    """Put one exercise back as it was; the learner's file is kept in a dated backup."""
    from halfbits.course.authoring.stub import make_exercise, write_notebook

    catalog = load_catalog()
    exercise = catalog.find(name)
    fresh = make_exercise(catalog, exercise)
    path, _ = find_answer(catalog.root / "exercises", exercise)
    for old in {path, catalog.notebook(exercise)}:
        if old.is_file():
            print(f"your work is kept as {back_up(old)}")
            old.unlink()
    write_notebook(catalog.notebook(exercise), fresh)
    print(f"{exercise.key} is as it was; close and reopen it if it is open in JupyterLab")
    return 0


def back_up(path: Path) -> Path:
    """Copy `path` into the backups of the user's data folder under a dated name."""
    folder = data_folder() / "backups"
    try:
        folder.mkdir(exist_ok=True)
        return Path(shutil.copy2(path, folder / f"{path.stem}-{stamp()}{path.suffix}"))
    except OSError as error:
        raise CourseError(f"{path.name} was left alone: no backup ({error}).") from error


def progress(name: str | None = None) -> int:
    """Print what is solved, of the path `name` or of all, and what comes next."""
    from halfbits.course.grading.faces.console import print_progress
    from halfbits.course.progress.following import chosen_path, following

    catalog = load_catalog()
    records = read_progress()
    shown = catalog.path(name) if name else None
    totals = {e.key: len(read_checks(catalog.checks(e))) for e in catalog.exercises}
    step = following(catalog, records, shown or chosen_path(catalog))
    print_progress(as_rows(catalog, records, shown), totals, step)
    return 0


def name_next(name: str | None = None) -> int:
    """Print the next exercise of the path `name`, or of the one named last, and why."""
    from halfbits.course.grading.faces.console import print_following
    from halfbits.course.progress.following import chosen_path, following

    catalog = load_catalog()
    print_following(following(catalog, read_progress(), chosen_path(catalog, name)))
    return 0


def leaderboard(files: list[Path], out: Path | None) -> int:
    """Print the best scores of the user, or of all `files` merged; `out` keeps them."""
    from halfbits.course.grading.faces.console import print_leaderboard
    from halfbits.course.progress.leaderboard import merged, read_board, write_board

    boards: list[Path | None] = [*files] or [None]
    entries = merged(entry for board in boards for entry in read_board(board))
    if out is not None:
        write_board(out, entries)
    print_leaderboard(entries)
    return 0


def sync(force: bool = False) -> int:
    """For authors: write exercises/ from solutions/, but over nobody's work unless forced."""
    from halfbits.course.authoring.stub import is_pristine, make_exercise, write_notebook

    catalog = load_catalog()
    kept = 0
    for exercise in catalog.exercises:
        path = catalog.notebook(exercise)
        if not catalog.notebook(exercise, "solutions").is_file():
            print(f"missing solutions/{exercise.key}.ipynb")
            kept += 1
            continue
        fresh = make_exercise(catalog, exercise)
        if path.is_file() and not force and not is_pristine(read_json(path)):
            print(f"kept    {exercise.key}: it was edited; --force overwrites it")
            kept += 1
            continue
        write_notebook(path, fresh)
        print(f"wrote   {exercise.key}")
    return 1 if kept else 0
