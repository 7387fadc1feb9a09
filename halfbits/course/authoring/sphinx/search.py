"""What the search of the book knows: all pages but the solutions, and words that somebody types.

The index travels with the search page, so it holds nothing that no query finds: the script that
searches skips numbers, and nobody types the name of a test that proves an answer. A Chinese clause
is one word to it, found by any three letters of it; clauses beyond LONGEST characters are left out
to keep the page light, and so is what stands in no other.
"""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.search import languages
from sphinx.search.en import SearchEnglish

LONGEST = 10
CHINESE = re.compile("[\u3400-\u9fff]")


class SearchBook(SearchEnglish):
    """English stems, and Chinese as it stands between punctuation marks."""

    def word_filter(self, word: str) -> bool:
        is_clause = len(word) > LONGEST and CHINESE.search(word) is not None
        is_proof = word.startswith("test_")
        return not (word.isdigit() or is_clause or is_proof) and super().word_filter(word)


def leave_out_solutions(app: Sphinx, doctree: nodes.document) -> None:
    """A search leads to the exercise, not to its answer; the solution's title is found."""
    if app.env.docname.startswith("solutions/"):
        app.env.metadata[app.env.docname]["nosearch"] = True


def setup(app: Sphinx) -> dict[str, bool]:
    languages["en"] = SearchBook
    app.connect("doctree-read", leave_out_solutions)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
