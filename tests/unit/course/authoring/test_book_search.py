"""What the book's search finds: words, questions as entries of their own, an index a language."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from types import SimpleNamespace
from typing import Any

import pytest
from docutils import nodes
from docutils.utils import new_document

from halfbits.course.authoring.sphinx.search import (
    COMMON,
    PARTS,
    SPLIT,
    BookIndex,
    SearchBook,
    divided,
    is_of,
    part_of,
)
from halfbits.folders import find_root

TEXTS = {
    "KV cache \u53cd\u91cf\u5316": ["KV", "cache", "\u53cd\u91cf", "\u91cf\u5316"],
    "int8\u91cf\u5316": ["int8", "\u91cf\u5316"],
    "\u71b5, w4a16_large": ["\u71b5", "w4a16_large"],
    "K\u00f6ln 1e-4": ["K\u00f6ln", "1e", "4"],
}


@pytest.mark.parametrize(
    ("word", "is_kept"),
    [
        ("logit", True),
        ("nvfp4", True),
        ("133144", False),  # the script that searches skips numbers
        ("the", False),
        ("\u91cf\u5316", True),
        ("test_a_clamp_loses_negatives", False),
        ("000batch102103104microsecond", False),  # ticks of a drawing
        ("70b", True),
        ("0x7f80", True),
        ("test", True),
        ("quantize_a_language_model", True),
    ],
)
def test_index_keeps_what_a_query_can_find(word: str, is_kept: bool) -> None:
    assert SearchBook({}).word_filter(word) == is_kept


@pytest.mark.parametrize(("text", "words"), TEXTS.items())
def test_chinese_is_cut_into_pairs_of_neighbors(text: str, words: list[str]) -> None:
    assert SearchBook({}).split(text) == words


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
def test_the_browser_cuts_a_query_as_the_index_cuts_a_text() -> None:
    program = f"{SPLIT}console.log(JSON.stringify({json.dumps(list(TEXTS))}.map(splitQuery)))"
    done = subprocess.run(["node", "-e", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == list(TEXTS.values())


def page(title: str, *sections: nodes.section) -> nodes.document:
    document = new_document("page")
    document += nodes.section("", nodes.title("", title), nodes.paragraph("", "opening"), *sections)
    return document


def section(name: str, title: str, text: str) -> nodes.section:
    return nodes.section("", nodes.title("", title), nodes.paragraph("", text), ids=[name])


@pytest.fixture
def index() -> BookIndex:
    kept = ("titles", "filenames", "mapping", "title_mapping", "all_titles")
    kept += ("index_entries", "objtypes", "objnames")
    tables: dict[str, Any] = {f"_search_index_{name}": {} for name in kept}
    env: Any = SimpleNamespace(srcdir=find_root(), version={}, domains={}, **tables)
    index = BookIndex(env, "en", {}, "")
    for place, word in (("interview", "hessian"), ("interview/zh", "\u77e9\u9635")):
        question = section("gptq_or_awq", f"GPTQ {place}", word)
        index.feed(f"book/{place}/methods", "x", place, page(place, question))
    index.feed("notebooks/gptq", "x", "GPTQ", page("GPTQ", section("why", "Why", "hessian")))
    return index


def found(index: dict[str, Any], word: str) -> list[str]:
    return [index["docnames"][place] for place in index["terms"].get(word, [])]


def test_a_question_is_an_entry_of_its_own_and_its_page_keeps_the_rest(index: BookIndex) -> None:
    english = part_of(index.freeze(), lambda name: is_of("en", name))
    assert found(english, "hessian") == ["book/interview/methods#gptq_or_awq", "notebooks/gptq"]
    assert "book/interview/methods" in found(english, "open")


def test_each_language_has_an_index_without_the_other_ones_entries(index: BookIndex) -> None:
    whole = index.freeze()
    english, chinese = (part_of(whole, lambda n, of=of: is_of(of, n)) for of in ("en", "zh"))
    assert sorted(english["docnames"] + chinese["docnames"]) == sorted(whole["docnames"])
    assert found(chinese, "\u77e9\u9635") == ["book/interview/zh/methods#gptq_or_awq"]
    assert not found(english, "\u77e9\u9635") and not found(chinese, "hessian")
    assert chinese["alltitles"]["GPTQ interview/zh"] == [[1, None]]
    assert not set(english["titles"]) & set(chinese["titles"])


def test_a_heading_of_many_pages_is_no_title_to_be_found(index: BookIndex) -> None:
    for number in range(COMMON + 1):
        own = section("sources", "Sources", f"word{number}")
        index.feed(f"notebooks/n{number}", "x", f"N{number}", page(f"N{number}", own))
    titles = part_of(index.freeze(), lambda name: True)["alltitles"]
    assert "Sources" not in titles and "N3" in titles and "Why" in titles


def test_entries_of_a_page_leave_with_it(index: BookIndex) -> None:
    index.prune(["notebooks/gptq"])
    left = part_of(index.freeze(), lambda name: True)
    assert left["docnames"] == ["notebooks/gptq"] and found(left, "hessian") == left["docnames"]


def test_chinese_terms_lie_in_parts_by_their_first_character() -> None:
    terms = {"gptq": 1, "\u91cf\u5316": [1, 2], "\u91cf\u7a0b": 3, "\u53cd\u91cf": 4}
    others, parts = divided(terms)
    assert others == {"gptq": 1} and len(parts) == PARTS
    assert parts[ord("\u91cf") % PARTS] == {"\u91cf\u5316": [1, 2], "\u91cf\u7a0b": 3}
    assert sum(map(len, parts)) == 3


def test_the_pages_script_knows_every_gap_that_the_build_fills() -> None:
    script = find_root() / "book" / "_static" / "search_language.js"
    assert len(re.findall(r"\bSAID\b", script.read_text(encoding="utf-8"))) == 1
