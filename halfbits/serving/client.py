"""One streamed completion from a server on this machine that speaks OpenAI's completions API.

Such servers are vLLM's, llama.cpp's and SGLang's; each has its own usual port.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from halfbits.errors import CourseError

PORTS = {"vllm": 8000, "llama.cpp": 8080, "sglang": 30000}
FIRST_ANSWER = 5.0  # seconds within which a server has to name its model
DATA = b"data: "


class ServerError(Exception):
    """A request that was not served; its text says why."""


@dataclass
class Answer:
    """`times` of `time.perf_counter` at which text came; token counts as the server states them."""

    times: list[float] = field(default_factory=list)
    tokens: int = 0
    prompt_tokens: int = 0


@dataclass(frozen=True)
class Server:
    """Where a server listens, and the name under which it serves its model."""

    host: str
    port: int
    model: str = ""

    @property
    def url(self) -> str:
        """As a person writes it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def complete(self, prompt: str, tokens: int, until: float, silence: float) -> Answer:
        """Send a prompt and take `tokens` tokens as they come, whatever ends the model writes.

        Raises ServerError when the server refuses or breaks off, is silent for `silence` seconds,
        or is not done at the time `until` of `time.perf_counter`.
        """
        wanted = {"model": self.model, "prompt": prompt, "max_tokens": tokens, "temperature": 0}
        wanted |= {"stream": True, "stream_options": {"include_usage": True}, "ignore_eos": True}
        connection = HTTPConnection(self.host, self.port, timeout=silence)
        try:
            body, kind = json.dumps(wanted), {"Content-Type": "application/json"}
            connection.request("POST", "/v1/completions", body, kind)
            return _read(connection.getresponse(), until)
        except TimeoutError as error:
            raise ServerError(f"the server was silent for {silence:g} s") from error
        except (OSError, HTTPException) as error:
            raise ServerError(f"the connection broke ({type(error).__name__})") from error
        finally:
            connection.close()


def find(engine: str) -> Server:
    """The server that is called `engine`, or listens at that address; it names its model.

    Raises CourseError in one sentence for an address that is none or not on this machine, when
    nobody listens there, while it loads its model, or when something else answers.
    """
    server = address(engine)
    connection = HTTPConnection(server.host, server.port, timeout=FIRST_ANSWER)
    try:
        connection.request("GET", "/v1/models")
        response = connection.getresponse()
        model = _first_model(response.read(1 << 20)) if response.status == 200 else ""
    except ConnectionRefusedError as error:
        raise CourseError(
            f"nobody listens at {server.url}: start the server there, then run this again."
        ) from error
    except (OSError, HTTPException) as error:
        raise CourseError(
            f"{server.url} does not answer as a web server ({type(error).__name__}); "
            "is another program using this port?"
        ) from error
    finally:
        connection.close()
    if response.status == 503:
        raise CourseError(f"{server.url} is still loading its model: wait, then run this again.")
    if not model:
        raise CourseError(
            f"{server.url} answers, but lists no model under /v1/models: "
            "an OpenAI-compatible server was expected."
        )
    return Server(server.host, server.port, model)


def address(engine: str) -> Server:
    """Host and port of `engine`: a name in PORTS, or http://127.0.0.1:PORT.

    Raises CourseError for anything else, and for a host that is not this machine.
    """
    if engine in PORTS:
        return Server("127.0.0.1", PORTS[engine])
    try:
        parts = urlsplit(engine)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    if parts.scheme != "http" or not host or not port:
        raise CourseError(
            f"--engine is {engine!r}; {', '.join(PORTS)} or an address such as "
            "http://127.0.0.1:8000 was expected."
        )
    if not _is_here(host):
        raise CourseError(f"{host} is not this machine: a load is only sent to the loopback.")
    return Server(host, port)


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _first_model(body: bytes) -> str:
    try:
        return str(json.loads(body)["data"][0]["id"])
    except (ValueError, LookupError, TypeError):
        return ""


def _read(response: HTTPResponse, until: float) -> Answer:
    if response.status != 200:
        said = " ".join(response.read(300).decode(errors="replace").split())
        raise ServerError(f"the server answered {response.status}: {said}")
    answer, chunks, is_whole = Answer(), 0, False
    for event in _events(response, until):
        if event is None:
            is_whole = True
            break
        if any(_is_token(choice) for choice in event.get("choices", ())):
            answer.times.append(time.perf_counter())
            chunks += 1
        usage = event.get("usage") or {}
        answer.tokens = usage.get("completion_tokens", answer.tokens)
        answer.prompt_tokens = usage.get("prompt_tokens", answer.prompt_tokens)
    if not is_whole:
        raise ServerError(f"the server broke off after {chunks} pieces of the answer")
    if answer.tokens and not answer.times:
        answer.times.append(time.perf_counter())  # the only token came with the last word
    answer.tokens = max(answer.tokens, chunks)
    return answer


def _is_token(choice: dict[str, Any]) -> bool:
    """Whether a choice of an event brings a token, whose text may be empty: half a character."""
    return bool(choice.get("text")) or choice.get("finish_reason") is None


def _events(response: HTTPResponse, until: float) -> Iterator[dict[str, Any] | None]:
    """The JSON of each server-sent event; None for the one that says that all is done."""
    for line in response:
        if time.perf_counter() > until:
            raise ServerError("it was not done when the load had ended")
        if line.startswith(DATA):
            said = line[len(DATA) :].strip()
            try:
                yield None if said == b"[DONE]" else dict(json.loads(said))
            except ValueError as error:
                raise ServerError(f"the server sent {said[:80]!r}, which is no JSON") from error
