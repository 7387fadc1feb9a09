"""The extension behind the interview pages: what it writes, and what a change touches."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from fake_bank import GOOD
from sphinx.errors import ExtensionError

from halfbits.course.authoring.sphinx.interview import (
    reread_when_the_bank_changed,
    with_numbers,
    written,
)
from halfbits.course.authoring.sphinx.interview_pages import bank_of

PAGES = {
    "performance": "# P\n\n```{interview} topic performance en\n```\n",
    "zh/performance": "# P\n\n```{interview} topic performance zh\n```\n",
    "formats": "# F\n\n```{interview} topic formats en\n```\n",
    "index": "# I\n\n```{interview} seed en\n```\n\n```{interview} topics en\n```\n",
    "find": "# S\n\n```{interview-find}\n```\n",
}
LESSON = '{"cells": [{"cell_type": "markdown", "source": "# Which bits?", "id": "title"}]}'


@pytest.fixture
def app(tmp_path: Path) -> SimpleNamespace:
    """As much of Sphinx as the extension asks for, over a source of one question."""
    files = {f"book/interview/{name}.md": text for name, text in PAGES.items()}
    files["book/interview/questions/size.md"] = GOOD
    for name in ("notebooks/a_lesson", "exercises/topic/task"):
        files[f"{name}.ipynb"] = LESSON
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    env = SimpleNamespace(
        found_docs={f"book/interview/{name}" for name in PAGES} | {"book/index"},
        doc2path=lambda name: str(tmp_path / f"{name}.md"),
    )
    bank_of.cache_clear()
    return SimpleNamespace(srcdir=str(tmp_path), env=env)


def page(app: SimpleNamespace, name: str) -> str:
    return written(app, f"book/interview/{name}", PAGES[name])


def reread(app: SimpleNamespace) -> set[str]:
    """The pages that a build reads again for the bank's sake."""
    bank_of.cache_clear()
    names = reread_when_the_bank_changed(app, app.env, set(), set(), set())
    return {name.removeprefix("book/interview/") for name in names}


def change(app: SimpleNamespace, old: str, new: str) -> None:
    path = Path(app.srcdir) / "book" / "interview" / "questions" / "size.md"
    path.write_text(path.read_text("utf-8").replace(old, new), encoding="utf-8")


def test_a_question_is_written_under_its_level_with_its_anchor(app: SimpleNamespace) -> None:
    text = page(app, "performance")
    assert "## On-site\n\n% id onsite" in text
    assert "### How large is it for 128?\n\n% id size" in text
    assert "{fold} Answer in 30 seconds" in text and "131,072" in text
    assert '<a href="zh/performance.html#size" lang="zh-Hans"' in text


def test_the_chinese_page_links_back(app: SimpleNamespace) -> None:
    text = page(app, "zh/performance")
    assert "### 它有多大？" in text and "{fold} 30 秒回答" in text
    assert '<a href="../performance.html#size" lang="en"' in text


def test_proofs_are_linked_to_where_they_can_be_seen(app: SimpleNamespace) -> None:
    text = page(app, "performance")
    assert '<a href="../../notebooks/a_lesson.html#cell-first"><code>first</code></a>' in text
    assert '`test_half` of <a href="../../exercises/topic/task.html">Which bits?</a>' in text
    assert "[`book/data/a.json`](../data/a.json)" in text
    assert "`tests/unit/test_a.py::test_it`" in text


def test_what_is_only_cited_stands_apart_from_the_proof(app: SimpleNamespace) -> None:
    english, chinese = page(app, "performance"), page(app, "zh/performance")
    link = "[A page](https://example.org/x)"
    assert f"- **Cited, not proved here:**\n  - Caches are bf16 ({link})\n" in english
    assert f"- **引用而未在此验证：**\n  - 缓存是 bf16（{link}）\n" in chinese
    change(app, ', says: {en: Caches are bf16, zh: "缓存是 bf16"}', "")
    bank_of.cache_clear()
    assert "Cited, not proved" not in page(app, "performance")


def test_the_front_door_lists_the_seed_and_counts_the_topics(app: SimpleNamespace) -> None:
    text = page(app, "index")
    assert '| 3 | <a href="performance.html#size">How large is it for 128?</a> |' in text
    assert "| [Performance](performance.md) | 0 | 1 | 0 | 5 |" in text


@pytest.mark.parametrize("fence", ["topic speed en", "nothing en", "seed formats en"])
def test_an_unknown_part_is_refused(app: SimpleNamespace, fence: str) -> None:
    with pytest.raises(ExtensionError, match="book/interview/x: there is nothing called"):
        written(app, "book/interview/x", f"```{{interview}} {fence}\n```")


def test_a_broken_question_fails_the_build_with_file_line_and_field(app: SimpleNamespace) -> None:
    change(app, "minutes: 5", "minutes: soon")
    with pytest.raises(ExtensionError, match=r"size\.md:4: minutes: expected a whole number"):
        page(app, "performance")


def test_only_the_pages_whose_text_changed_are_read_again(app: SimpleNamespace) -> None:
    assert reread(app) == set()
    assert reread(app) == set()
    change(app, "First.", "Second.")
    assert reread(app) == {"performance", "find"}
    change(app, "公式如下", "公式在此")
    assert reread(app) == {"zh/performance", "find"}
    change(app, "topics: [performance", "topics: [formats")
    assert reread(app) == {"performance", "zh/performance", "formats", "index", "find"}
    assert reread(app) == set()


def test_the_cheat_sheet_computes_its_numbers(tmp_path: Path) -> None:
    path = tmp_path / "cheat_sheet.yaml"
    path.write_text("half: 'BITS[\"fp16\"] / 2'\n", encoding="utf-8")
    assert with_numbers("It is {{half:.1f}}.", path) == "It is 8.0."
    with pytest.raises(ExtensionError, match=r"cheat_sheet\.yaml"):
        with_numbers("{{whole}}", path)
    path.write_text("half: 'open(1)'\n", encoding="utf-8")
    with pytest.raises(ExtensionError, match="unknown name 'open'"):
        with_numbers("", path)
