"""The terminals that the book shows are what the commands print today."""

from __future__ import annotations

import pytest

from halfbits.course.authoring.pictures import PICTURES, Picture, draw, texts
from halfbits.folders import find_root


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_picture_says_what_its_command_prints(picture: Picture) -> None:
    root = find_root()
    shown = root / "book" / "_static" / "terminal" / f"{picture.name}.svg"
    assert texts(shown.read_text(encoding="utf-8")) == texts(draw(picture, root))
