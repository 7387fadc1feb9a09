"""Processors other than this one, as far as software lets a program believe in them.

`python tests/processors.py vnni COMMAND ...` runs a command on one of them: its Python processes
read `tests/startup/sitecustomize.py` first, which answers for torch's and torchao's own checks.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

STARTUP = Path(__file__).resolve().parent / "startup"
CLAIMS = "HALFBITS_CLAIMED_CPU"
# A limit on oneDNN alone makes a machine that cannot exist, for its callers ask the processor what
# it has. PyTorch's integer product has wrong sums then, so VNNI is denied as well; TensorFlow's
# bfloat16 product ends the process, so TensorFlow does without oneDNN.
PROCESSORS: dict[str, dict[str, str]] = {
    "this": {},
    "default": {CLAIMS: "", "ATEN_CPU_CAPABILITY": "default"},
    "sse41": {CLAIMS: "", "ONEDNN_MAX_CPU_ISA": "SSE41", "TF_ENABLE_ONEDNN_OPTS": "0"},
    "avx2": {
        CLAIMS: "",
        "ATEN_CPU_CAPABILITY": "avx2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "TF_ENABLE_ONEDNN_OPTS": "0",
    },
    "vnni": {CLAIMS: "avx512_vnni"},
    "amx": {CLAIMS: "avx512_vnni amx_tile amx_int8"},
}


def environment(name: str) -> dict[str, str]:
    """This process's environment, changed so that its children run on the processor `name`."""
    settings = PROCESSORS[name]
    if CLAIMS not in settings:
        return dict(os.environ)
    paths = [str(STARTUP), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, **settings, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def main(words: list[str]) -> int:
    """Run words[1:] on the processor words[0]; its exit status, or 2 for a name unknown."""
    if not words[1:] or words[0] not in PROCESSORS:
        print(f"usage: processors.py {{{','.join(PROCESSORS)}}} COMMAND ...", file=sys.stderr)
        return 2
    return subprocess.run(words[1:], env=environment(words[0]), check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
