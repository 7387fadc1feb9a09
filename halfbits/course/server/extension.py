"""The Jupyter Server extension that serves the built book at /book/, beside JupyterLab.

Pages need the server's token or cookie like every other page of the server. The book's
pages, which may also lie on a static host or be opened from the disk, can rely on three things:

* Every HTML page served here carries `<meta name="halfbits-lab" content="lab/tree/">` as the
  first element of its head; served elsewhere it has none. So a page shows its "Open in
  JupyterLab" button only where that meta exists, with CSS (`html:has(meta[name=halfbits-lab])`)
  or script, and without asking the network.
* `/book/progress.json` says which exercises the learner has tried: their checks passed, how many
  there are, and whether all pass.
* The page at `/book/<path>.html` belongs to the notebook at `/lab/tree/<path>.ipynb`; the
  relative link between the two works under any base URL.
"""

from __future__ import annotations

import html
import mimetypes
from collections.abc import Awaitable, Generator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado import web

from halfbits.errors import CourseError
from halfbits.folders import find_root

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

    from halfbits.course.progress.progress import Record

MARK = b'<meta name="halfbits-lab" content="lab/tree/">'
BOOK = Path("_build") / "book" / "html"
# Windows reads these from the registry, where other programs overwrite them, and a browser
# refuses a module whose type is not JavaScript.
TYPES = {
    ".css": "text/css; charset=UTF-8",
    ".html": "text/html; charset=UTF-8",
    ".ipynb": "application/x-ipynb+json",
    ".js": "text/javascript; charset=UTF-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=UTF-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=UTF-8",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
}
# The book's own pages keep to their own host; the browser enforces it.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' blob:; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; worker-src 'self' blob:; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ font: 1.1rem/1.6 system-ui, sans-serif; max-width: 38rem; margin: 15vh auto }}
@media (prefers-color-scheme: dark) {{
  body {{ background: #14181e; color: #ced6dd }} a {{ color: #7ab8ff }} }}
</style></head>
<body><h1>{title}</h1><p>{text}</p><p><a href="{lab}">Open JupyterLab</a>{home}</p></body></html>
"""


def marked(path: str) -> bytes:
    """The HTML page at `path` with the mark that only pages of a running course carry."""
    return Path(path).read_bytes().replace(b"<head>", b"<head>" + MARK, 1)


class BookFile(JupyterHandler, web.StaticFileHandler):
    """One file of the book, for a visitor who has the token."""

    auth_resource = "contents"

    @property
    def content_security_policy(self) -> str:
        return POLICY

    @web.authenticated
    @authorized
    def head(self, path: str) -> Awaitable[None]:  # type: ignore[override]
        return web.StaticFileHandler.head(self, path)

    @web.authenticated
    @authorized
    def get(self, path: str, include_body: bool = True) -> Awaitable[None]:  # type: ignore[override]
        return web.StaticFileHandler.get(self, path, include_body)

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        """Refuse what lies outside the book or is hidden (tornado refuses `..`)."""
        path = super().validate_absolute_path(root, absolute_path)
        if path and any(part.startswith(".") for part in Path(path).relative_to(root).parts):
            raise web.HTTPError(404)
        return path

    @classmethod
    def get_content(
        cls, abspath: str, start: int | None = None, end: int | None = None
    ) -> Generator[bytes, None, None]:
        """The file's bytes; an HTML page is marked as served by the course."""
        if abspath.endswith(".html"):
            yield marked(abspath)[start:end]
        else:
            yield from super().get_content(abspath, start, end)

    def get_content_size(self) -> int:
        if self.absolute_path is None or not self.absolute_path.endswith(".html"):
            return super().get_content_size()
        return len(marked(self.absolute_path))

    def compute_etag(self) -> str:
        """Time and size: tornado's own digest is kept for good and misses a rebuilt book."""
        state = Path(self.absolute_path or "").stat()
        return f'"{state.st_mtime_ns:x}-{self.get_content_size():x}"'

    def get_content_type(self) -> str:
        suffix = PurePosixPath(self.path).suffix.lower()
        return TYPES.get(suffix) or mimetypes.guess_type(self.path)[0] or "application/octet-stream"

    def set_extra_headers(self, path: str) -> None:
        """A browser asks again each time (and hears 304), unless the link carries a digest."""
        if not self.get_argument("v", ""):
            self.set_header("Cache-Control", "no-cache")

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        built = (Path(self.root) / "index.html").is_file()
        base = self.base_url
        title, text, home = "This page is not in the book", "", ""
        if not built:
            title = "The book is not built yet"
            text = "Run <code>python course.py book</code> in the course's folder, then reload."
        elif status_code == 404:
            name = html.escape(self.request.path)
            text = f"Nothing lies at <code>{name}</code>. The home page lists what there is."
            home = f' or go to <a href="{base}book/">the home page</a>.'
        else:
            title = f"The book could not be read ({status_code})"
            text = "The server's terminal says why."
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        self.finish(PAGE.format(title=title, text=text, lab=f"{base}lab", home=home))


class BookHome(JupyterHandler):
    """/book and /book/: on to the home page."""

    auth_resource = "contents"

    def initialize(self, path: Path) -> None:
        self.book = path

    @web.authenticated
    @authorized
    def get(self) -> None:
        pages = ("book/index.html", "index.html")
        page = next((name for name in pages if (self.book / name).is_file()), "index.html")
        self.redirect(url_path_join(self.base_url, "book", page))


class BookProgress(JupyterHandler):
    """/book/progress.json: what the learner has passed, by exercise."""

    auth_resource = "contents"

    @web.authenticated
    @authorized
    def get(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.finish({key: summary(record) for key, record in tried().items()})


def tried() -> dict[str, Record]:
    """The records of exercises that were graded; none where the file cannot be used."""
    from halfbits.course.progress.progress import read_progress

    try:
        return {key: record for key, record in read_progress().items() if record.total}
    except CourseError:
        return {}


def summary(record: Record) -> dict[str, int | bool]:
    return {
        "passed": len(record.passed),
        "total": record.total,
        "solved": record.is_solved,
        "hardened": record.is_hardened,
    }


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "halfbits.course.server.extension"}]


def _load_jupyter_server_extension(server: ServerApp) -> None:
    """Serve the book of the course that holds the server's root folder."""
    book = find_root(Path(server.root_dir)) / BOOK
    base = server.web_app.settings["base_url"]
    server.web_app.add_handlers(
        ".*$",
        [
            (url_path_join(base, r"/book/?"), BookHome, {"path": book}),
            (url_path_join(base, r"/book/progress\.json"), BookProgress),
            (url_path_join(base, r"/book/(.+)"), BookFile, {"path": str(book)}),
        ],
    )
