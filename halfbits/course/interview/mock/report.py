"""What a mock interview ended with: scores, what to study next, and the change since the last."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from halfbits.course.interview.bank.bank import Bank

AT_MOST = 5  # lessons and exercises named
WEAK = 0.8


def report(bank: Bank, state: Mapping[str, Any]) -> dict[str, Any]:
    """The report of an interview's state, as it is kept.

    A point that was said counts one, a follow-up answered well counts one; `topics` adds both up
    by the first topic of each question.
    """
    rated = [entry for entry in state["asked"] if entry["ticks"] is not None]
    questions = [_question(entry) for entry in rated]
    topics: dict[str, dict[str, Any]] = {}
    for entry in questions:
        topic = topics.setdefault(bank.find(entry["slug"]).topic, {"got": 0, "of": 0, "seconds": 0})
        for name in ("got", "of", "seconds"):
            topic[name] += entry[name]
    weak_first = sorted((e for e in questions if e["missed"] or e["got"] < e["of"]), key=score)
    return {
        **{name: state[name] for name in ("version", "language", "level", "minutes", "seed")},
        "began": state["began"],
        "got": sum(entry["got"] for entry in questions),
        "of": sum(entry["of"] for entry in questions),
        "seconds": round(sum(entry["seconds"] for entry in state["asked"])),
        "questions": questions,
        "topics": topics,
        "weakest": [t for t in sorted(topics, key=lambda t: score(topics[t]))
                    if score(topics[t]) < WEAK][:2],
        "lessons": _collect(bank, weak_first, lambda q: q.lessons),
        "exercises": _collect(bank, weak_first, lambda q: q.exercises),
        "not_reached": list(state["queue"])
        + [entry["slug"] for entry in state["asked"] if entry["ticks"] is None],
    }  # fmt: skip


def score(counts: Mapping[str, Any]) -> float:
    """The share reached, from 0 to 1."""
    return float(counts["got"] / counts["of"]) if counts["of"] else 0.0


def _question(entry: Mapping[str, Any]) -> dict[str, Any]:
    judged = entry["good"] is not None
    return {
        "slug": entry["slug"],
        "got": sum(entry["ticks"]) + (1 if entry["good"] else 0),
        "of": len(entry["ticks"]) + judged,
        "seconds": round(entry["seconds"]),
        "missed": [place for place, ticked in enumerate(entry["ticks"]) if not ticked],
    }


def _collect(
    bank: Bank, entries: Iterable[Mapping[str, Any]], names: Callable[[Any], Iterable[str]]
) -> list[str]:
    found = [name for entry in entries for name in names(bank.find(entry["slug"]))]
    return list(dict.fromkeys(found))[:AT_MOST]


def change(now: Mapping[str, Any], last: Mapping[str, Any] | None) -> dict[str, float]:
    """By topic, and in all under "", how much the score rose since the last report."""
    if last is None:
        return {}
    both = [topic for topic in now["topics"] if topic in last["topics"]]
    rise = {topic: score(now["topics"][topic]) - score(last["topics"][topic]) for topic in both}
    return {"": score(now) - score(last), **rise}


def last_of_kind(
    reports: Iterable[Mapping[str, Any]], now: Mapping[str, Any]
) -> Mapping[str, Any] | None:
    """The latest of the earlier reports in the same language at the same level."""
    same = [r for r in reports if all(r[n] == now[n] for n in ("language", "level"))]
    return max(same, key=lambda r: str(r["began"]), default=None)
