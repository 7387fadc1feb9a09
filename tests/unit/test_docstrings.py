"""What the docstrings of the numerics say: shapes, units, errors and sources.

The rules are read from the source, so that they hold for what needs a GPU too. To the docstring of
a method belongs that of its class, and to a `quantize` of halfbits.methods that of the package,
which says what all of them take and return.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from halfbits import methods
from halfbits.course.fingerprint import LIBRARY

NUMERICS = ("formats", "quantize", "methods", "evaluate", "perf", "kernels", "serving")
TENSORS = re.compile(r"\b(Tensor|ndarray)\b")
# [out, in], [..., n], or that the shape does not matter.
SHAPE = re.compile(r"\[[^\]]+\]|any shape|elementwise")
UNIT = re.compile(
    r"\b(seconds?|bytes?|bits?|operations?|parameters|weights|elements|heads|layers|tokens?|rows?"
    r"|times?|share|samples|status|unit)\b",
    re.IGNORECASE,
)
SOURCE = re.compile(r"\b(19|20)\d\d\b|IEEE 754|llama\.cpp")
# They hold, cut or start what others compute, and follow no publication.
NO_SOURCE = {"quantize/blocks", "quantize/packing", "quantize/quantized", "methods/calibration"}


@dataclass(frozen=True)
class Public:
    """A public function or method with the docstrings that belong to it."""

    node: ast.FunctionDef
    name: str
    doc: str

    @property
    def types(self) -> str:
        """The annotations of its arguments and of its result."""
        arguments = (*self.node.args.posonlyargs, *self.node.args.args, *self.node.args.kwonlyargs)
        known = (*(argument.annotation for argument in arguments), self.node.returns)
        return " ".join(ast.unparse(annotation) for annotation in known if annotation)

    @property
    def errors(self) -> set[str]:
        """The classes that it raises itself."""
        raised = (node.exc for node in ast.walk(self.node) if isinstance(node, ast.Raise))
        calls = (error.func if isinstance(error, ast.Call) else error for error in raised)
        return {node.id for node in calls if isinstance(node, ast.Name) and node.id[0].isupper()}


def files(*packages: str) -> list[Path]:
    """The files of these packages and modules."""
    modules = [LIBRARY / f"{name}.py" for name in packages]
    inside = [path for name in packages for path in (LIBRARY / name).rglob("*.py")]
    return sorted([*(path for path in modules if path.is_file()), *inside])


def of(path: Path) -> Iterator[Public]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            is_method = path.parent.name == "methods" and node.name == "quantize"
            common = str(methods.__doc__) if is_method else ""
            yield Public(node, node.name, f"{ast.get_docstring(node) or ''} {common}")
        elif isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            whole = ast.get_docstring(node) or ""
            for method in (part for part in node.body if isinstance(part, ast.FunctionDef)):
                doc = f"{ast.get_docstring(method) or ''} {whole}"
                yield Public(method, f"{node.name}.{method.name}", doc)


def public(path: Path) -> Iterator[Public]:
    yield from (one for one in of(path) if not one.node.name.startswith("_"))


def place(path: Path, one: Public) -> str:
    return f"{path.relative_to(LIBRARY)}:{one.node.lineno} {one.name}"


def listed(faults: list[str]) -> str:
    return "\n".join(faults)


def test_every_public_function_has_a_docstring() -> None:
    faults = [
        place(path, one)
        for path in files(*NUMERICS)
        for one in public(path)
        if not ast.get_docstring(one.node) and one.node.name != "forward"  # its class says it
    ]
    assert faults == [], listed(faults)


def test_functions_of_tensors_state_shapes() -> None:
    faults = [
        place(path, one)
        for path in files(*NUMERICS)
        for one in public(path)
        if TENSORS.search(one.types) and not SHAPE.search(one.doc)
    ]
    assert faults == [], listed(faults)


def test_what_a_function_raises_itself_is_named() -> None:
    faults = [
        f"{place(path, one)}: {error}"
        for path in files(*NUMERICS)
        for one in public(path)
        for error in one.errors
        if error not in one.doc
    ]
    assert faults == [], listed(faults)


def test_numbers_about_speed_and_memory_have_a_unit() -> None:
    faults = [
        place(path, one)
        for path in files("perf")
        for one in public(path)
        if ast.unparse(one.node.returns or ast.Constant(None)) in ("float", "int")
        and not UNIT.search(f"{one.doc} {one.name.replace('_', ' ')}")
    ]
    assert faults == [], listed(faults)


def test_methods_formats_and_measures_name_their_source() -> None:
    faults = []
    for path in files("formats", "quantize", "methods", "evaluate"):
        name = path.relative_to(LIBRARY).with_suffix("").as_posix()
        text = path.read_text(encoding="utf-8")
        if name not in NO_SOURCE and any(public(path)) and not SOURCE.search(text):
            faults.append(name)
    assert faults == [], listed(faults)


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ('def f(x: Tensor) -> Tensor:\n    """x [rows], doubled."""', True),
        ('def f(x: Tensor) -> Tensor:\n    """Doubled."""', False),
        ('class A:\n    """Of [rows]."""\n    def f(self) -> Tensor:\n        """It."""', True),
    ],
)
def test_shapes_are_found_in_the_function_or_its_class(
    tmp_path: Path, source: str, wanted: bool
) -> None:
    path = tmp_path / "it.py"
    path.write_text(source, encoding="utf-8")
    [one] = public(path)
    assert TENSORS.search(one.types) and bool(SHAPE.search(one.doc)) is wanted
