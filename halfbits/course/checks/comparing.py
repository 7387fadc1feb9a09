"""Where two arrays differ by more than a tolerance, and how to say so."""

from __future__ import annotations

import numpy as np


def within_room(have: np.ndarray, wish: np.ndarray, room: np.ndarray) -> np.ndarray:
    """Where |have - wish| <= room; an infinity only where the same one is wished, a NaN nowhere."""
    with np.errstate(all="ignore"):
        near = np.abs(have - wish) <= room
    finite = np.isfinite(have) & np.isfinite(wish)
    return np.where(finite, near, have == wish)


def worst(have: np.ndarray, wish: np.ndarray, room: np.ndarray, bad: np.ndarray) -> tuple[str, str]:
    """What was expected and what came at the place that is farthest off, in words."""
    with np.errstate(all="ignore"):
        gap = np.where(bad, np.abs(have - wish), -1.0)
        gap[np.isnan(gap)] = np.inf
    at = np.unravel_index(int(np.argmax(gap)), gap.shape)
    place = f" at [{', '.join(str(int(i)) for i in at)}]" if at else ""
    allowed = np.broadcast_to(room, wish.shape)[at]
    count = f" ({int(bad.sum())} of {bad.size} off)" if bad.size > 1 else ""
    room_text = f", within {allowed:.3g}" if allowed else ""
    return (
        f"{wish[at]:.9g}{place}{room_text}",
        f"{have[at]:.9g}, off by {gap[at]:.3g}{count}",
    )


def first(mask: np.ndarray) -> str:
    """The first place where `mask` is true: " at [3, 0]"; nothing for a single number."""
    at = np.argwhere(mask)[0]
    return f" at [{', '.join(str(int(i)) for i in at)}]" if mask.ndim else ""
