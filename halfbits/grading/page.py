"""The report as a notebook shows it: compact HTML for light and dark, plain text elsewhere."""

from __future__ import annotations

import html

from halfbits.grading.report import PASSED, UNWRITTEN, Report, clean, lines, seed_line, title

# All text has the theme's own color. The border's colors keep 3:1 on white and on #111.
STYLE = """
.halfbits{font-family:system-ui,sans-serif;border-left:4px solid var(--hb);padding:.3em .8em}
.halfbits pre{margin:.2em 0 .6em;white-space:pre-wrap;font-size:.9em;background:transparent;
color:inherit}
.halfbits p{margin:.3em 0}
.halfbits ul{list-style:none;margin:.3em 0;padding:0}
.halfbits code{background:transparent;color:inherit}
"""
GOOD, OPEN, BAD = "#2e8b57", "#b8720a", "#d0453e"
MARKS = {PASSED: "pass", UNWRITTEN: "to do"}


class ReportView:
    """A report that a notebook renders; `report` is the data behind it."""

    def __init__(self, report: Report) -> None:
        self.report = report

    def __repr__(self) -> str:
        rest = [line.rstrip() for line in lines(self.report)]
        step = self.report.next_step()
        head = f"{self.report.exercise.slug}: {self.report.summary()}"
        return "\n".join([head, *rest, *([f"next: {step}"] if step else [])])

    def _repr_html_(self) -> str:
        report = self.report
        color = GOOD if report.all_pass else BAD if report.problem or report.to_show() else OPEN
        parts = [
            f"<style>{STYLE}</style><div class='halfbits' style='--hb:{color}'>",
            f"<p><b>{_text(report.summary())}</b> {_text(report.exercise.slug)}</p>",
            _problem(report),
            _failures(report),
            _list(report),
            "".join(f"<p>Note: {_text(note)}</p>" for note in report.notes),
            _next(report),
            "</div>",
        ]
        return "".join(parts)


def _problem(report: Report) -> str:
    return f"<p>{_text(report.problem)}</p>" if report.problem else ""


def _failures(report: Report) -> str:
    shown = report.to_show()
    if not shown:
        return ""
    first, *rest = (
        f"<b>{_text(title(verdict))}</b><pre>{_text(verdict.message)}</pre>" for verdict in shown
    )
    if not rest:
        return first
    more = f"<details><summary>{len(rest)} more to mend</summary>{''.join(rest)}</details>"
    return first + more


def _list(report: Report) -> str:
    if report.problem:
        return ""
    rows = "".join(
        f"<li>{MARKS.get(verdict.kind, 'mend')}: {_text(title(verdict))}</li>"
        for verdict in report.verdicts
    )
    return f"<details><summary>All {report.total} checks</summary><ul>{rows}</ul></details>"


def _next(report: Report) -> str:
    seed = f"<p>{_text(seed_line(report))}</p>" if report.to_show() else ""
    step = report.next_step()
    return seed + (f"<p>Next: <code>{_text(step)}</code></p>" if step else "")


def _text(text: str) -> str:
    return html.escape(clean(text))
