"""Read by every Python whose PYTHONPATH names this folder: torch answers for a claimed processor.

`HALFBITS_CLAIMED_CPU` lists the instruction sets that torch is to report, of those below; the
others it denies. Nothing is executed that the processor lacks: only Python code asks through
`torch.cpu`, and it chooses the *types* of an integer product, never the instructions.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from importlib.abc import MetaPathFinder
from types import MappingProxyType

DECIDED = ("avx512_vnni", "avx_vnni", "amx_tile", "amx_int8", "amx_bf16", "amx_fp16")
CLAIMED = os.environ.get("HALFBITS_CLAIMED_CPU")


class AfterTorch(MetaPathFinder):
    """Finds torch as it is, and has `claim` called when its module has run."""

    def find_spec(self, name, path=None, target=None):
        if name != "torch":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec("torch")
        execute = spec.loader.exec_module

        def execute_and_claim(module):
            execute(module)
            claim(module, CLAIMED.split())

        spec.loader.exec_module = execute_and_claim
        return spec


def claim(torch, names):
    """Let torch report of DECIDED just `names`."""
    found = {**torch.cpu.get_capabilities(), **{name: name in names for name in DECIDED}}
    torch.cpu.get_capabilities = lambda: MappingProxyType(found)
    if "avx512_vnni" not in names:
        torch._int_mm = without_onednn(torch, torch._int_mm)


def without_onednn(torch, product):
    """`product` as PyTorch computes it on a processor without VNNI: in a loop of its own."""

    def int_mm(*args, **kwargs):
        enabled = torch._C._get_mkldnn_enabled()
        torch._C._set_mkldnn_enabled(False)
        try:
            return product(*args, **kwargs)
        finally:
            torch._C._set_mkldnn_enabled(enabled)

    return int_mm


if CLAIMED is not None:
    sys.meta_path.insert(0, AfterTorch())
