"""The words that the book's search index keeps."""

from __future__ import annotations

import pytest

from halfbits.course.authoring.sphinx.search import LONGEST, SearchBook


@pytest.mark.parametrize(
    ("word", "is_kept"),
    [
        ("logit", True),
        ("nvfp4", True),
        ("133144", False),  # the script that searches skips numbers
        ("the", False),
        ("\u53cd\u91cf\u5316", True),
        ("test_a_clamp_loses_negatives", False),
        ("test", True),
        ("\u91cf" * LONGEST, True),
        ("\u91cf" * (LONGEST + 1), False),
        ("quantize_a_language_model", True),
    ],
)
def test_index_keeps_what_a_query_can_find(word: str, is_kept: bool) -> None:
    assert SearchBook({}).word_filter(word) == is_kept
