"""What a reader may rely on: whole links, no foreign host, stubs on exercise pages, shown maths."""

from __future__ import annotations

import re
from itertools import accumulate
from pathlib import PurePosixPath
from posixpath import normpath
from urllib.parse import unquote, urlsplit

from book_sources import ROOT, code_cells, notebooks_in_toc, source, tags
from bs4 import BeautifulSoup

from halfbits.course.authoring.book import Site, build
from halfbits.course.catalog import load_catalog

Pages = dict[str, BeautifulSoup]
# Attributes by which a browser fetches something on its own.
FETCHED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}


def test_every_page_of_the_contents_is_built(site: Site) -> None:
    toc = (ROOT / "book" / "_toc.yml").read_text(encoding="utf-8")
    names = re.findall(r"(?:file|root): (\S+)", toc)
    missing = [name for name in names if not (site.pages / f"{name}.html").is_file()]
    assert names and not missing


def test_every_internal_link_and_anchor_resolves(site: Site, pages: Pages) -> None:
    broken = []
    anchors = {page: anchors_of(soup) for page, soup in pages.items()}
    for page, soup in pages.items():
        for link in soup.select("a[href]"):
            problem = problem_of(str(link["href"]), page, site, anchors)
            if problem:
                broken.append(f"{page}: {link['href']} ({problem})")
    assert not broken, "\n".join(broken)


def problem_of(href: str, page: str, site: Site, anchors: dict[str, set[str]]) -> str | None:
    parts = urlsplit(href)
    if parts.scheme or parts.netloc:
        return None
    folder = PurePosixPath(page).parent
    target = normpath((folder / unquote(parts.path)).as_posix()) if parts.path else page
    if not (site.pages / target).is_file():
        return "no such file"
    if parts.fragment and target in anchors and unquote(parts.fragment) not in anchors[target]:
        return "no such anchor"
    return None


def anchors_of(soup: BeautifulSoup) -> set[str]:
    named = {str(tag["name"]) for tag in soup.select("[name]")}
    return named | {str(tag["id"]) for tag in soup.select("[id]")}


def test_no_page_loads_anything_from_another_host(pages: Pages) -> None:
    foreign = [
        f"{page}: {element[attribute]}"
        for page, soup in pages.items()
        for tag, attribute in FETCHED.items()
        for element in soup.find_all(tag)
        if re.match(r"(\w+:)?//", str(element.get(attribute, "")))
    ]
    assert not foreign, "\n".join(foreign)


def test_no_inline_script_names_another_host(pages: Pages) -> None:
    naming = {
        page
        for page, soup in pages.items()
        for script in soup.find_all("script", src=False)
        if "https://" in script.get_text()
    }
    assert not naming


def test_no_style_sheet_loads_anything_from_another_host(site: Site) -> None:
    foreign = [
        f"{path.name}: {url}"
        for path in site.pages.rglob("*.css")
        for url in re.findall(
            r"(?:url\(|@import)\s*['\"]?((?:https?:)?//[^'\")]+)", path.read_text("utf-8")
        )
    ]
    assert not foreign


def test_pages_leave_out_the_icon_script(pages: Pages) -> None:
    with_icons = [page for page, soup in pages.items() if "fontawesome.js" in str(soup)]
    assert not with_icons


def test_every_lesson_and_solution_in_the_contents_was_executed() -> None:
    names = [name for name in notebooks_in_toc() if not name.startswith("exercises/")]
    not_run = [
        f"{name}, cell {cell['id']}"
        for name in names
        for cell in code_cells(ROOT / f"{name}.ipynb")
        if cell["execution_count"] is None and source(cell).strip()
    ]
    assert names and not not_run


def test_no_stored_output_is_an_error_or_names_a_folder_of_a_machine() -> None:
    machine = re.compile(r"/(?:home|root|tmp|opt|Users|work)/|[A-Z]:\\\\Users")
    bad = [
        f"{name}, cell {cell['id']}"
        for name in notebooks_in_toc()
        for cell in code_cells(ROOT / f"{name}.ipynb")
        for output in cell["outputs"]
        if output["output_type"] == "error" or machine.search(str(output))
    ]
    assert not bad


