"""How `watch` looks in a terminal: one screen, cut to the window, with the keys at its foot."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.markdown import Markdown
from rich.padding import Padding
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from halfbits.course.catalog import Exercise
from halfbits.course.checks.failure import Failure
from halfbits.course.grading.looks import LOOKS, Look, look_of
from halfbits.course.grading.report import (
    PASSED,
    Report,
    Verdict,
    clean,
    seed_line,
    title,
)
from halfbits.course.grading.watch.session import TimedReport, WatchSession
from halfbits.course.progress.hints import LEVELS, Hint
from halfbits.course.progress.progress import Record

KEYS = "h hint  n p exercise  r again  q quit"
BAR = 16
WIDE = 100  # from this many columns on, the exercises stand beside the report


class Screen:
    """The whole window as it is now."""

    def __init__(self, session: WatchSession, has_keys: bool = True) -> None:
        self.session = session
        self.foot = KEYS if has_keys else "Ctrl-C ends it"

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        height = (options.height or console.size.height) - 1
        lines = _rows(console, options, self._body(options.max_width))
        if len(lines) > height:
            note = Text(f"{len(lines) - height + 1} more lines: enlarge the window", style="dim")
            lines = [*lines[: height - 1], *_rows(console, options, [note])[:1]]
        for line in [*lines, *[[]] * (height - len(lines))]:
            yield from line
            yield Segment.line()
        yield Text(self.foot, style="reverse", no_wrap=True, overflow="crop")

    def _body(self, width: int) -> Iterator[RenderableType]:
        main = [*_head(self.session), *_report(self.session)]
        if width >= WIDE:
            both = Table.grid(padding=(0, 3), expand=True)
            both.add_column(ratio=1)
            both.add_column(width=36)
            both.add_row(_stack(main), _exercises(self.session))
            yield both
        else:
            yield from main
            yield _exercises(self.session)


def _rows(
    console: Console, options: ConsoleOptions, body: Iterable[RenderableType]
) -> list[list[Segment]]:
    options = options.update(height=None)
    return [line for part in body for line in console.render_lines(part, options)]


def _stack(parts: Iterable[RenderableType]) -> Table:
    table = Table.grid()
    for part in parts:
        table.add_row(part)
    return table


def _head(session: WatchSession) -> Iterator[RenderableType]:
    exercise = session.shown
    yield Text(clean(exercise.title), style="bold")
    yield Text(
        f"exercises/{exercise.topic}/{session.path(exercise).name}, {_age(session)}", style="dim"
    )
    yield Text()


def _report(session: WatchSession) -> Iterator[RenderableType]:
    graded = session.reports.get(session.shown.key)
    yield _state(session, graded)
    if session.message:
        yield Text(clean(session.message), style="yellow")
    if graded is not None:
        yield from _tasks(graded.report)
    if session.hint is not None:
        yield from _hint(session.hint)
    if graded is not None:
        yield from _details(graded.report)
        if graded.report.solved and (following := session.following):
            yield Text(f"next exercise: exercises/{following.key}.ipynb", style="cyan")
    yield Text()


def _state(session: WatchSession, graded: TimedReport | None) -> RenderableType:
    if session.busy is not None:
        return Text(f"grading {session.busy.slug} ...", style="cyan")
    if graded is None:
        return Text("Save the notebook, and its verdict appears here.")
    report = graded.report
    bar = ProgressBar(max(1, report.total), report.passed, width=BAR, finished_style="green")
    line = Table.grid(padding=(0, 1))
    line.add_row(bar, Text(report.summary(), style="bold"))
    return _stack([line, Text(f"graded {graded.seconds:.2f} s after the save", style="dim")])


def _tasks(report: Report) -> Iterator[RenderableType]:
    if report.problem:
        return
    table = Table.grid(padding=(0, 2))
    table.add_column(max_width=20)
    table.add_column(overflow="fold")
    for task, verdicts in report.by_task().items():
        marks = Text.assemble(*(_mark(look_of(verdict)) for verdict in verdicts))
        passed = sum(verdict.kind == PASSED for verdict in verdicts)
        table.add_row(clean(task), marks, f"{passed} of {len(verdicts)}")
    yield table
    yield Text("   ".join(f"{look.plain_mark} {look.word}" for look in LOOKS), style="dim")
    yield Text()


def _mark(look: Look) -> tuple[str, str]:
    return look.plain_mark, look.color


def _details(report: Report) -> Iterator[RenderableType]:
    if report.problem:
        yield Text(clean(report.problem), style="red")
    for number, verdict in enumerate(report.to_show()):
        yield Text(f"x {clean(title(verdict))}", style="bold" if number == 0 else "none")
        if number == 0:
            yield Padding(_explained(verdict), (0, 0, 1, 2))
    if report.to_show():
        yield Text(seed_line(report), style="dim")
    yield from (Text(f"note: {clean(note)}") for note in report.notes)
    if step := report.next_step():
        yield Text(f"next: {step}", style="cyan")


def _explained(verdict: Verdict) -> RenderableType:
    if not isinstance(verdict.explanation, Failure):
        return Text(clean(verdict.message).rstrip())
    table = Table.grid(padding=(0, 1))
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in verdict.explanation._asdict().items():
        table.add_row(f"{label}:", Text(clean(text).rstrip()))
    return table


def _hint(hint: Hint) -> Iterator[RenderableType]:
    rest = "" if hint.level == LEVELS[-1] else "; h opens the next"
    name = Text(clean(f"{hint.task}: {hint.title}"))
    yield Panel(Markdown(clean(hint.text)), title=name, subtitle=f"{hint.level} of 3{rest}")


def _exercises(session: WatchSession) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    for exercise in session.catalog.exercises:
        record, total = session.records.get(exercise.key, Record()), session.totals[exercise.key]
        here = ">" if exercise is session.shown else " "
        word = "solved" if record.is_solved else f"{len(record.passed)} of {total}"
        style = "bold" if exercise is session.shown else "none"
        table.add_row(here, Text(exercise.slug, style=style), word)
    solved = sum(record.is_solved for record in session.records.values())
    return _stack(
        [Text(f"{solved} of {len(session.catalog.exercises)} solved", style="dim"), table]
    )


def _age(session: WatchSession) -> str:
    return age_of(session, session.shown)


def age_of(session: WatchSession, exercise: Exercise) -> str:
    """ "saved 4 s ago": an autosave can be two minutes behind what is on the screen."""
    with contextlib.suppress(OSError):
        seconds = max(0, int(time.time() - session.path(exercise).stat().st_mtime))
        for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
            if seconds >= 2 * size:
                return f"saved {seconds // size} {unit} ago"
        return f"saved {seconds} s ago"
    return "not there yet"
