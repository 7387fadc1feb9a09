"""The report as a notebook shows it: compact HTML for light and dark, plain text elsewhere."""

from __future__ import annotations

import html
import os

from halfbits.course.checks.failure import Failure
from halfbits.course.grading.looks import MEND, PASS, TO_DO, Look, look_of, look_of_all
from halfbits.course.grading.report import (
    NEXT_QUESTION,
    Asked,
    Report,
    Verdict,
    as_text,
    clean,
    score_line,
    seed_line,
    subject,
    title,
)
from halfbits.course.progress.hints import Hint

MARKS = "\n".join(
    f".halfbits .hb-{look.name}{{--hb-mark:{look.css_color}}}" for look in (PASS, TO_DO, MEND)
)
# Text has the theme's own color.
STYLE = f"""
.halfbits{{font-family:var(--jp-ui-font-family,system-ui,sans-serif);line-height:1.45;
border-left:4px solid var(--hb);padding:.2em .8em;max-width:60em;overflow-wrap:anywhere}}
.halfbits p{{margin:.3em 0}}
.halfbits .hb-quiet{{font-size:.9em}}
.halfbits .hb-bar{{display:flex;height:.5em;max-width:24em;margin:.4em 0;border-radius:.25em;
overflow:hidden;background:var(--jp-layout-color3,rgba(128,128,128,.3))}}
.halfbits .hb-bar i{{display:block;height:100%}}
{MARKS}
.halfbits .hb-mark{{display:inline-block;flex:none;min-width:4.6em;padding:0 .4em;
border-left:.5em solid var(--hb-mark)}}
.halfbits details{{margin:.15em 0}}
.halfbits summary{{cursor:pointer}}
.halfbits ul{{list-style:none;margin:.2em 0 .4em;padding:0 0 0 1.2em}}
.halfbits li{{margin:.1em 0;display:flex}}
.halfbits table{{margin:.2em 0 .6em;border-collapse:collapse;font-size:inherit;table-layout:auto}}
.halfbits th,.halfbits td{{text-align:left;vertical-align:top;padding:.15em .8em .15em 0;
border:0;background:transparent}}
.halfbits th{{font-weight:600;white-space:nowrap}}
.halfbits td,.halfbits pre{{font-family:var(--jp-code-font-family,monospace);font-size:.9em;
white-space:pre-wrap}}
.halfbits pre{{margin:.2em 0 .6em;background:transparent;color:inherit}}
.halfbits code{{background:transparent;color:inherit;
font-family:var(--jp-code-font-family,monospace)}}
"""


class ReportView:
    """A report that a notebook renders; `report` is the data behind it.

    `hint` is the one to open next, `seconds` the time to the verdict. As text it is what the
    terminal shows.
    """

    def __init__(
        self, report: Report, hint: Hint | None = None, seconds: float | None = None
    ) -> None:
        self.report, self.hint, self.seconds = report, hint, seconds

    def __repr__(self) -> str:
        return as_text(self.report)

    def _repr_html_(self) -> str:
        report = self.report
        color = look_of_all(report).css_color
        parts = [
            f"<style>{STYLE}</style><div class='halfbits' style='--hb:{color}'>",
            f"<p><b>{_text(report.summary())}</b> {_text(subject(report))}</p>",
            _bar(report),
            f"<p>{_text(report.problem)}</p>" if report.problem else "",
            _failures(report),
            _tasks(report),
            f"<p>Score: {_text(score_line(report.score))}</p>" if report.score else "",
            "".join(f"<p>Note: {_text(note)}</p>" for note in report.notes),
            _hint(self.hint) if self.hint and not report.solved else "",
            _asked(report),
            _foot(report, self.seconds),
            "</div>",
        ]
        return "".join(parts)


def _bar(report: Report) -> str:
    """Passed, to mend and to do as lengths; the line above says it in words."""
    shares = []
    for look in (PASS, MEND):
        count = sum(look_of(verdict) == look for verdict in report.verdicts)
        width = 100 * count / max(1, report.total)
        if width and not report.problem:
            shares.append(f"<i style='width:{width:.4g}%;background:{look.css_color}'></i>")
    return f"<div class='hb-bar' aria-hidden='true'>{''.join(shares)}</div>"


def _failures(report: Report) -> str:
    shown = [f"<p><b>{_text(title(v))}</b></p>{_explained(v)}" for v in report.to_show()]
    if len(shown) < 2:
        return "".join(shown)
    more = f"<summary>{len(shown) - 1} more to mend</summary>{''.join(shown[1:])}"
    return f"{shown[0]}<details>{more}</details>"


def _explained(verdict: Verdict) -> str:
    """Called, expected, got and why as a table; another text as it is."""
    if not isinstance(verdict.explanation, Failure):
        return f"<pre>{_text(verdict.message)}</pre>"
    rows = (
        f"<tr><th scope='row'>{label}</th><td>{_text(text)}</td></tr>"
        for label, text in verdict.explanation._asdict().items()
    )
    return f"<table>{''.join(rows)}</table>"


def _tasks(report: Report) -> str:
    if report.problem:
        return ""
    return "".join(_task(name, verdicts) for name, verdicts in report.by_task().items())


def _task(name: str, verdicts: list[Verdict]) -> str:
    """One task, folded: its worst mark, how many of its checks pass, and each of them."""
    looks = [look_of(verdict) for verdict in verdicts]
    worst = next(look for look in (MEND, TO_DO, PASS) if look in looks)
    passed = looks.count(PASS)
    rows = "".join(
        f"<li>{_mark(look)}{_text(title(verdict))}</li>"
        for look, verdict in zip(looks, verdicts, strict=True)
    )
    head = f"{_mark(worst)}<code>{_text(name)}</code> {passed} of {len(verdicts)}"
    return f"<details><summary>{head}</summary><ul>{rows}</ul></details>"


def _mark(look: Look) -> str:
    return f"<span class='hb-mark hb-{look.name}'>{look.mark} {look.word}</span>"


def _hint(hint: Hint) -> str:
    """The next hint, folded. To open it here is not recorded; `halfbits hint` records."""
    from markdown_it import MarkdownIt

    body = MarkdownIt("commonmark", {"html": False}).render(clean(hint.text))
    head = f"Hint {hint.level} of 3 for <code>{_text(hint.task)}</code>"
    return f"<details><summary>{head}</summary>{body}</details>"


def _asked(report: Report) -> str:
    """The questions that follow a pass."""
    rows = "".join(f"<li>{_question(one)}</li>" for one in report.asked)
    return f"<p>{NEXT_QUESTION.capitalize()}:</p><ul>{rows}</ul>" if rows else ""


def _question(one: Asked) -> str:
    """A link where the server of the notebook has the book, else the name of its page."""
    if base := os.environ.get("HALFBITS_BOOK"):
        return f"<a href='{_text(base + one.page)}' target='_blank'>{_text(one.text)}</a>"
    return _text(f"{one.text} ({one.page})")


def _foot(report: Report, seconds: float | None) -> str:
    """The next command, and for a failed run its seed and time: a passing one is always alike."""
    step = report.next_step()
    following = f"<p>Next: <code>{_text(step)}</code></p>" if step else ""
    if not report.to_show():
        return following
    time = f"; graded in {seconds:.2f} s" if seconds is not None else ""
    return f"{following}<p class='hb-quiet'>{_text(seed_line(report) + time)}</p>"


def _text(text: str) -> str:
    return html.escape(clean(text))
