"""How an outcome looks, in every face: one table of words, marks and colors."""

from __future__ import annotations

from typing import NamedTuple

from halfbits.course.grading.report import PASSED, UNWRITTEN, Report, Verdict


class Look(NamedTuple):
    """The word that is read, its mark as a sign and in ASCII, its color in a terminal and in CSS.

    The CSS colors keep a contrast of 3:1 on white and on JupyterLab's dark background.
    """

    word: str
    mark: str
    plain_mark: str
    color: str
    css_color: str

    @property
    def name(self) -> str:
        """The word without spaces, for a CSS class."""
        return self.word.replace(" ", "")


PASS = Look("pass", "\N{CHECK MARK}", "+", "green", "#2e8b57")
MEND = Look("mend", "\N{MULTIPLICATION SIGN}", "x", "red", "#d0453e")
TO_DO = Look("to do", "\N{MIDDLE DOT}", ".", "yellow", "#b8720a")
LOOKS = (PASS, MEND, TO_DO)


def look_of(verdict: Verdict) -> Look:
    """The look of one check."""
    return {PASSED: PASS, UNWRITTEN: TO_DO}.get(verdict.kind, MEND)


def look_of_all(report: Report) -> Look:
    """The look of an exercise: solved, with something to mend, or with only more to do."""
    if report.solved:
        return PASS
    return MEND if report.problem or report.to_show() else TO_DO
