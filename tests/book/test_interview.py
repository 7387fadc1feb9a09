"""The question bank is whole, proven, computed, in two languages, and stands in the built book."""

from __future__ import annotations

import re
from collections import Counter
from difflib import SequenceMatcher
from functools import cache
from itertools import combinations
from pathlib import Path

import pytest
import yaml
from book_sources import ROOT
from bs4 import BeautifulSoup, Tag
from interview_numbers import bodies, inputs, proven, shown, typed, value

from halfbits.course.interview.bank.bank import load_bank
from halfbits.course.interview.bank.links import Checkout, link_problems
from halfbits.course.interview.bank.parse import PLACEHOLDER, printed
from halfbits.course.interview.bank.question import KINDS, LANGUAGES, LEVELS, TOPICS, Question

Pages = dict[str, BeautifulSoup]
QUESTIONS = load_bank(ROOT).questions
CHECKOUT = Checkout(ROOT)
ESTIMATES = [question for question in QUESTIONS if question.kind == "estimate"]
TYPED = Path(__file__).with_name("interview_numbers.txt")
PLACES = {"en": "book/interview", "zh": "book/interview/zh"}
SEED = 10
SAID = ("short", "full", "follow-ups", "red-flags", "points")
FULL_ANSWER = {"en": (120, 400), "zh": (150, 550)}  # words; Chinese characters and Latin words


def by_slug(question: Question) -> str:
    return question.slug


def words(text: str) -> list[str]:
    return re.findall(r"[\u4e00-\u9fff]|[A-Za-z0-9]+", text.lower())


def section(pages: Pages, question: Question, language: str) -> Tag:
    """What the book shows of a question."""
    found = pages[f"{PLACES[language]}/{question.topic}.html"].find(id=question.slug)
    assert found is not None, f"{question.slug} is not in the book in {language}"
    return found


def shown_text(tag: Tag) -> str:
    return " ".join(tag.get_text().split())


def test_there_are_sixty_questions_and_the_seed_comes_first_and_whole() -> None:
    assert len(QUESTIONS) >= 60
    assert [question.seed for question in QUESTIONS[:SEED]] == list(range(1, SEED + 1))
    assert all(question.seed is None for question in QUESTIONS[SEED:])


def test_the_seed_questions_are_those_of_the_faq() -> None:
    text = (ROOT / "book" / "faq" / "questions.md").read_text(encoding="utf-8")
    asked = re.findall(r"^## \d+\..*\n\n\*(.*)\*$", text, re.MULTILINE)
    assert len(asked) == SEED
    for question, original in zip(QUESTIONS, asked, strict=False):
        common = Counter(words(original)) & Counter(words(question.texts["zh"].question))
        assert common.total() >= 0.75 * len(words(original)), question.slug


@pytest.mark.parametrize(
    ("names", "field", "least"),
    [(TOPICS, "topic", 5), (KINDS, "kind", 5), (LEVELS, "level", 8)],
    ids=["topic", "kind", "level"],
)
def test_no_topic_kind_or_level_is_thin(names: dict[str, object], field: str, least: int) -> None:
    counts = Counter(getattr(question, field) for question in QUESTIONS)
    assert not {name: counts[name] for name in names if counts[name] < least}


def test_everything_that_a_question_names_exists() -> None:
    """Proofs, lessons, exercises, citations, other questions; prerequisites go round nowhere."""
    problems = list(link_problems(QUESTIONS, ROOT))
    assert not problems, "\n".join(map(str, problems))


@pytest.mark.parametrize("question", QUESTIONS[:SEED], ids=by_slug)
def test_a_seed_question_opens_a_chain_of_three_further_ones(question: Question) -> None:
    follows = {other.slug: other.follow_ups for other in QUESTIONS}
    chains = [(question.slug,)]
    for _ in range(3):
        chains = [(*c, slug) for c in chains for slug in follows[c[-1]] if slug not in c]
    assert chains


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_question_is_asked_twice(language: str) -> None:
    for one, other in combinations(QUESTIONS, 2):
        a, b = one.texts[language], other.texts[language]
        pair = f"{one.slug} and {other.slug}"
        assert not alike(a.question, b.question), pair
        assert overlap(a.question, b.question) < 0.7, pair
        assert overlap(a.short, b.short) < 0.55, pair


