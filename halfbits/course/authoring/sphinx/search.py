"""What the search of the book knows: an entry for every page and every question, in two indexes.

English pages are one index and Chinese pages the other; the language of the query decides which of
them a reader loads (`_static/search_language.js`). English words are stems, and Chinese text is cut
into pairs of characters that stand side by side; those lie in PARTS files by their first character,
of which a query needs few. An index holds nothing that no query finds: the script that searches
skips numbers, and nobody types the name of a test that proves an answer, the ticks of a drawing,
which come as one word, or a heading that stands on every page of a kind.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import search
from sphinx.application import Sphinx
from sphinx.search import IndexBuilder, languages
from sphinx.search.en import SearchEnglish

from halfbits.course.authoring.sphinx.interview_pages import bank_of, folder, page_of
from halfbits.course.authoring.sphinx.search_pack import light, packed
from halfbits.course.interview.bank.question import LANGUAGES
from halfbits.course.interview.words import LANG, names

PARTS = 16
COMMON = 10  # a heading of more pages leads to none of them
TICKS = re.compile(r"(?!0x)\d\w{4}")  # of a drawing, such as 000batch102
HAN = "[\u3400-\u9fff]"
WORD = re.compile(rf"{HAN}+|(?:(?!{HAN})\w)+")
# The same in the reader's browser.
SPLIT = """
var splitQuery = (query) => {
  const word = /[\\u3400-\\u9fff]+|(?:(?![\\u3400-\\u9fff])[\\p{Letter}\\p{Number}_])+/gu;
  const pairs = (text) => [...text].slice(1).map((second, i) => text[i] + second);
  return (query.match(word) ?? []).flatMap((text) =>
    /^[\\u3400-\\u9fff]{2}/.test(text) ? pairs(text) : [text]
  );
};
"""
# These pages say again what the questions say.
AGAIN = (
    *(f"{folder(language)}/flashcards" for language in LANGUAGES),
    f"{folder('en')}/find",
)


class SearchBook(SearchEnglish):
    """English stems, and pairs of Chinese characters."""

    js_splitter_code = SPLIT

    def split(self, input: str) -> list[str]:
        return [part for word in WORD.findall(input) for part in pairs(word)]

    def word_filter(self, word: str) -> bool:
        is_nothing = word.isdigit() or word.startswith("test_") or TICKS.match(word)
        return not is_nothing and super().word_filter(word)


def pairs(word: str) -> list[str]:
    """The pairs of neighbors in a Chinese word; any other word, and a lone character, as it is."""
    if len(word) < 2 or not re.match(HAN, word):
        return [word]
    return [word[i : i + 2] for i in range(len(word) - 1)]


class BookIndex(IndexBuilder):
    """The words of each page; a question is an entry of its own, named `page#question`."""

    def feed(self, docname: str, filename: str, title: str, doctree: nodes.document) -> None:
        found = list(questions(doctree, self.env.srcdir, docname))
        for section in found:
            name = f"{docname}#{section['ids'][0]}"
            super().feed(name, filename, section[0].astext(), section)
        if found or docname in AGAIN:
            doctree = opening(doctree)
        super().feed(docname, filename, title, doctree)

    def prune(self, docnames: Iterable[str]) -> None:
        kept = set(docnames)
        super().prune([name for name in self._titles if name.partition("#")[0] in kept])


def questions(doctree: nodes.document, source: Path | str, page: str) -> Iterator[nodes.section]:
    """The sections of a page that are the bank's questions."""
    bank = bank_of(Path(source))
    own = {q.slug for q in bank.questions for language in LANGUAGES if page_of(q, language) == page}
    for section in doctree.findall(nodes.section) if own else ():
        if own.intersection(section["ids"]):
            yield section


def opening(doctree: nodes.document) -> Any:
    """A page's title and what stands before its first section."""
    section = next(doctree.findall(nodes.section))
    first = [part for part in section.children if not isinstance(part, nodes.section)]
    kept = [part for part in first if isinstance(part, nodes.title | nodes.paragraph)]
    return nodes.section("", *(part.deepcopy() for part in kept), ids=section["ids"])


