"""The hardware table shows what `halfbits.perf.cost` computes with."""

from __future__ import annotations

import re

from book_sources import ROOT

from halfbits.perf.cost import Machine, hardware

RECORD = "a record of the course"
COLUMNS = ("fp32", "bf16", "fp8", "int8", "fp4")


def rows() -> dict[str, list[str]]:
    text = (ROOT / "book" / "hardware.md").read_text(encoding="utf-8")
    peaks = text.partition("\n## ")[0]
    lines = re.findall(r"^\| (.+) \|$", peaks, flags=re.MULTILINE)[1:]
    return {name: cells for name, *cells in (line.split(" | ") for line in lines)}


def memory_of(cell: str) -> tuple[str, str]:
    """A cell's number, and who read it: nobody, the course's record, or a citation."""
    amount, _, said = cell.partition(" ")
    if said.startswith("{cite}"):
        return amount, said.removeprefix("{cite}").strip("`")
    return amount, "" if said == "(stated)" else RECORD


def memory_said(machine: Machine) -> str:
    return f"{machine.memory / 1e9:.4g}"


def memory_reader(machine: Machine) -> str:
    return RECORD if "#" in machine.memory_source else machine.memory_source


def number(cell: str) -> float:
    return float(cell.replace(",", ""))


def test_the_table_shows_every_machine_as_the_library_has_it() -> None:
    shown = rows()
    assert shown.keys() == hardware().keys()
    for name, machine in hardware().items():
        memory, bandwidth, *peaks, ridge, source = shown[name]
        assert memory_of(memory) == (memory_said(machine), memory_reader(machine))
        # Printed to three or four digits.
        assert abs(number(bandwidth) * 1e12 / machine.bandwidth - 1) < 5e-3
        assert abs(number(ridge) / machine.ridge("bf16") - 1) < 5e-3
        assert source == f"{{cite}}`{machine.source}`"
        for kind, cell in zip(COLUMNS, peaks, strict=True):
            peak = machine.peak.get(kind)
            assert (cell == "–") == (peak is None), (name, kind)
            assert peak is None or abs(number(cell) * 1e12 / peak - 1) < 5e-4, (name, kind)


def test_every_chip_of_the_table_is_told_with_the_kinds_that_it_multiplies() -> None:
    told = (ROOT / "book" / "hardware.md").read_text(encoding="utf-8").partition("\n## ")[2]
    named = {name.removesuffix(" SXM 80 GB").removesuffix(" SXM") for name in hardware()}
    assert not {name for name in named if not re.search(rf"^\|.*\b{name}\b", told, re.MULTILINE)}
