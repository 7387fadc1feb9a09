"""What the book's search index weighs, and that a reader's browser makes the same index of it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from halfbits.course.authoring.sphinx.search import divided, part_of, write_part
from halfbits.course.authoring.sphinx.search_pack import gaps, light, packed, shortened
from halfbits.folders import find_root

SCRIPT = find_root() / "book" / "_static" / "search_language.js"
# As much of a browser as the page's script asks for: it runs a file that is put into the page.
BROWSER = """
const fs = require("fs"), vm = require("vm");
const [folder, script, query] = process.argv.slice(-3);
const document = { createElement: () => ({}), addEventListener() {}, head: { append(script) {
  vm.runInThisContext(fs.readFileSync(`${folder}/${script.src}`, "utf8"));
  script.onload();
} } };
const Search = { setIndex(index) { console.log(JSON.stringify(index)); } };
Object.assign(globalThis, { document, Search, location: { search: `?q=${query}` } });
globalThis.splitQuery = (text) => text.split(" ");
vm.runInThisContext(fs.readFileSync(script, "utf8"));
"""


def opened(folder: Path, query: str) -> dict[str, Any]:
    """The index that the page's script hands to the search after it loaded files of a folder."""
    said = json.dumps({"lang": {}, "other": {}, "parts": 16})
    script = folder / "search_language.js"
    script.write_text(SCRIPT.read_text(encoding="utf-8").replace("SAID", said), encoding="utf-8")
    command = ["node", "-e", BROWSER, "--", str(folder), str(script), query]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    index: dict[str, Any] = json.loads(done.stdout)
    return index


def an_index(words: dict[str, Any]) -> dict[str, Any]:
    """Of 300 entries; the second title is a heading of the third entry too, and one is left out."""
    names = [f"page{number}" for number in range(300)]
    titles = ["", "Sums", "Sums &amp; more", *(f"Title {number}" for number in range(3, 300))]
    headings = {
        title: [[at, None]] for at, title in enumerate(titles) if title and "&" not in title
    }
    headings["Sums"].append([2, "sums"])
    headings["Sums & more"] = [[2, None]]
    return {
        "docnames": names,
        "filenames": [f"{name}.md" for name in names],
        "titles": titles,
        "terms": words,
        "titleterms": {"sum": [1, 2], "titl": list(range(3, 300))},
        "alltitles": headings,
        "indexentries": {},
    }


WORDS = {
    "sum": 1,
    "summer": [1, 2, 299],
    "a": list(range(1, 300)),
    "0x7f80": [92, 93, 184],
    "quantize_a_language_model": [90, 181],
    "quantize_a_languages": [91, 182],
    "\U0001d465\U0001d466": [5],
    "\U0001d465\U0001d467": [7],
    "\u91cf\u5316": [3, 4],
    "\u91cf\u7a0b": [299],
}


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
@pytest.mark.parametrize("words", [WORDS, {}])
def test_the_browser_gets_the_index_that_was_packed(tmp_path: Path, words: dict[str, Any]) -> None:
    whole = part_of(an_index(words), lambda name: True)
    write_part(tmp_path / "searchindex-en.js", "index", light(whole))
    assert opened(tmp_path, "sum") == whole


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
def test_a_chinese_query_gets_the_terms_of_its_parts(tmp_path: Path) -> None:
    whole = part_of(an_index(WORDS), lambda name: True)
    others, parts = divided(whole["terms"])
    write_part(tmp_path / "searchindex-zh.js", "index", light({**whole, "terms": others}))
    for number, part in enumerate(parts):
        write_part(tmp_path / f"searchindex-zh-{number}.js", "terms", packed(part))
    assert opened(tmp_path, "\u91cf\u5316") == whole


def test_words_are_written_without_what_they_share_with_the_one_before() -> None:
    assert list(shortened(["sum", "summer", "tail"])) == ["0sum", "3mer", "0tail"]


def test_places_are_written_as_gaps_and_a_wide_gap_as_several_characters() -> None:
    assert gaps([0, 1, 4]) == "##%"
    assert gaps([90, 91, 183]) == "}#~#"


def test_a_packed_index_is_smaller_than_the_table_it_came_from() -> None:
    table = {f"word{number}": list(range(number % 7, 300, 3)) for number in range(500)}
    assert len(json.dumps(packed(table))) < 0.3 * len(json.dumps(table))


def test_what_search_leaves_out_has_no_entry() -> None:
    whole = part_of(an_index(WORDS), lambda name: True)
    assert "page0" not in whole["docnames"] and len(whole["titles"]) == 299
    assert whole["terms"]["sum"] == [0]