def test_exercise_pages_show_stubs_although_the_learner_broke_the_notebooks(
    site: Site, pages: Pages
) -> None:
    catalog = load_catalog(site.root)
    for exercise in catalog.exercises:
        page = pages[f"exercises/{exercise.key}.html"].get_text()
        assert "in the middle of a merge" not in page
        for task in exercise.tasks:
            assert f"{task}" in page, exercise.key
        assert ("not written yet" in page) == (exercise.kind != "repair"), exercise.key


def test_downloads_of_exercise_pages_hold_no_answer(site: Site) -> None:
    catalog = load_catalog(site.root)
    for exercise in catalog.exercises:
        download = site.pages / "_sources" / "exercises" / f"{exercise.key}.ipynb"
        stub = {cell["id"]: source(cell) for cell in code_cells(download)}
        for cell in code_cells(catalog.notebook(exercise, "solutions")):
            if "answer" in tags(cell):
                left = stub.get(cell["id"], "")
                written = exercise.kind == "repair" or "NotImplementedError" in left
                assert written, f"{exercise.key}: {cell['id']}"
                assert source(cell) not in "".join(stub.values())


def test_solution_pages_fold_every_answer(site: Site, pages: Pages) -> None:
    catalog = load_catalog(site.root)
    for exercise in catalog.exercises:
        cells = code_cells(catalog.notebook(exercise, "solutions"))
        answers = sum("answer" in tags(cell) for cell in cells)
        folded = pages[f"solutions/{exercise.key}.html"].select("div.tag_hide-input details")
        assert answers > 0 and len(folded) == answers, exercise.key


def test_a_solutions_page_says_so_and_has_no_hints_and_no_checks(site: Site, pages: Pages) -> None:
    catalog = load_catalog(site.root)
    for exercise in catalog.exercises:
        page = pages[f"solutions/{exercise.key}.html"]
        assert page.find("h1").text.startswith("Solution: "), exercise.key
        assert not page.find_all("summary", string=re.compile("^Hint")), exercise.key
        kept = {box["id"] for box in page.select("[id^=cell-]")}
        assert not [name for name in kept if name.endswith("-check")], exercise.key


def test_a_solutions_page_shows_the_second_way(pages: Pages) -> None:
    page = pages["solutions/formats/accumulate.html"]
    assert "Another way" in page.text and "side_by_side" in page.text


def test_every_notebook_page_knows_its_notebook_in_jupyterlab(pages: Pages) -> None:
    for name in notebooks_in_toc():
        bar = pages[f"{name}.html"].select_one(".hb-run")
        assert bar is not None, name
        at = PurePosixPath("/book", name).parent
        assert normpath((at / str(bar["data-lab"])).as_posix()) == f"/lab/tree/{name}.ipynb"
        assert bar.select_one("a.hb-open").has_attr("hidden")


def test_formulas_are_mathml_and_no_tex_is_left(pages: Pages) -> None:
    listing = pages["notebooks/faq_listing_keras_training.html"]
    assert listing.select('div.math math[display="block"] mfrac')
    assert listing.select_one("div.math .eqno")
    left = [
        page
        for page, soup in pages.items()
        for formula in soup.select(".math")
        if formula.find("math") is None or "\\" in formula.get_text()
    ]
    assert not left


def test_the_search_index_knows_a_term(site: Site) -> None:
    """Words stand in order, each without what it shares with the one before (`search_pack.py`)."""
    text = (site.pages / "searchindex-en.js").read_text(encoding="utf-8")
    words = re.findall(r'"terms":\["([^"]*)"', text)[0].split(" ")
    whole = list(
        accumulate(words, lambda before, rest: before[: int(rest[0])] + rest[1:], initial="")
    )
    assert "logit" in whole and whole[1:] == sorted(whole[1:])


def test_a_second_build_finds_the_pages_current(site: Site) -> None:
    files = (site.stamp, site.pages / "searchindex.js")
    before = [file.stat().st_mtime_ns for file in files]
    assert build(root=site.root) == 0
    assert [file.stat().st_mtime_ns for file in files] == before


