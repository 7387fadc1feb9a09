"""Every page of the book as a visitor's browser meets it: weight, requests, errors, axe."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import SCREENSHOTS

pytestmark = pytest.mark.browser
MAX_BYTES, MAX_REQUESTS, MAX_FIGURE = 200_000, 15, 60_000
# A query in each language, and a page that it must find.
QUERIES = {"Babai": "book/interview/methods.html#", "\u53cd\u91cf\u5316 GEMM": "book/interview/zh/"}
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
# Axe looks at each page in the light, and at these in the dark too.
DARK = ("book/index", "book/faq/techniques", "book/interview/find", "notebooks/number_formats")
SHOWN = (*DARK, "exercises/amp/amp_basics", "search")
# Axe takes seconds for the thousands of colored words in code cells and for the contents, which are
# alike on every page: it sees them on some pages, and elsewhere the code as plain text. Contrast,
# half of its work, is left to these pages too, unless HALFBITS_AXE=all.
CONTRAST = (*SHOWN, "book/interview/zh/quantization", "book/interview/mock", "book/glossary")
EVERYWHERE = os.environ.get("HALFBITS_AXE") == "all"
SHORTER = """keep => {
  if (keep) return;
  for (const pre of document.querySelectorAll(".highlight pre")) pre.textContent += "";
  document.querySelector(".bd-docs-nav")?.remove();
}"""
# Code that is wider than its box, with the cell that holds it.
WIDE = """() => [...document.querySelectorAll("article pre")]
  .filter(pre => pre.scrollWidth > pre.clientWidth)
  .map(pre => [pre.closest("[id^=cell-]")?.id ?? "no cell", pre.scrollWidth - pre.clientWidth])
  .map(([cell, pixels]) => `${cell}: ${pixels} px too wide`)"""
# How far the page's parts moved while it loaded, as browsers count it ("cumulative layout shift").
COUNT_SHIFTS = """window.shift = 0;
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });"""
MAX_SHIFT = 0.02
# Where a lesson's first figure stands: at least the lower third of a screen 800 pixels high.
FIGURE_TOP = """() => document.querySelector("article .hb-figure, article .hb-plot")
  ?.getBoundingClientRect().top"""
LOWEST_TOP = 530
# What comes as a figure is loaded when it comes into view; its weight has a bound of its own.
FIGURES = "/_images/"
COMPRESSED = (".png", ".woff2", ".jpg", ".webp")
AT_ONCE = 4  # pages that load beside each other: a quiet network takes each half a second to show


@dataclass
class Visit:
    """What a browser did and said when it opened one page of `folder` and nobody touched it."""

    folder: Path
    requests: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    wide: list[str] = field(default_factory=list)
    figure_top: float | None = None
    shift: float = 0.0

    @property
    def files(self) -> list[str]:
        return [path for path in self.requests if not path.startswith(FIGURES)]

    @property
    def weight(self) -> int:
        return sum(weight(self.folder / path.lstrip("/")) for path in self.files)


def weight(path: Path) -> int:
    """Bytes of a file as a server sends it: compressed unless its format is."""
    data = path.read_bytes()
    return len(data if path.suffix in COMPRESSED else gzip.compress(data, 6))


def names(pages: Path) -> list[str]:
    """Every page, but for those that only lead to another."""
    found = (
        path for path in pages.rglob("*.html") if b'http-equiv="refresh"' not in path.read_bytes()
    )
    names = (path.relative_to(pages).with_suffix("").as_posix() for path in found)
    return sorted(name for name in names if not name.startswith("_static/"))


@pytest.fixture(scope="module")
def visits(chromium: Any, address: str, pages: Path) -> dict[str, Visit]:
    """One visit of every page, in the light, with axe."""
    return visited(chromium, address, pages, names(pages), "light")


@pytest.fixture(scope="module")
def dark_visits(chromium: Any, address: str, pages: Path) -> dict[str, Visit]:
    return visited(chromium, address, pages, DARK, "dark")


def visited(
    chromium: Any, address: str, pages: Path, names: Sequence[str], scheme: str
) -> dict[str, Visit]:
    """A visit of each page, some of them at once."""
    found = {}
    for first in range(0, len(names), AT_ONCE):
        some = {name: Visit(pages) for name in names[first : first + AT_ONCE]}
        opened = [opening(chromium, address, name, scheme, seen) for name, seen in some.items()]
        for page in opened:
            page.wait_for_load_state("networkidle")
        for name, page in zip(some, opened, strict=True):
            note_layout(some[name], page)
            page.evaluate(SHORTER, name in DARK)
            start_axe(page, EVERYWHERE or name in CONTRAST)
        for seen, page in zip(some.values(), opened, strict=True):
            seen.findings = list(findings(page))
            page.context.close()
        found.update(some)
    return found


def note_layout(seen: Visit, page: Any) -> None:
    seen.wide = page.evaluate(WIDE)
    seen.figure_top = page.evaluate(FIGURE_TOP)
    seen.shift = page.evaluate("window.shift")


def opening(chromium: Any, address: str, name: str, scheme: str, seen: Visit) -> Any:
    """A page in a window of its own that has begun to load; `seen` notes what it does."""
    context = chromium.new_context(viewport=DESK, color_scheme=scheme)
    context.on("request", lambda request: note_request(seen, address, request.url))
    context.on("requestfailed", lambda request: seen.errors.append(f"failed: {request.url}"))
    context.on("response", lambda answer: note_answer(seen, answer))
    context.on("console", lambda message: note_message(seen, message))
    context.on("weberror", lambda error: seen.errors.append(str(error.error)))
    page = context.new_page()
    page.add_init_script(COUNT_SHIFTS)
    page.goto(f"{address}/{name}.html", wait_until="commit")
    return page


def note_request(seen: Visit, address: str, url: str) -> None:
    if url.startswith(f"{address}/"):
        seen.requests.append(unquote(urlsplit(url).path))
    elif not url.startswith(("data:", "blob:")):
        seen.foreign.append(url)


def note_answer(seen: Visit, answer: Any) -> None:
    if answer.status >= 400:
        seen.errors.append(f"{answer.status}: {answer.url}")


def note_message(seen: Visit, message: Any) -> None:
    if message.type in ("error", "warning"):
        seen.errors.append(message.text)


def start_axe(page: Any, contrast: bool) -> None:
    """Let axe begin, and not wait for it: pages have processes of their own."""
    # Axe's preload would fetch style sheets again, which the count of requests would see.
    rules = {"color-contrast": {"enabled": contrast}}
    options = {"resultTypes": ["violations"], "preload": False, "rules": rules}
    page.evaluate(Axe().axe_script)
    page.evaluate("options => { window.found = axe.run(options); }", options)


def findings(page: Any) -> Iterator[str]:
    """What axe finds, one line for each element."""
    for violation in page.evaluate("() => window.found")["violations"]:
        for node in violation["nodes"]:
            yield f"{violation['id']} ({violation['impact']}): {node['html'][:160]}"


def lines(told: dict[str, list[str]]) -> str:
    return "\n".join(f"{name}: {line}" for name, texts in told.items() for line in texts)


def test_no_page_weighs_more_than_200_kilobytes(visits: dict[str, Visit]) -> None:
    heavy = {name: seen.weight for name, seen in visits.items() if seen.weight > MAX_BYTES}
    assert len(visits) > 50 and not heavy


@pytest.mark.parametrize(("query", "found"), QUERIES.items())
def test_a_search_loads_the_index_of_its_language_within_the_weight(
    chromium: Any, address: str, pages: Path, query: str, found: str
) -> None:
    """Without the pages that it shows parts of, one for each result."""
    seen = Visit(pages)
    page = opening(chromium, address, "search", "light", seen)
    page.wait_for_load_state("networkidle")
    seen.requests.clear()
    page.goto(f"{address}/search.html?q={quote(query)}")
    page.locator(f"#search-results li a[href*='{found}']").first.wait_for()
    page.wait_for_load_state("networkidle")  # what is under way counts as failed when it closes
    seen.requests = [path for path in seen.requests if path.count("/") == 1 or "_static" in path]
    page.context.close()
    assert seen.weight <= MAX_BYTES and not seen.errors


def test_no_page_asks_for_more_than_15_files(visits: dict[str, Visit]) -> None:
    many = {name: seen.files for name, seen in visits.items() if len(seen.files) > MAX_REQUESTS}
    assert not many


def test_no_figure_weighs_more_than_60_kilobytes(pages: Path) -> None:
    figures = list((pages / "_images").iterdir())
    heavy = {path.name: path.stat().st_size for path in figures}
    assert figures and not {name: size for name, size in heavy.items() if size > MAX_FIGURE}


def test_no_code_scrolls_sideways_on_a_desk(visits: dict[str, Visit]) -> None:
    assert not lines({name: seen.wide for name, seen in visits.items()})


def test_the_first_screen_of_every_lesson_holds_a_figure(visits: dict[str, Visit]) -> None:
    tops = {name: visits[name].figure_top for name in lessons(visits)}
    low = {name: top for name, top in tops.items() if top is None or not 0 < top <= LOWEST_TOP}
    assert len(tops) > 20 and not low


def lessons(visits: dict[str, Visit]) -> list[str]:
    """The notebooks of the course; those of the FAQ's listings are no lessons."""
    return [name for name in visits if name.startswith("notebooks/") and "/faq_" not in name]