def part_of(index: dict[str, Any], is_kept: Callable[[str], bool]) -> dict[str, Any]:
    """An index, as Sphinx freezes it, of those entries alone whose name `is_kept`.

    What search leaves out has no title, and no word that leads to it.
    """
    pages = enumerate(zip(index["docnames"], index["titles"], strict=True))
    chosen = [old for old, (name, title) in pages if title and is_kept(name)]
    number = {old: new for new, old in enumerate(chosen)}

    def places(found: int | list[int]) -> list[int]:
        each = [found] if isinstance(found, int) else found
        return [number[old] for old in each if old in number]

    listed = {
        name: [index[name][old] for old in chosen] for name in ("docnames", "filenames", "titles")
    }
    words = {name: kept(index[name], places) for name in ("terms", "titleterms")}
    places_in = {
        name: kept(
            index[name],
            lambda found: [[number[old], *more] for old, *more in found if old in number],
        )
        for name in ("alltitles", "indexentries")
    }
    titles = places_in["alltitles"]
    places_in["alltitles"] = {key: at for key, at in titles.items() if len(at) <= COMMON}
    return {**index, **listed, **words, **places_in}


def kept(table: dict[str, Any], places: Callable[[Any], list[Any]]) -> dict[str, list[Any]]:
    """The keys of a table that have places left."""
    found = {key: places(value) for key, value in table.items()}
    return {key: left for key, left in found.items() if left}


def is_of(language: str, name: str) -> bool:
    """Whether an entry belongs to a language; what lies in no language's folder is English."""
    return name.startswith(f"{folder('zh')}/") == (language == "zh")


def write_indexes(app: Sphinx, error: Exception | None) -> None:
    """Write an index for each language, and as `searchindex.js` the script that chooses one."""
    if error or app.builder.format != "html":
        return
    out = Path(app.outdir)
    whole = app.builder.indexer.freeze()  # type: ignore[attr-defined]
    write_part(out / "searchindex-en.js", "index", light(part_of(whole, partial(is_of, "en"))))
    chinese = part_of(whole, partial(is_of, "zh"))
    chinese["terms"], parts = divided(chinese["terms"])
    write_part(out / "searchindex-zh.js", "index", light(chinese))
    for number, part in enumerate(parts):
        write_part(out / f"searchindex-zh-{number}.js", "terms", packed(part))
    script = Path(app.srcdir) / "book" / "_static" / "search_language.js"
    said = json.dumps({**names("search"), "lang": LANG, "parts": PARTS}, ensure_ascii=False)
    text = script.read_text(encoding="utf-8").replace("SAID", said)
    (out / "searchindex.js").write_text(text, encoding="utf-8")


def divided(terms: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The terms that are not Chinese, and the Chinese ones in PARTS by their first character."""
    others = dict[str, Any]()
    parts = [dict[str, Any]() for _ in range(PARTS)]
    for word, places in sorted(terms.items()):
        (parts[ord(word[0]) % PARTS] if re.match(HAN, word) else others)[word] = places
    return others, parts


def write_part(path: Path, kind: str, content: dict[str, Any] | list[str]) -> None:
    """A script that hands `content` to the page's `Search` as its next part of a kind."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    path.write_text(f'Search.take("{kind}",{text})', encoding="utf-8")


def keep_the_whole_index(app: Sphinx) -> None:
    """Sphinx's own index, which a later build goes on with, is none of the book's files."""
    if app.builder.format == "html":
        app.builder.searchindex_filename = str(  # type: ignore[attr-defined]
            Path(app.doctreedir).absolute() / "searchindex.js"
        )


def leave_out_solutions(app: Sphinx, doctree: nodes.document) -> None:
    """A search leads to the exercise, not to its answer."""
    if app.env.docname.startswith("solutions/"):
        app.env.metadata[app.env.docname]["nosearch"] = True


def setup(app: Sphinx) -> dict[str, bool]:
    languages["en"] = SearchBook
    search.IndexBuilder = BookIndex  # type: ignore[misc]
    app.connect("builder-inited", keep_the_whole_index)
    app.connect("doctree-read", leave_out_solutions)
    app.connect("build-finished", write_indexes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
