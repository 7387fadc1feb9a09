"""What the drills say, in both languages, for terminal, JupyterLab and the book."""

from __future__ import annotations

from datetime import timedelta

from halfbits.course.interview.words import words


def phrases(language: str) -> dict[str, str]:
    """What the drills say in one language, by name."""
    return words("drills", language)


def span(length: timedelta, language: str) -> str:
    """How long something takes, in one unit: 10 min, 3 h, 8 d; 10 分钟, 3 小时, 8 天."""
    minutes = max(0, round(length.total_seconds() / 60))
    units = [phrases(language)[f"{unit}_unit"] for unit in ("minutes", "hours", "days")]
    if minutes < 60:
        return f"{max(1, minutes)} {units[0]}"
    if minutes < 24 * 60:
        return f"{round(minutes / 60)} {units[1]}"
    return f"{round(minutes / (24 * 60))} {units[2]}"