def alike(one: str, other: str) -> bool:
    matcher = SequenceMatcher(None, one, other)
    return matcher.quick_ratio() >= 0.8 and matcher.ratio() >= 0.8


def overlap(one: str, other: str) -> float:
    """Share of their words, or pairs of Chinese characters, that two texts have in common."""
    a, b = (set(zip(words(text), words(text)[1:], strict=False)) for text in (one, other))
    return len(a & b) / max(1, len(a | b))


@pytest.mark.parametrize("question", QUESTIONS, ids=by_slug)
def test_a_full_answer_is_neither_a_line_nor_a_lecture(question: Question) -> None:
    for language, (least, most) in FULL_ANSWER.items():
        assert least <= len(words(question.texts[language].full)) <= most, language


@pytest.mark.parametrize("question", QUESTIONS, ids=by_slug)
def test_a_question_stands_in_the_book_in_both_languages(pages: Pages, question: Question) -> None:
    for language in LANGUAGES:
        box = section(pages, question, language)
        for name in SAID:
            fold = box.select_one(f"details.hb-{name}")
            assert fold is not None and fold.summary is not None, f"{language}: {name}"
            assert "open" not in fold.attrs
        assert len(box.select(".hb-follow-ups details")) == len(question.texts[language].follow_ups)
        assert len(box.select(".hb-points li")) == len(question.points)
        there = box.select_one(".hb-badges a[hreflang]")
        assert there is not None and str(there["href"]).endswith(f"#{question.slug}")


@pytest.mark.parametrize(
    "question", [question for question in QUESTIONS if question.numbers], ids=by_slug
)
def test_computed_numbers_are_printed_in_both_languages(pages: Pages, question: Question) -> None:
    for language, part in bodies(question):
        text = shown_text(section(pages, question, language))
        for found in PLACEHOLDER.finditer(part.text):
            number = printed(found, question.numbers)
            assert number in text, f"{language}: {found[0]} is {number}"


@pytest.mark.parametrize("question", ESTIMATES, ids=by_slug)
def test_an_estimate_types_none_of_its_results(question: Question) -> None:
    computed = list(question.numbers.values())
    given = [*known_inputs(question), *proven(question, CHECKOUT)]
    listed = allowed()
    typed_results = [
        f"{language}, {part.title}: {found.number}"
        for language, part in bodies(question)
        if part.title in ("Answer in 30 seconds", "Full answer", "30 秒回答", "完整回答")
        for found in typed(part)
        if abs(value(found.number)) >= 1
        and shown(found.number, computed, powers=(1, 100))
        and not shown(found.number, given)
        and (question.slug, found.number) not in listed
    ]
    assert not typed_results, "write {{name:format}} for these"


def test_every_other_number_is_an_input_or_stands_in_the_proof_or_is_listed() -> None:
    listed = allowed()
    loose = {pair: line for pair, line in loose_numbers() if pair not in listed}
    told = "\n".join(f"{slug} {number}  # {line}" for (slug, number), line in loose.items())
    assert not loose, f"name the proof that shows these, or list them in {TYPED.name}:\n{told}"


def test_every_listed_number_is_still_needed() -> None:
    needed = {pair for pair, _ in loose_numbers()}
    assert not allowed() - needed


@cache
def loose_numbers() -> tuple[tuple[tuple[str, str], str], ...]:
    """Pairs of slug and number, with their line, that nothing the question names accounts for."""
    found = []
    for question in QUESTIONS:
        given = [*known_inputs(question), *proven(question, CHECKOUT)]
        for _, part in bodies(question):
            if part.title in ("Red flags", "危险信号"):  # they quote what is wrong
                continue
            for number in typed(part):
                if not is_small(number.number) and not shown(number.number, given):
                    found.append(((question.slug, number.number), number.text.strip()[:90]))
    return tuple(found)


