"""The server: the book needs the token, stays in its folder and is marked as served here."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from halfbits.course.server import start as starting
from halfbits.errors import CourseError

TOKEN = "only-for-this-test"
PAGE = "<!doctype html><html><head><title>Home</title></head><body>home é</body></html>"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Site:
    """A Jupyter server with only the book's extension, and the folder that it serves."""

    def __init__(self, root: Path) -> None:
        self.root, self.port = root, free_port()
        self.html = root / "_build" / "book" / "html"

    def get(self, path: str, token: bool = True, **headers: str) -> http.client.HTTPResponse:
        """One request, the path exactly as written (no client cleans it up)."""
        return self.ask("GET", path, None, token, headers)

    def post(self, path: str, body: str, token: bool = True) -> http.client.HTTPResponse:
        return self.ask("POST", path, body, token, {"Content-Type": "application/json"})

    def ask(
        self, method: str, path: str, body: str | None, token: bool, headers: dict[str, str]
    ) -> http.client.HTTPResponse:
        if token:
            headers["Authorization"] = f"token {TOKEN}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, body, headers=headers)
        reply = connection.getresponse()
        reply.text = reply.read().decode("utf-8")
        connection.close()
        return reply


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    root = tmp_path_factory.mktemp("course")
    site = Site(root)
    (root / "exercises").mkdir()
    (root / "exercises" / "course.toml").touch()
    (root / "secret.txt").write_text("secret", encoding="utf-8")
    (site.html / "book").mkdir(parents=True)
    (site.html / "index.html").write_text(PAGE, encoding="utf-8")
    (site.html / "book" / "index.html").write_text(PAGE, encoding="utf-8")
    (site.html / "figure.mjs").write_text("export default 1", encoding="utf-8")
    (site.html / ".hidden").write_text("secret", encoding="utf-8")
    settings = {
        "ServerApp.jpserver_extensions": {"halfbits.course.server.extension": True},
        "ServerApp.root_dir": root,
        "ServerApp.port": site.port,
        "ServerApp.port_retries": 0,
        "ServerApp.open_browser": False,
        "ServerApp.allow_root": True,
        "IdentityProvider.token": TOKEN,
    }
    command = [sys.executable, "-m", "jupyter_server"]
    command += [f"--{name}={value}" for name, value in settings.items()]
    env = {**os.environ, "HALFBITS_ROOT": str(root), "JUPYTER_NO_CONFIG": "1"}
    env["HALFBITS_DATA"] = str(root / "data")
    with (root / "server.log").open("w") as log:
        server = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    try:
        wait_for(site, server)
        yield site
    finally:
        server.terminate()
        server.wait(30)


