"""Start JupyterLab and the book on one loopback address, print both links, stop with Ctrl-C."""

from __future__ import annotations

import importlib.util
import logging
import os
import secrets
import sys
import tempfile
import threading
import warnings
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING

from halfbits.errors import CourseError
from halfbits.folders import find_root

if TYPE_CHECKING:
    from jupyter_server.serverapp import ServerApp

HERE = Path(__file__).parent
PORTS_TRIED = 50
TILE = {
    "halfbits": {
        # The address names the book itself, so no process is ever started or proxied.
        "command": [],
        "launcher_entry": {
            "title": "The book",
            "path_info": "book/",
            "category": "Notebook",  # elsewhere the launcher draws no icon
            "icon_path": str(HERE / "book.svg"),
        },
        "new_browser_tab": True,
    }
}


def start(port: int = 8888, browser: bool = True) -> int:
    """Serve the course until Ctrl-C; the exit status.

    `port` is the first one tried, the next free one is taken. Only this computer can connect,
    and only with the token in the printed links. The book is built first if it is stale; a
    book that cannot be built is one warning, JupyterLab starts all the same.
    """
    root = find_root()
    if not 1 <= port <= 65535 - PORTS_TRIED:
        raise CourseError(f"--port is {port}; it must lie between 1 and {65535 - PORTS_TRIED}.")
    build_book()
    server = make_server(root, port)
    opened: list[Path] = []

    def announce() -> None:
        print(links(server), flush=True)
        if browser:
            opened.extend(open_browser(server))

    # The loop binds the port first, so the links work from the moment they are seen.
    server.io_loop.add_callback(announce)
    try:
        server.start()
    except KeyboardInterrupt:
        pass
    finally:
        for page in opened:
            page.unlink(missing_ok=True)
    print("The course has stopped.", flush=True)
    return 0


def build_book() -> None:
    """Build the book if it is stale; say in one sentence if that failed."""
    if not importlib.util.find_spec("halfbits.course.authoring.book"):
        return
    from halfbits.course.authoring.book import build

    try:
        failed = build(force=False)
    except (CourseError, OSError) as error:
        print(f"halfbits: {error}", file=sys.stderr)
        failed = 1
    if failed:
        print(
            "halfbits: the book could not be built, so /book/ is missing or old; "
            "JupyterLab starts without it.",
            file=sys.stderr,
        )


def make_server(root: Path, port: int) -> ServerApp:
    """A server that listens already, with JupyterLab and the book in it."""
    os.environ["HALFBITS_ROOT"] = str(root)
    os.environ["HALFBITS_BOOK"] = "/book/"  # a report in a notebook links to the bank's pages
    # A kernel called python3 in the user's home must not win over this environment's own.
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    warnings.filterwarnings("ignore", "Server proxy halfbits does not have a command")
    # jsonschema would compile a grammar for international addresses, most of the waiting time;
    # without the package it leaves that check out, and no Jupyter schema has it.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    from jupyterlab.labapp import LabApp

    try:
        server = LabApp.initialize_server(argv=arguments(root, port, secrets.token_hex(24)))
    except SystemExit as error:
        raise CourseError(
            f"No port from {port} to {port + PORTS_TRIED} is free; name another with --port."
        ) from error
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    return server


def arguments(root: Path, port: int, token: str) -> list[str]:
    """The server's settings, as command-line arguments so that they win over the user's files."""
    import zmq

    lab = root / "_build" / "lab"
    settings: dict[str, object] = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": PORTS_TRIED,
        "ServerApp.root_dir": root,
        "ServerApp.open_browser": False,
        "ServerApp.answer_yes": True,
        "ServerApp.allow_root": _is_root(),
        "ServerApp.allow_remote_access": False,
        "ServerApp.jpserver_extensions": {"halfbits.course.server.extension": True},
        "Application.log_level": "ERROR",
        "IdentityProvider.token": token,
        "PasswordIdentityProvider.hashed_password": "",
        "KernelSpecManager.allowed_kernelspecs": "python3",
        "KernelManager.transport_encryption": "auto" if zmq.has("curve") else "disabled",
        "ServerProxy.servers": TILE,
        # The next four keep JupyterLab from asking other hosts, or the learner, about news.
        "LabApp.app_settings_dir": HERE / "settings",
        "LabApp.news_url": None,
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "LabApp.extension_manager": "readonly",
        # Open tabs belong to this checkout, not to the user's other work.
        "LabApp.workspaces_dir": lab / "workspaces",
    }
    return [f"--{name}={value}" for name, value in settings.items()]


def address(server: ServerApp, page: str) -> str:
    return f"http://127.0.0.1:{server.port}/{page}?token={server.identity_provider.token}"


def links(server: ServerApp) -> str:
    """The few lines a person needs."""
    return (
        "\nHalf the Bits is running on this computer.\n\n"
        f"  Book        {address(server, 'book/')}\n"
        f"  JupyterLab  {address(server, 'lab')}\n\n"
        "Stop it with Ctrl-C.\n"
    )


def open_browser(server: ServerApp) -> list[Path]:
    """Open the book through a private file: a token on a command line is seen by other users."""
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        print("No browser was found here: open one of the links yourself.", flush=True)
        return []
    handle, name = tempfile.mkstemp(prefix="half-the-bits-", suffix=".html")
    page = Path(name)
    os.close(handle)
    url = address(server, "book/")
    page.write_text(f'<meta http-equiv="refresh" content="0; url={url}">', encoding="utf-8")
    threading.Thread(target=browser.open, args=(page.as_uri(),), daemon=True).start()
    return [page]


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