def is_small(number: str) -> bool:
    """Counts of things, and numbers beside a power of two, such as a format's last integer."""
    digits = number.replace(",", "")
    if not digits.isdecimal():
        return False
    return int(digits) <= 12 or any((int(digits) + d).bit_count() == 1 for d in (-1, 0, 1))


def known_inputs(question: Question) -> list[float]:
    front = yaml.safe_load(question.path.read_text(encoding="utf-8").split("---\n", 2)[1])
    hardware = (ROOT / "halfbits" / "perf" / "hardware.json").read_text(encoding="utf-8")
    return inputs(question, front.get("numbers") or {}, hardware)


def allowed() -> set[tuple[str, str]]:
    """Pairs of slug and number of the list; after ` # ` stands the reason."""
    lines = TYPED.read_text(encoding="utf-8").splitlines()
    entries = [line.partition("  # ") for line in lines if line and line[0] != "#"]
    assert all(reason for _, _, reason in entries)
    pairs = (entry.split(" ", 1) for entry, _, _ in entries)
    return {(slug, number.strip()) for slug, number in pairs}


def test_no_markdown_is_left_unread(pages: Pages) -> None:
    """Such as bold text in Chinese whose closing mark follows a punctuation mark."""
    left = []
    for page, soup in pages.items():
        if page.startswith("book/interview/"):
            strings = soup.article.find_all(string=re.compile(r"\*\*|`|\$|\{\{|\]\("))
            left += [f"{page}: {text}" for text in strings if not text.find_parent(["code", "pre"])]
    assert not left, "\n".join(left)


def test_chinese_pages_say_that_they_are_chinese(pages: Pages) -> None:
    chinese = [page for page in pages if page.startswith(f"{PLACES['zh']}/")]
    assert len(chinese) >= len(TOPICS) + 2
    for page in chinese:
        assert pages[page].select_one('article [lang="zh-Hans"] h1') is not None, page


def test_the_front_door_shows_the_ten_questions_in_their_order(pages: Pages) -> None:
    for language, place in PLACES.items():
        links = pages[f"{place}/index.html"].select("article table")[0].select("a")
        asked = [question.slug for question in QUESTIONS[:SEED]]
        assert [str(link["href"]).partition("#")[2] for link in links] == asked, language


def test_the_index_is_a_table_of_all_questions_without_a_script(pages: Pages) -> None:
    page = pages["book/interview/find.html"]
    assert page.select_one("form.hb-find").has_attr("hidden")
    for language in LANGUAGES:
        links = page.select(f'[data-table="{language}"] tbody a')
        assert [str(link["href"]).partition("#")[2] for link in links] == [
            question.slug for question in QUESTIONS
        ]


def test_only_the_index_loads_the_filter(pages: Pages) -> None:
    script = "script[src*=interview_find]"
    loading = [page for page, soup in pages.items() if soup.select_one(script)]
    assert loading == ["book/interview/find.html"]


def test_both_cheat_sheets_say_the_same_numbers(pages: Pages) -> None:
    sheets = [shown_text(pages[f"{place}/cheat_sheet.html"].article) for place in PLACES.values()]
    assert all("{{" not in sheet for sheet in sheets)
    tables = [
        pages[f"{place}/cheat_sheet.html"].select(".hb-cheat td") for place in PLACES.values()
    ]
    figures = [[cell.get_text() for cell in cells if is_figure(cell)] for cells in tables]
    assert figures[0] == figures[1] and len(figures[0]) > 30


def is_figure(cell: Tag) -> bool:
    return re.fullmatch(r"[\d.,e/ \N{MINUS SIGN}-]+", cell.get_text().strip()) is not None
