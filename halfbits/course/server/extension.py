"""The Jupyter Server extension that serves the built book at /book/, beside JupyterLab.

Pages need the server's token or cookie like every other page of the server. The book's
pages, which may also lie on a static host or be opened from the disk, can rely on four things:

* Every HTML page served here carries `<meta name="halfbits-lab" content="lab/tree/">` as the
  first element of its head; served elsewhere it has none. So a page shows its "Open in
  JupyterLab" button only where that meta exists, with CSS (`html:has(meta[name=halfbits-lab])`)
  or script, and without asking the network.
* `/book/learned.json` keeps what the pages let a reader do (GET and POST), merged by time.
* `/book/progress.json` says which exercises the learner has tried: their checks passed, how many
  there are, and whether all pass.
* The page at `/book/<path>.html` belongs to the notebook at `/lab/tree/<path>.ipynb`; the
  relative link between the two works under any base URL.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from tornado import web

from halfbits.course.progress import learned
from halfbits.course.server.book_file import BookFile
from halfbits.errors import CourseError
from halfbits.folders import find_root

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

    from halfbits.course.progress.progress import Record

BOOK = Path("_build") / "book" / "html"


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


class BookLearned(JupyterHandler):
    """/book/learned.json: lessons read, quizzes, interviews; a page may add to them.

    The answer holds the token that a browser must send back with what it adds.
    """

    auth_resource = "contents"

    @web.authenticated
    @authorized
    def get(self) -> None:
        self.set_header("Cache-Control", "no-store")
        token = self.xsrf_token.decode("ascii")
        self.finish({"token": token, **learned.kept()})

    @web.authenticated
    @authorized
    def post(self) -> None:
        try:
            learned.keep(self.get_json_body())
        except CourseError as error:
            raise web.HTTPError(400, str(error)) from error
        self.set_status(204)


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
            (url_path_join(base, r"/book/learned\.json"), BookLearned),
            (url_path_join(base, r"/book/(.+)"), BookFile, {"path": str(book)}),
        ],
    )
