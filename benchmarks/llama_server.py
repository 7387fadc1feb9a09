"""llama.cpp's own server around one GGUF file, until standard input is closed.

`python llama_server.py MODEL PORT SLOTS THREADS`, in an environment with `pip install xllamacpp`;
nothing else is imported, so that it may be another environment than this course's.
"""

from __future__ import annotations

import sys
from typing import Any

CONTEXT = 512  # tokens of each slot


def params(model: str, port: int, slots: int, threads: int) -> Any:
    """What the server is told: no prompt is remembered, so that every one is read."""
    from xllamacpp import CommonParams

    made = CommonParams()
    made.model.path, made.model_alias = model, {"tiny"}
    made.hostnames, made.port = ["127.0.0.1"], port
    made.n_parallel, made.n_ctx = slots, slots * CONTEXT
    made.cpuparams.n_threads = made.cpuparams_batch.n_threads = threads
    made.cache_prompt, made.cache_ram_mib, made.kv_unified = False, 0, False
    return made


def main() -> None:
    """Serve until the parent closes our input, or ends."""
    from xllamacpp import Server

    model, *numbers = sys.argv[1:]
    server = Server(params(model, *map(int, numbers)))
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
