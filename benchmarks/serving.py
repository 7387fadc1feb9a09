"""A real server under load beside the simulated one: the same requests, both medians, the error.

`python -m benchmarks.serving --out book/data/serving_cpu_avx512.json` writes the tiny language
model in three GGUF types, starts llama.cpp's server with each (`pip install xllamacpp`, in this
environment or in that of `--python`), measures a few steps alone, fits a line to them, and sends
loads from half of the capacity that the line predicts to nine tenths of it. `--engine URL --name
NAME` takes one server that runs already, such as vLLM's. It takes about ten minutes; the machine
has to be idle.
"""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from benchmarks.turns import machine
from halfbits.course.cli.load import prompts
from halfbits.errors import CourseError
from halfbits.serving import (
    BlockPool,
    Linear,
    Policy,
    Request,
    Step,
    load_report,
    poisson,
    simulate,
)
from halfbits.serving.client import Server, find
from halfbits.serving.load import Load, send
from halfbits.serving.request import Length

KINDS = ("F16", "Q8_0", "Q4_0")
SLOTS, THREADS, BATCH = 8, 1, 2048
SHARES = (0.3, 0.5, 0.7, 0.9)  # of the capacity that the fit predicts
COUNT, REPEATS, PATIENCE = 80, 5, 60.0
LIMITS = 1.0, 0.1


def main() -> None:
    """Measure and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--engine", default="")
    parser.add_argument("--name", default="")
    args = parser.parse_args()
    rows = running(args.engine, args.name) if args.engine else llama_cpp(args.python)
    record = {
        "hardware": machine(),
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "command": "python -m benchmarks.serving",
        "slots": SLOTS,
        "threads": THREADS,
        "rows": [tell(row) for row in rows],
    }
    args.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def tell(row: dict[str, Any]) -> dict[str, Any]:
    """Say a row on stderr while the next is measured."""
    print(json.dumps(row), file=sys.stderr, flush=True)
    return row


def running(engine: str, name: str) -> Iterator[dict[str, Any]]:
    """The rows of one server that runs already."""
    yield from compared(name or engine, find(engine))


def llama_cpp(python: str) -> Iterator[dict[str, Any]]:
    """The rows of llama.cpp's server with each type of weights."""
    from halfbits.checkpoints.exports import export
    from halfbits.models.tiny_lm import load_tiny_lm

    exact = load_tiny_lm()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for kind in KINDS:
            path = export(exact, "gguf", Path(folder) / kind, kind)
            with served(python, path) as server:
                yield from compared(f"llama.cpp {kind}", server)


@contextmanager
def served(python: str, model: Path) -> Iterator[Server]:
    """llama.cpp's server on a free port; it ends with this block, and with this process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = Path(__file__).with_name("llama_server.py")
    command = [python, str(script), str(model), str(port), str(SLOTS), str(THREADS)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet) as child:
        try:
            yield ready(child, f"http://127.0.0.1:{port}")
        finally:
            child.kill()


def ready(child: subprocess.Popen[bytes], url: str, patience: float = 120.0) -> Server:
    """The server once it names its model; SystemExit when it ends or takes longer than that."""
    until = time.monotonic() + patience
    while child.poll() is None and time.monotonic() < until:
        try:
            return find(url)
        except CourseError:
            time.sleep(0.2)
    raise SystemExit("the server did not start: is xllamacpp installed in that environment?")


def compared(name: str, server: Server) -> Iterator[dict[str, Any]]:
    """A row for each rate: what was measured, what was predicted, and predicted / measured - 1."""
    line = fitted(server)
    most = capacity(line)
    for share in SHARES:
        requests, words = traffic(share * most)
        load = send(server, requests, words, PATIENCE)
        if load.errors:
            raise SystemExit(f"{name}: {len(load.errors)} requests failed: {load.errors[0]}")
        measured = load_report(load.served, *LIMITS)
        expected = load_report(predicted(line, requests, load), *LIMITS)
        yield {
            "name": f"{name}, {share:g} of capacity",
            "server": name,
            "rate": round(share * most, 3),
            "fit": {key: float(f"{value:.4g}") for key, value in vars(line).items()},
            "late": round(load.late, 4),
            "measured": rounded(measured),
            "predicted": rounded(expected),
            "error": {k: round(expected[k] / measured[k] - 1, 3) for k in ("ttft_p50", "tpot_p50")},
        }


def fitted(server: Server) -> Linear:
    """A line through prompts of several lengths, each alone, and decoding at several batches."""
    points: list[tuple[Step, float]] = []
    for words in (10, 40, 80, 120):
        found = [alone(server, text) for text in prompts(REPEATS, words, seed=words)]
        points += [(Step.of([(n, 0, True)]), wait) for n, wait in found]
    for rows in (1, 2, 4, SLOTS):
        points += [together(server, rows, seed) for seed in range(REPEATS)]
    return Linear.fit([step for step, _ in points], [seconds for _, seconds in points])


def alone(server: Server, prompt: str) -> tuple[int, float]:
    """Tokens of a prompt, and seconds until the first of its answer."""
    load = send(server, [Request(0.0, 1, 1)], [prompt], PATIENCE)
    return load.prompt_tokens[0], load.served[0].ttft


def together(server: Server, rows: int, seed: int, answer: int = 48) -> tuple[Step, float]:
    """The step of `rows` rows half-way through their answers, and their median TPOT."""
    load = send(server, [Request(0.0, 1, answer)] * rows, prompts(rows, 20, 1000 + seed), PATIENCE)
    seen = [tokens + answer // 2 for tokens in load.prompt_tokens]
    return Step.of([(1, n, True) for n in seen]), median(one.tpot for one in load.served)


def uniform(least: int, most: int) -> Length:
    """Every length from `least` to `most` tokens equally often."""
    return lambda draw: draw.randint(least, most)


def traffic(rate: float) -> tuple[list[Request], list[str]]:
    """Requests with answers of 16 to 64 tokens, and a prompt of 10 to 100 words for each."""
    draw = Random(1)
    words = [prompts(1, draw.randint(10, 100), seed)[0] for seed in range(COUNT)]
    return poisson(rate, COUNT, uniform(1, 1), uniform(16, 64)), words


def predicted(line: Linear, requests: list[Request], load: Load) -> list[Any]:
    """The same requests on the simulated server, with the prompts' lengths that the server told."""
    same = [
        Request(one.arrival, tokens, one.answer)
        for one, tokens in zip(requests, load.prompt_tokens, strict=True)
    ]
    return simulate(same, line.seconds, Policy(SLOTS, chunk=BATCH), BlockPool(10**6)).served


def capacity(line: Linear) -> float:
    """Requests a second when the simulated server never waits for one; prompts of 110 tokens."""
    requests = poisson(1e6, 200, uniform(20, 200), uniform(16, 64))
    run = simulate(requests, line.seconds, Policy(SLOTS, chunk=BATCH), BlockPool(10**6))
    return len(requests) / max(one.times[-1] for one in run.served)


def rounded(report: dict[str, float]) -> dict[str, float]:
    """Four significant digits of each figure."""
    return {name: float(f"{value:.4g}") for name, value in report.items()}


if __name__ == "__main__":
    main()