def test_no_page_moves_while_it_loads(
    chromium: Any, address: str, pages: Path, visits: dict[str, Visit]
) -> None:
    """A busy machine paints a page before its end is read; what moves by itself moves again."""
    moved = {name: seen.shift for name, seen in visits.items() if seen.shift > MAX_SHIFT}
    again = {name: shift_alone(chromium, address, pages, name) for name in moved}
    assert not {name: shift for name, shift in again.items() if shift > MAX_SHIFT}


def shift_alone(chromium: Any, address: str, pages: Path, name: str) -> float:
    page = opening(chromium, address, name, "light", Visit(pages))
    page.wait_for_load_state("networkidle")
    shift = page.evaluate("window.shift")
    page.context.close()
    return float(shift)


def test_no_page_asks_another_host(visits: dict[str, Visit]) -> None:
    assert not lines({name: seen.foreign for name, seen in visits.items()})


def test_no_page_fails_to_load_a_file_or_writes_an_error(visits: dict[str, Visit]) -> None:
    assert not lines({name: seen.errors for name, seen in visits.items()})


def test_axe_finds_nothing_on_any_page(visits: dict[str, Visit]) -> None:
    assert not lines({name: seen.findings for name, seen in visits.items()})


def test_axe_finds_nothing_in_the_dark(dark_visits: dict[str, Visit]) -> None:
    assert not lines({name: seen.findings for name, seen in dark_visits.items()})


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("screen", "size"), [("desk", DESK), ("phone", PHONE)])
def test_pages_fit_the_screen(
    chromium: Any, address: str, screen: str, size: dict[str, int], scheme: str
) -> None:
    """Nothing widens the page; the screenshots are for a person to look at."""
    context = chromium.new_context(viewport=size, color_scheme=scheme)
    page, wide = context.new_page(), {}
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for name in SHOWN:
        page.goto(f"{address}/{name}.html", wait_until="networkidle")
        wide[name] = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        file = f"page-{name.replace('/', '-')}-{screen}-{scheme}.png"
        page.screenshot(path=SCREENSHOTS / file)
    context.close()
    assert not {name: extra for name, extra in wide.items() if extra > 0}