def wait_for(site: Site, server: subprocess.Popen) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and server.poll() is None:
        try:
            site.get("/book/")
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError((site.root / "server.log").read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", ["/book", "/book/"])
def test_the_book_opens_at_its_home_page(site, path):
    reply = site.get(path)
    assert (reply.status, reply.headers["Location"]) == (302, "/book/book/index.html")


@pytest.mark.parametrize(
    "path",
    [
        "/book/",
        "/book/book/index.html",
        "/book/figure.mjs",
        "/book/progress.json",
        "/book/learned.json",
    ],
)
def test_without_the_token_there_is_only_the_login(site, path):
    reply = site.get(path, token=False)
    assert reply.status == 302
    assert reply.headers["Location"].startswith("/login?next=")
    assert "home" not in reply.text


def test_a_page_says_that_the_course_serves_it(site):
    reply = site.get("/book/book/index.html")
    assert reply.status == 200
    assert '<head><meta name="halfbits-lab" content="lab/tree/"><title>' in reply.text
    assert reply.text.endswith("home é</body></html>")
    assert int(reply.headers["Content-Length"]) == len(reply.text.encode())


def test_what_a_reader_did_is_kept_for_the_next_browser(site):
    moment = "2026-01-02T03:04:05.000Z"
    entries = {"read:notebooks/one": {"yes": True, "at": moment}}
    sent = {"entries": entries, "reports": [{"began": moment}]}
    assert site.post("/book/learned.json", json.dumps(sent)).status == 204
    kept = json.loads(site.get("/book/learned.json").text)
    assert kept.pop("token")
    assert (kept["entries"], kept["reports"]) == (entries, [{"began": moment}])


@pytest.mark.parametrize("body", ["", "[]", '{"entries": []}', "{"])
def test_what_is_no_progress_is_refused(site, body):
    assert site.post("/book/learned.json", body).status == 400


def test_nobody_adds_to_the_progress_without_the_token(site):
    assert site.post("/book/learned.json", "{}", token=False).status == 403


def test_progress_names_the_exercises_that_were_graded(site):
    solved = {"passed": ["a", "b"], "total": 2, "tries": 1}
    begun = {"passed": ["a"], "total": 5, "tries": 3}
    only_hints = {"hints": {"task": 1}}
    saved = {"topic/solved": solved, "topic/begun": begun, "topic/hints": only_hints}
    path = site.root / "data" / "progress.json"
    assert json.loads(site.get("/book/progress.json").text) == {}
    path.write_text(json.dumps({"exercises": saved}), encoding="utf-8")
    reply = site.get("/book/progress.json")
    assert json.loads(reply.text) == {
        "topic/solved": {"passed": 2, "total": 2, "solved": True, "hardened": True},
        "topic/begun": {"passed": 1, "total": 5, "solved": False, "hardened": False},
    }
    assert reply.headers["Cache-Control"] == "no-store"


def test_modules_have_the_type_that_browsers_insist_on(site):
    assert site.get("/book/figure.mjs").headers["Content-Type"].startswith("text/javascript")


def test_a_page_is_asked_for_again_and_not_sent_again(site):
    first = site.get("/book/book/index.html")
    assert first.headers["Cache-Control"] == "no-cache"
    again = site.get("/book/book/index.html", **{"If-None-Match": first.headers["Etag"]})
    assert (again.status, again.text) == (304, "")


def test_a_rebuilt_page_is_sent_again(site):
    page = site.html / "changing.html"
    page.write_text(PAGE, encoding="utf-8")
    first = site.get("/book/changing.html")
    page.write_text(PAGE.replace("home", "new home"), encoding="utf-8")
    again = site.get("/book/changing.html", **{"If-None-Match": first.headers["Etag"]})
    assert again.status == 200
    assert "new home" in again.text


@pytest.mark.parametrize(
    "path",
    [
        "/book/../secret.txt",
        "/book/../../../secret.txt",
        "/book/%2e%2e/%2e%2e/%2e%2e/secret.txt",
        "/book/..%2f..%2f..%2fsecret.txt",
        "/book/..%5c..%5c..%5csecret.txt",
        "/book//etc/passwd",
        "/book/.hidden",
        "/book/book/../.hidden",
        "/book/%00",
    ],
)
def test_nothing_outside_the_book_is_served(site, path):
    reply = site.get(path)
    assert reply.status >= 400
    assert "secret" not in reply.text.replace(path.rsplit("/", 1)[-1], "").replace(path, "")
    assert "root:" not in reply.text


def test_a_missing_page_leads_back_to_the_home_page(site):
    reply = site.get("/book/nowhere/<b>.html")
    assert reply.status == 404
    assert 'href="/book/"' in reply.text
    assert "<b>" not in reply.text


def test_pages_may_not_ask_other_hosts(site):
    policy = site.get("/book/book/index.html").headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'self'")
    assert "http" not in policy


def test_without_a_built_book_the_page_says_what_to_run(site):
    away = site.html.with_name("away")
    site.html.rename(away)
    try:
        home = site.get("/book/")
        reply = site.get(home.headers["Location"])
    finally:
        away.rename(site.html)
    assert reply.status == 404
    assert "python course.py book" in reply.text


def words(**changes: object) -> dict[str, str]:
    given = {"root": Path("/course"), "port": 8888, "token": "t"} | changes
    return dict(word[2:].split("=", 1) for word in starting.arguments(**given))


def test_only_this_computer_can_connect():
    settings = words()
    assert settings["ServerApp.ip"] == "127.0.0.1"
    assert settings["ServerApp.allow_remote_access"] == "False"
    assert settings["IdentityProvider.token"] == "t"


def test_jupyterlab_asks_no_other_host():
    settings = words()
    assert settings["LabApp.news_url"] == "None"
    assert settings["LabApp.check_for_updates_class"] == "jupyterlab.NeverCheckForUpdate"
    assert settings["LabApp.extension_manager"] == "readonly"


@pytest.mark.parametrize("port", [-1, 0, 65_535, 70_000])
def test_an_impossible_port_is_refused_in_a_sentence(port, tmp_path, monkeypatch):
    (tmp_path / "exercises").mkdir()
    (tmp_path / "exercises" / "course.toml").touch()
    monkeypatch.setenv("HALFBITS_ROOT", str(tmp_path))
    with pytest.raises(CourseError, match=f"--port is {port}; it must lie between"):
        starting.start(port=port, browser=False)


def test_a_book_that_cannot_be_built_is_a_warning(monkeypatch, capsys):
    import halfbits.course.authoring.book

    monkeypatch.setattr(halfbits.course.authoring.book, "build", lambda force: 1)
    starting.build_book()
    assert "could not be built" in capsys.readouterr().err
