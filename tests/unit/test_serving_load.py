"""A load to a real server of HTTP on the loopback, which streams, fails, stays silent or dies."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from typer.testing import CliRunner

from halfbits.course.cli import load as command
from halfbits.course.cli.main import app
from halfbits.errors import CourseError
from halfbits.serving.client import Server, find
from halfbits.serving.load import arrivals, send

PAUSE = 0.01  # seconds that the small server takes for a token


class Small(BaseHTTPRequestHandler):
    """Serves "tiny": as many tokens as are asked for, one every PAUSE seconds, then the counts."""

    protocol_version = "HTTP/1.1"
    asked: list[dict[str, Any]] = []  # noqa: RUF012 (each test has a class of its own)

    def do_GET(self) -> None:
        self.whole(200, {"data": [{"id": "tiny"}]})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append(body)
        self.answer(body)

    def answer(self, body: dict[str, Any]) -> None:
        self.begin()
        for _ in range(body["max_tokens"]):
            time.sleep(PAUSE)
            self.event({"choices": [{"text": "x"}]})
        usage = {"prompt_tokens": 7, "completion_tokens": body["max_tokens"]}
        self.event({"choices": [], "usage": usage})
        self.line("data: [DONE]\n\n")

    def begin(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def event(self, said: dict[str, Any]) -> None:
        self.line(f"data: {json.dumps(said)}\n\n")

    def line(self, text: str) -> None:
        self.wfile.write(text.encode())
        self.wfile.flush()

    def whole(self, status: int, said: Any) -> None:
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def serving(**methods: Callable[..., Any]) -> Iterator[str]:
    """The address of a small server with these methods in place of its own."""
    handler = type("Handler", (Small,), {"asked": [], **methods})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def loaded(url: str, *words: str) -> Any:
    shared = ["load", "--engine", url, "--rate", "40", "--seconds", "0.3", "--answer", "4"]
    return CliRunner().invoke(app, [*shared, *words])


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_every_request_is_streamed_and_the_report_counts_it() -> None:
    asked: list[dict[str, Any]] = []
    with serving(asked=asked) as url:
        before = threading.active_count()
        result = loaded(url, "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    requests = arrivals(40, 0.3, 4)
    assert report["requests"] == len(requests) == len(asked) and report["failed"] == 0
    assert report["ttft_p50"] >= PAUSE  # a busy client may see the further tokens together
    assert threading.active_count() <= before
    [limit] = {body["max_tokens"] for body in asked}
    assert limit == 4 and all(body["stream"] and body["model"] == "tiny" for body in asked)
    assert len({body["prompt"] for body in asked}) == len(asked)
    assert {len(body["prompt"].split()) for body in asked} == {50}


def test_a_person_reads_percentiles_and_goodput() -> None:
    with serving() as url:
        result = loaded(url, "--ttft", "60", "--tpot", "60")
    assert f"to tiny at {url}, prompts of 7 tokens" in result.stdout
    assert "p50       p95       p99" in result.stdout and "TPOT" in result.stdout
    assert "100% within 60000 ms and 60000 ms" in result.stdout


def test_the_load_is_open_requests_do_not_wait_for_each_other() -> None:
    def slow(self: Small, body: dict[str, Any]) -> None:
        time.sleep(0.5)
        Small.answer(self, body)

    requests = arrivals(40, 0.3, 2)
    with serving(answer=slow) as url:
        found = send(find(url), requests, ["a"] * len(requests))
    assert not found.errors
    began = [one.arrival for one in found.served]
    assert max(began) < 0.5 <= min(one.ttft for one in found.served)


def test_tokens_that_came_in_one_piece_are_counted_as_the_server_says() -> None:
    def in_pieces(self: Small, body: dict[str, Any]) -> None:
        self.begin()
        for _ in range(2):
            time.sleep(PAUSE)
            self.event({"choices": [{"text": "x x x"}]})
        self.event({"choices": [], "usage": {"completion_tokens": 6, "prompt_tokens": 1}})
        self.line("data: [DONE]\n\n")

    with serving(answer=in_pieces) as url:
        found = send(find(url), arrivals(40, 0.1, 6), ["a"] * 9)
    for one in found.served:
        assert one.count == 6 and one.tpot == pytest.approx((one.times[1] - one.times[0]) / 5)


def test_nobody_listens() -> None:
    result = loaded(f"http://127.0.0.1:{closed_port()}")
    assert isinstance(result.exception, CourseError)
    assert "nobody listens at http://127.0.0.1:" in str(result.exception)


def test_a_server_that_dies_midway_is_told_with_what_was_served() -> None:
    lock, count = threading.Lock(), [0]

    def dying(self: Small, body: dict[str, Any]) -> None:
        with lock:
            count[0] += 1
        if count[0] > 3:
            self.begin()
            self.event({"choices": [{"text": "x"}]})
            return  # the connection is closed without a last word
        Small.answer(self, body)

    with serving(answer=dying) as url:
        result = loaded(url)
    failed = len(arrivals(40, 0.3, 4)) - 3
    assert result.exit_code == 1 and "TTFT" in result.stdout
    assert f"{failed} failed: the server broke off after 1 pieces of the answer" in result.stderr


def test_a_server_that_is_gone_is_told() -> None:
    with serving() as url:
        server = find(url)
    found = send(server, arrivals(40, 0.1, 4), ["a"] * 9)
    assert len(found.errors) == len(found.served) and "ConnectionRefused" in found.errors[0]


def test_a_model_that_does_not_answer_costs_no_more_than_our_patience() -> None:
    ends = threading.Event()

    def silent(self: Small, body: dict[str, Any]) -> None:
        ends.wait(30)

    requests = arrivals(40, 0.1, 4)
    with serving(answer=silent) as url:
        began = time.perf_counter()
        found = send(find(url), requests, ["a"] * len(requests), patience=0.3)
        ends.set()
    assert set(found.errors) == {"the server was silent for 0.3 s"}
    assert time.perf_counter() - began >= 0.3


def test_a_server_that_trickles_without_end_is_left() -> None:
    def endless(self: Small, body: dict[str, Any]) -> None:
        self.begin()
        while True:
            time.sleep(PAUSE)
            self.event({"choices": [{"text": "x"}]})

    requests = arrivals(40, 0.1, 4)
    with serving(answer=endless, handle_one_request=quietly) as url:
        found = send(find(url), requests, ["a"] * len(requests), patience=0.3)
    assert set(found.errors) == {"it was not done when the load had ended"}


def quietly(self: Small) -> None:
    try:
        BaseHTTPRequestHandler.handle_one_request(self)
    except OSError:  # the client has left
        self.close_connection = True


def test_a_refusal_is_told_in_the_servers_words() -> None:
    def refuse(self: Small, body: dict[str, Any]) -> None:
        self.whole(400, {"error": "prompt too long"})

    with serving(answer=refuse) as url:
        result = loaded(url)
    told = str(result.exception)
    assert "got a token" in told and 'answered 400: {"error": "prompt too long"}' in told


def test_another_web_server_is_told_apart() -> None:
    def other(self: Small) -> None:
        self.whole(404, "no")

    with serving(do_GET=other) as url, pytest.raises(CourseError, match="lists no model"):
        find(url)


def test_a_server_that_still_loads_says_so() -> None:
    def loading(self: Small) -> None:
        self.whole(503, {"error": "Loading model"})

    with serving(do_GET=loading) as url, pytest.raises(CourseError, match="still loading"):
        find(url)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--rate", "0"], "--rate is 0; a number above 0 was expected."),
        (["--rate", "-1"], "--rate is -1; a number above 0"),
        (["--rate", "nan"], "--rate is nan; a number above 0"),
        (["--seconds", "0"], "--seconds is 0; a number above 0"),
        (["--answer", "0"], "--answer is 0; a number above 0"),
        (["--words", "0"], "--words is 0; a number above 0"),
        (["--rate", "1e6"], "at most 1000 requests and 600 s are sent."),
        (["--seconds", "1e-9"], "no request falls into"),
        (["--engine", "http://example.org:80"], "example.org is not this machine"),
        (["--engine", "http://10.0.0.1:80"], "10.0.0.1 is not this machine"),
        (["--engine", "ollama"], "--engine is 'ollama'; vllm, llama.cpp, sglang or an address"),
        (["--engine", "http://127.0.0.1:x"], "--engine is 'http://127.0.0.1:x'"),
        (["--engine", "http://127.0.0.1"], "or an address such as http://127.0.0.1:8000"),
    ],
)
def test_what_cannot_be_sent_is_one_sentence(words: list[str], told: str) -> None:
    error = loaded("http://127.0.0.1:9", *words).exception
    assert isinstance(error, CourseError) and told in str(error)


def test_the_usual_ports_have_names() -> None:
    from halfbits.serving.client import address

    assert address("vllm") == Server("127.0.0.1", 8000)
    assert address("http://localhost:99") == Server("localhost", 99)
    assert address("http://[::1]:99").url == "http://[::1]:99"


def test_the_comparison_with_a_simulated_server_states_its_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from benchmarks import serving as benchmark

    def quick(self: Small, body: dict[str, Any]) -> None:
        Small.answer(self, {"max_tokens": min(3, body["max_tokens"])})

    for name, few in {"COUNT": 4, "REPEATS": 1, "SHARES": (0.5,)}.items():
        monkeypatch.setattr(benchmark, name, few)
    with serving(answer=quick) as url:
        [row] = benchmark.running(url, "small")
    assert row["server"] == "small" and row["fit"].keys() == {"fixed", "token", "answer", "pair"}
    for name, error in row["error"].items():
        expected = row["predicted"][name] / row["measured"][name] - 1
        assert error == pytest.approx(expected, abs=1e-2 * (1 + abs(expected)))


def test_prompts_differ_and_repeat_with_their_seed() -> None:
    first = command.prompts(20, 30)
    assert first == command.prompts(20, 30) and len(set(first)) == 20
