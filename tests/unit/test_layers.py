"""Imports only point down, and the subject needs none of the machinery's tools."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from halfbits.course.authoring.selftest import LAYERS, STEPS
from halfbits.course.fingerprint import LIBRARY

ROOT = LIBRARY.parent
# An import at a module's end, and whether the rule of the layers forbids it.
BACK = {
    "from the subject to the machinery": ("formats.py", "halfbits.course.catalog"),
    "from the subject to it through a function": (
        "perf/cost.py",
        "halfbits.course.grading.runner",
    ),
    "from a quantizer to a model": ("quantize/grid.py", "halfbits.models.llama"),
    "from grading to the drills": ("course/grading/runner.py", "halfbits.course.interview.cards"),
    "from the drills to grading": (
        "course/interview/plan/plan.py",
        "halfbits.course.grading.report",
    ),
    "from the judge to who asks it": (
        "course/grading/judge/job.py",
        "halfbits.course.grading.faces",
    ),
    "from progress to the commands": ("course/progress/store.py", "halfbits.course.cli.main"),
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The library's code with the linter's rules, to be edited."""
    heavy = shutil.ignore_patterns("__pycache__", "*.safetensors", "*.npz", "*.mjs", "*.txt")
    shutil.copytree(LIBRARY, tmp_path / "halfbits", ignore=heavy)
    shutil.copy2(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(checkout: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", LAYERS, "--no-cache"]
    return subprocess.run(words, cwd=checkout, capture_output=True, text=True, check=False)


def test_the_layers_hold_and_the_lint_step_asks(checkout: Path) -> None:
    done = lint(checkout)
    assert done.returncode == 0, done.stdout
    assert [sys.executable, "-c", LAYERS, "--no-cache"] in STEPS["lint"]


@pytest.mark.parametrize("module, target", BACK.values(), ids=BACK.keys())
def test_an_import_that_points_up_is_refused(checkout: Path, module: str, target: str) -> None:
    path = checkout / "halfbits" / module
    planted = f"\n\ndef later() -> None:\n    import {target}\n"
    path.write_text(path.read_text("utf-8") + planted, encoding="utf-8")
    done = lint(checkout)
    importer = "halfbits." + module.removesuffix(".py").replace("/", ".")
    assert done.returncode == 1
    assert f"{importer} -> {target}" in done.stdout


def test_two_modules_that_import_each_other_are_refused(checkout: Path) -> None:
    path = checkout / "halfbits" / "quantize" / "quantized.py"
    planted = "\n\ndef later() -> None:\n    import halfbits.quantize.grid\n"
    path.write_text(path.read_text("utf-8") + planted, encoding="utf-8")
    done = lint(checkout)
    assert done.returncode == 1
    assert "No cycles are allowed in halfbits.quantize" in done.stdout


def test_a_new_package_must_be_given_its_layer(checkout: Path) -> None:
    (checkout / "halfbits" / "misc").mkdir()
    (checkout / "halfbits" / "misc" / "__init__.py").write_text("", encoding="utf-8")
    done = lint(checkout)
    assert done.returncode == 1 and "halfbits.misc" in done.stdout


SUBJECT = sorted(
    f"halfbits.{path.stem}"
    for path in LIBRARY.iterdir()
    if path.stem not in {"course", "__init__", "__main__", "__pycache__"}
    and (path.suffix == ".py" or (path / "__init__.py").is_file())
)
TOOLS = (
    "typer",
    "pytest",
    "jupyter_server",
    "jupyterlab",
    "nbformat",
    "ipykernel",
    "IPython",
    "sphinx",
)


@pytest.mark.parametrize("name", ["halfbits", *SUBJECT])
def test_the_subject_can_be_imported_without_the_machinerys_tools(name: str) -> None:
    code = f"import sys\nsys.modules.update(dict.fromkeys({TOOLS}))\nimport {name}\n"
    code += "print(*(n for n in sys.modules if n.startswith('halfbits.course')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


def test_importing_the_library_loads_no_framework() -> None:
    code = "import sys, halfbits, halfbits.models, halfbits.figures, halfbits.perf.cost\n"
    code += "sys.exit(not {'torch', 'tensorflow', 'numba', 'matplotlib'}.isdisjoint(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