def test_a_page_follows_the_notebook_whose_number_it_quotes(site: Site) -> None:
    notebook = site.root / "notebooks" / "measuring_accuracy_loss.ipynb"
    page = site.pages / "book" / "faq" / "techniques.html"
    quoted = re.search(r"accuracy of.*?(\d+\.\d%)", page.read_text(encoding="utf-8"), re.DOTALL)
    assert quoted is not None
    text = notebook.read_text(encoding="utf-8")
    notebook.write_text(text.replace(quoted[1], "12.3%"), encoding="utf-8")
    try:
        assert build(root=site.root) == 0
        assert "12.3%" in page.read_text(encoding="utf-8")
    finally:
        notebook.write_text(text, encoding="utf-8")
        assert build(root=site.root) == 0


def test_every_figure_of_a_notebook_lies_in_its_page_and_is_described(pages: Pages) -> None:
    figures = [
        (name, alt, pages[f"{name}.html"].find_all("svg", attrs={"aria-label": alt}))
        for name in notebooks_in_toc()
        if not name.startswith("exercises/")
        for cell in code_cells(ROOT / f"{name}.ipynb")
        for output in cell["outputs"]
        if (alt := output.get("metadata", {}).get("image/svg+xml", {}).get("alt"))
    ]
    assert figures
    for name, alt, drawn in figures:
        assert drawn and drawn[0]["role"] == "img" and drawn[0]["viewbox"], f"{name}: {alt}"


def test_an_image_waits_until_it_is_seen(pages: Pages) -> None:
    images = [image for soup in pages.values() for image in soup.select("article img")]
    assert all(image["loading"] == "lazy" for image in images if "_images/" in image["src"])


def test_no_image_stands_without_a_text_alternative(pages: Pages) -> None:
    mute = [
        f"{page}: {image['src']}"
        for page, soup in pages.items()
        for image in soup.select("article img")
        # MyST-NB puts the file's address where no alternative was given.
        if not str(image.get("alt", "")).strip() or "_images/" in str(image["alt"])
    ]
    assert not mute


def test_a_quiz_opens_without_a_script_and_says_in_words_what_is_right(pages: Pages) -> None:
    quizzes = [quiz for soup in pages.values() for quiz in soup.select(".hb-quiz")]
    assert quizzes
    for quiz in quizzes:
        assert len(quiz.select(".hb-question")) == 3
        for choice in quiz.select("details.hb-choice"):
            word = "Right." if "hb-right" in choice["class"] else "Wrong."
            assert choice.select_one("summary + p strong").get_text() == word


def test_a_page_that_has_moved_leads_to_one_that_is_there(
    pages: Pages, moved: dict[str, str]
) -> None:
    assert moved.keys() >= {"index.html", "notebooks/faq_autocast.html"}
    for page, target in moved.items():
        assert normpath((PurePosixPath(page).parent / target).as_posix()) in pages, page


def test_every_page_describes_itself(pages: Pages) -> None:
    described = {
        page: [
            str(soup.select_one(wanted)["content"])
            for wanted in ("meta[name=description]", 'meta[property="og:title"]')
        ]
        for page, soup in pages.items()
    }
    assert all(len(text) >= 40 and title for text, title in described.values())
    lesson = described["notebooks/number_formats.html"][0]
    assert lesson.startswith("One function of") and "65,536" in lesson


def test_pages_link_the_style_sheet_and_the_script_of_the_book_and_only_files_that_exist(
    site: Site, pages: Pages
) -> None:
    for page, soup in pages.items():
        folder = PurePosixPath(page).parent
        linked = [str(tag["src"]) for tag in soup.select("script[src], img[src]")]
        linked += [str(tag["href"]) for tag in soup.select("link[href]")]
        # The index's own page links to itself, with "#".
        paths = [path for link in linked if (path := urlsplit(link).path)]
        files = {normpath((folder / unquote(path)).as_posix()) for path in paths}
        assert {"_static/styles/book.css", "_static/book.js"} <= files, page
        assert not {name for name in files if not (site.pages / name).is_file()}, page


def test_the_style_sheet_keeps_what_pages_use_and_little_else(site: Site) -> None:
    sheet = (site.pages / "_static" / "styles" / "book.css").read_text(encoding="utf-8")
    theme = site.pages / "_static" / "styles" / "pydata-sphinx-theme.css"
    assert ".hb-quiz" in sheet or ".hb-choice" in sheet
    assert ".fa-chevron-down" in sheet and ".fa-dragon" not in sheet
    assert sheet.count("data:font/woff2") == 1
    assert len(sheet) < theme.stat().st_size / 2
