"""What a component is given to show, from the library's own tables."""

from __future__ import annotations

from typing import Any


def page_data(name: str) -> dict[str, Any]:
    """The data of the component `name`; empty for one that computes everything itself."""
    return {}
