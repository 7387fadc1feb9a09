"""The tables of a search index in a form of half the weight, for the script that searches.

A table {word: places} becomes two texts of as many items: its words in order, each as the number of
characters that it shares with the one before and the rest, and the gaps between its places, a
character each. `_static/search_language.js` makes the same table of them again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise, takewhile
from typing import Any

SHARED = 9  # characters, so that the number is one digit
FIRST = ord("#")  # after the separator, and after the quote, which a script would have to escape
MORE = ord("~") - FIRST  # the gap that this character stands for, and another one follows


def packed(table: dict[str, list[int]]) -> list[str]:
    """The words of a table and the places of each, as two texts; the places ascend."""
    words = sorted(table)
    return [" ".join(shortened(words)), " ".join(map(gaps, map(table.__getitem__, words)))]


def shortened(words: Iterable[str]) -> Iterator[str]:
    """Each word without what it shares with the one before: [sum, summer] is [0sum, 3mer]."""
    for before, word in pairwise(("", *words)):
        alike = takewhile(lambda pair: pair[0] == pair[1], zip(before, word, strict=False))
        shared = min(len(list(alike)), SHARED)
        yield f"{shared}{word[shared:]}"


def gaps(places: Iterable[int]) -> str:
    """A character for how many places are left out before each: [0, 1, 4] is 0, 0, 2."""
    return "".join(character(after - at - 1) for at, after in pairwise((-1, *places)))


def character(gap: int) -> str:
    return "~" * (gap // MORE) + chr(FIRST + gap % MORE)


def without_own(index: dict[str, Any]) -> dict[str, Any]:
    """An index whose titles of whole entries stand once: `own` lists the entries that have one."""
    titles, headings, own = index["titles"], dict[str, Any](), list[int]()
    for heading, found in index["alltitles"].items():
        is_own = [anchor is None and titles[at] == heading for at, anchor in found]
        own += [at for (at, _), yes in zip(found, is_own, strict=True) if yes]
        if left := [place for place, yes in zip(found, is_own, strict=True) if not yes]:
            headings[heading] = left
    return {**index, "alltitles": headings, "own": gaps(sorted(own))}


def light(index: dict[str, Any]) -> dict[str, Any]:
    """An index as its file holds it."""
    tables = {name: packed(index[name]) for name in ("terms", "titleterms")}
    return {**without_own(index), **tables}
