"""A claimed processor takes the paths of the real one, and its integer products stay exact."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from processors import PROCESSORS, environment, main

from halfbits.course.authoring.selftest import ASK_THE_CPU, THOROUGH
from halfbits.folders import find_root

ROOT = find_root()
PROBE = """
import json, torch
from torchao.kernel.intmm import int_scaled_matmul
from torch.utils._python_dispatch import TorchDispatchMode

class Left(TorchDispatchMode):
    seen = set()
    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        if function.overloadpacket is torch.ops.aten._int_mm:
            self.seen.add(str(args[0].dtype))
        return function(*args, **(kwargs or {}))

torch.manual_seed(0)
a = torch.randint(-128, 128, (32, 96), dtype=torch.int8)
b = torch.randint(-127, 128, (96, 16), dtype=torch.int8)
with Left() as left:
    product = int_scaled_matmul(a, b, torch.ones(32, 1))
print(json.dumps([sorted(left.seen), torch.equal(product.long(), a.long() @ b.long())]))
"""
LEFT = {"default": "int8", "sse41": "int8", "avx2": "int8", "vnni": "uint8", "amx": "int8"}


@pytest.mark.parametrize("name", LEFT)
def test_torchao_multiplies_the_types_of_the_claimed_processor(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE], env=environment(name), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [[f"torch.{LEFT[name]}"], True]


@pytest.mark.parametrize("name", [n for n, s in PROCESSORS.items() if "ONEDNN_MAX_CPU_ISA" in s])
def test_tensorflow_multiplies_bfloat16_where_onednn_is_limited(name: str) -> None:
    probe = "import tensorflow as tf; x = tf.ones((4, 256), 'bfloat16'); "
    probe += "print(float((x @ tf.transpose(x))[0, 0]))"
    done = subprocess.run(
        [sys.executable, "-c", probe], env=environment(name), capture_output=True, text=True
    )
    assert done.returncode == 0 and "256.0" in done.stdout, done.stderr[-2000:]


def test_every_processor_but_this_one_is_probed() -> None:
    assert set(PROCESSORS) == {"this", *LEFT}


def test_a_command_runs_on_a_processor_and_its_status_is_returned() -> None:
    code = "import os, sys; sys.exit(7 if os.environ['HALFBITS_CLAIMED_CPU'] else 8)"
    assert main(["vnni", sys.executable, "-c", code]) == 7
    assert main(["avx2", sys.executable, "-c", code]) == 8


def test_an_unknown_processor_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["z80", "true"]) == 2
    assert "vnni" in capsys.readouterr().err


def test_what_calls_torchao_runs_on_both_kinds_of_processor_in_the_thorough_test() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in ("notebooks", "solutions")
        for path in (ROOT / folder).rglob("*.ipynb")
        if re.search(r"(from|import) torchao|_int_mm\(", path.read_text(encoding="utf-8"))
    }
    assert set(ASK_THE_CPU) == found
    for processor in ("avx2", "vnni"):
        commands = [
            c for c in THOROUGH["notebooks"] if f"tests/processors.py {processor}" in " ".join(c)
        ]
        assert len(commands) == 1 and found <= set(commands[0])
