"""Serves one file of the book: its type, its caching, and a page where there is no such file."""

from __future__ import annotations

import html
import mimetypes
from collections.abc import Awaitable, Generator
from pathlib import Path, PurePosixPath
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import JupyterHandler
from tornado import web

MARK = b'<meta name="halfbits-lab" content="lab/tree/">'
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
