"""A running course for the browser tests: a copy of the checkout, a real server, a Chromium."""

from __future__ import annotations

import functools
import http.server
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import built_book
import pytest

from halfbits.course.authoring.book import Site, build
from halfbits.course.authoring.stub import make_exercise, write_notebook
from halfbits.course.catalog import Catalog, load_catalog

CHECKOUT = Path(__file__).parents[2]
PARTS = ("book", "exercises", "notebooks", "solutions", "pyproject.toml")
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
SCREENSHOTS = CHECKOUT / "_build" / "screenshots"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium() -> str | None:
    """$HALFBITS_CHROMIUM, else the first Chromium on the path."""
    return os.environ.get("HALFBITS_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@dataclass
class Course:
    """A course that runs: its folder, the two links that `start` printed, the port it was given.

    That port is taken by somebody else, so the links name another.
    """

    root: Path
    book: str
    lab: str
    taken: int

    @property
    def origin(self) -> str:
        return self.lab.partition("/lab")[0]

    def page(self, path: str) -> str:
        return f"{self.origin}/book/{path}?{self.lab.partition('?')[2]}"

    def notebook(self, path: str) -> str:
        """Where JupyterLab opens it, in a workspace of its own: others restore their tabs."""
        token = self.lab.partition("?")[2]
        workspace = path.rpartition("/")[2].partition(".")[0]
        return f"{self.origin}/lab/workspaces/{workspace}/tree/{path}?{token}"


@pytest.fixture(scope="session")
def root(tmp_path_factory) -> Path:
    """A copy of the checkout with every exercise as a newcomer finds it."""
    root = tmp_path_factory.mktemp("browser") / "half the bits é"
    hidden = shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__")
    for part in PARTS:
        source = CHECKOUT / part
        if source.is_dir():
            shutil.copytree(source, root / part, ignore=hidden)
        elif source.exists():
            shutil.copy(source, root / part)
    put_stubs(load_catalog(root))
    put_book(Site(root, root / "_build"))
    return root


def put_book(site: Site) -> None:
    """The book of the step before this one, or else the checkout's; built if it is not current."""
    folder = site.stamp.parent
    if earlier := built_book.kept():
        shutil.copytree(earlier, folder)
    else:
        checkout = Site(CHECKOUT, CHECKOUT / "_build")
        assert build(root=CHECKOUT) == 0, checkout.log.read_text(encoding="utf-8")[-2000:]
        built_book.copy(checkout, folder)
    assert build(root=site.root) == 0, site.log.read_text(encoding="utf-8")[-2000:]


def put_stubs(catalog: Catalog) -> None:
    for exercise in catalog.exercises:
        if catalog.notebook(exercise, "solutions").exists():
            write_notebook(catalog.notebook(exercise), make_exercise(catalog, exercise))


@pytest.fixture(scope="session")
def course(root, tmp_path_factory) -> Iterator[Course]:
    """The course started as `python course.py start --no-browser` starts it."""
    data = tmp_path_factory.mktemp("data")
    env = {
        **os.environ,
        "HALFBITS_ROOT": str(root),
        "HALFBITS_DATA": str(data),
        "JUPYTER_CONFIG_DIR": str(data / "jupyter"),
        "PYTHONIOENCODING": "utf-8",
    }
    squatter = socket.create_server(("127.0.0.1", 0))
    taken = squatter.getsockname()[1]
    command = [sys.executable, "-m", "halfbits", "start", "--no-browser", "--port", str(taken)]
    log = data / "server.log"
    with log.open("wb") as errors:
        server = subprocess.Popen(
            command, env=env, stdout=subprocess.PIPE, stderr=errors, encoding="utf-8"
        )
    try:
        links = dict(read_links(server))
        assert set(links) == {"Book", "JupyterLab"}, log.read_text(encoding="utf-8")
        yield Course(root, links["Book"], links["JupyterLab"], taken)
    finally:
        server.terminate()
        server.wait(30)
        server.stdout.close()
        squatter.close()


def read_links(server: subprocess.Popen) -> Iterator[tuple[str, str]]:
    """The links in the server's greeting; ends with the greeting or with the server."""
    for line in server.stdout:
        found = re.match(r"\s+(Book|JupyterLab)\s+(http\S+)", line)
        if found:
            yield found.groups()
        if "Ctrl-C" in line:
            return


@pytest.fixture(scope="session")
def chromium():
    """A Chromium that playwright drives; without one the tests are skipped or fail, by choice."""
    path = find_chromium()
    if path is None:
        say = pytest.fail if os.environ.get("HALFBITS_REQUIRE_BROWSER") == "1" else pytest.skip
        say("no Chromium was found: install one or name it in HALFBITS_CHROMIUM")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


class BookHandler(http.server.SimpleHTTPRequestHandler):
    extensions_map = {  # noqa: RUF012
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
    }

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture(scope="session")
def pages(root: Path) -> Path:
    """The built book's folder."""
    return Site(root, root / "_build").pages


@pytest.fixture(scope="session")
def address(pages: Path) -> Iterator[str]:
    """The built book, served as plain files."""
    handler = functools.partial(BookHandler, directory=str(pages))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def visitor(chromium, course, request):
    """A fresh browser window that remembers foreign requests and errors of our own pages."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(60_000)
    context.foreign, context.errors = [], []
    context.on("request", lambda sent: note_request(context, course, sent.url))
    context.on("console", lambda message: note_message(context, course, message))
    context.on("weberror", lambda error: context.errors.append(str(error.error)))
    yield context
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for number, page in enumerate(context.pages):
        name = re.sub(r"\W+", "-", request.node.name).strip("-")
        page.screenshot(path=SCREENSHOTS / f"{name}-{number}.png")
    context.close()
    assert context.foreign == [], "a page asked another host"


def note_request(context, course: Course, url: str) -> None:
    if not url.startswith((course.origin, "data:", "blob:", course.origin.replace("http", "ws"))):
        context.foreign.append(url)


def note_message(context, course: Course, message) -> None:
    """JupyterLab's own complaints are not ours; the book's pages have none."""
    if message.type == "error" and message.page and "/book/" in message.page.url:
        context.errors.append(message.text)
