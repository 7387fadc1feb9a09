"""Published models: their configs, what their files hold, and where that was read."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from halfbits.perf.architecture.fields import ConfigError
from halfbits.perf.architecture.sizes import Sizes, sizes

TABLE = Path(__file__).with_name("published.json")


@dataclass(frozen=True)
class Published:
    """`stored` parameters and `checkpoint_bytes` of the released files, where they are known;
    `kv_bytes_per_token` in 16 bits; `published` is the maker's own round number, `released` the
    scheme of the files."""

    name: str
    config: dict[str, Any]
    source: str
    stored: int | None = None
    checkpoint_bytes: int | None = None
    kv_bytes_per_token: int | None = None
    published: str | None = None
    released: str = "bf16"

    @property
    def sizes(self) -> Sizes:
        """The model counted from its config."""
        return sizes(self.config)


@cache
def published() -> dict[str, Published]:
    """All models of the table by name."""
    rows = json.loads(TABLE.read_text(encoding="utf-8"))
    return {row["name"]: Published(**row) for row in rows}


def model(name: str) -> Published:
    """The published model called `name`, in any case. Raises ConfigError with names like it."""
    known = {key.lower(): made for key, made in published().items()}
    if name.lower() in known:
        return known[name.lower()]
    near = difflib.get_close_matches(name.lower(), known, n=4, cutoff=0.4)
    names = ", ".join(known[key].name for key in near) or ", ".join(published())
    raise ConfigError(f"there is no file and no published model {name!r}; there is {names}.")
