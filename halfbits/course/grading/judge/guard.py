"""Keeps what judges an answer as it was before the answer ran.

The checks run in the answer's process, so an answer can rebind torch.equal, builtins.max or the
grader's own functions. Their originals are noted before the first cell runs. What the cells
replaced is put back before the first check; what is replaced while a check runs fails it.

This stops every replacement that a program makes by name. Code that searches this process's
memory for the notes (gc.get_objects, frames, ctypes) is not stopped: `suspicious` names it for
a teacher.
"""

from __future__ import annotations

import ast
import builtins
import operator
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from halfbits.course.fingerprint import covers
from halfbits.course.notebook import Cell
from halfbits.course.sources import parse_leniently
from halfbits.moved import new_path

JUDGES = (
    *("__main__", "builtins", "json", "math", "pytest", "numpy", "numpy.testing"),
    *("torch", "torch.functional", "torch.linalg", "torch.nn.functional", "torch.testing"),
)
CLASSES = (("torch", "Tensor"), ("torch.nn", "Module"))
OURS = f"{__name__.partition('.')[0]}."
MACHINERY = ".".join(__name__.split(".")[:2])
# What reaches into the grader rather than into the exercise.
REACHES = {
    *("_getframe", "_current_frames", "f_back", "f_locals", "f_globals", "tb_frame", "gi_frame"),
    *("get_objects", "get_referrers", "get_referents", "ctypes", "settrace", "setprofile"),
    *("__closure__", "__code__", "addaudithook", "setsid", "fork", "HALFBITS_GRADING"),
}
# What the frameworks replace themselves: torch._dynamo at its import, set_default_dtype.
OWN_CHANGES = {
    *("torch.manual_seed", "torch.Storage"),
    *("torch.nn.Module.__init__", "torch.nn.Module.__setstate__"),
}
ABSENT = object()
PUT_BACK = "put back before the checks"


def take_guard(checks: ModuleType) -> Callable[[], list[str]]:
    """Note the judges now; the function returned puts them back and names what was replaced."""
    owners = _owners(checks)
    before = [(label, owner, dict(vars(owner))) for label, owner in owners]
    code = [(f, f.__code__, f.__defaults__, f.__kwdefaults__) for f in _functions(before)]
    plain, by_itself = set(vars(builtins)), _framework_changes()
    # Comparing all names and values at once makes a look at thousands of them cheap.
    seen = [(list(names), list(names.values())) for _, _, names in before]

    # Everything it needs is bound here, since names of this module can be replaced as well.
    def put_back(
        before: Any = before,
        code: Any = code,
        plain: Any = plain,
        seen: Any = seen,
        vars: Any = vars,
        list: Any = list,
        map: Any = map,
        all: Any = all,
        is_same: Any = operator.is_,
        enumerate: Any = enumerate,
        setattr: Any = setattr,
        delattr: Any = delattr,
        absent: Any = ABSENT,
        hides: Any = _hides,
        by_itself: Any = by_itself,
    ) -> list[str]:
        replaced = []
        for place, (label, owner, names) in enumerate(before):
            now, (known, values) = vars(owner), seen[place]
            if list(now) == known and all(map(is_same, now.values(), values)):
                continue
            for name in [n for n, old in names.items() if now.get(n, absent) is not old]:
                if not by_itself(f"{label}.{name}", now.get(name)):
                    replaced.append(f"{label}.{name}")
                setattr(owner, name, names[name])
            for name in [n for n in now if n not in names and hides(owner, n, plain)]:
                delattr(owner, name)
                replaced.append(f"{label}.{name}")
            seen[place] = (list(now), list(now.values()))
        for function, own, defaults, keywords in code:
            if (
                function.__code__ is not own
                or function.__defaults__ is not defaults
                or function.__kwdefaults__ is not keywords
            ):
                function.__code__, function.__defaults__ = own, defaults
                function.__kwdefaults__ = keywords
                replaced.append(f"the code of {function.__qualname__}")
        return replaced

    return put_back


def suspicious(cells: Iterable[Cell]) -> list[str]:
    """The names in these cells that reach into the grader, sorted."""
    trees = (parse_leniently(cell.source) for cell in cells)
    nodes = [node for tree in trees if tree for node in ast.walk(tree)]
    return sorted({name for node in nodes for name in _names(node) if _reaches(name)})


def _owners(checks: ModuleType) -> list[tuple[str, Any]]:
    ours = sorted(name for name in sys.modules if name.startswith(OURS))
    modules = [(n, sys.modules[n]) for n in (*JUDGES, *ours) if n in sys.modules]
    classes = [
        (f"{module}.{name}", getattr(sys.modules[module], name))
        for module, name in CLASSES
        if module in sys.modules
    ]
    own = [
        (f"{label}.{name}", value)
        for label, module in modules
        if label.startswith(OURS)
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == label
    ]
    return [*modules, *classes, *own, ("the checks", checks)]


def _functions(before: list[tuple[str, Any, dict[str, Any]]]) -> list[FunctionType]:
    return [
        value
        for label, _, names in before
        if label.startswith((OURS, "the checks", "__main__"))
        for value in names.values()
        if isinstance(value, FunctionType)
    ]


def _hides(owner: Any, name: str, plain: set[str]) -> bool:
    """Whether a new name stands before another: a built-in's, or an inherited one."""
    if isinstance(owner, type):
        return any(name in vars(base) for base in owner.__mro__[1:])
    return name in plain and not name.startswith("__")


def _framework_changes() -> Callable[[str, Any], bool]:
    """(name, value) -> whether torch put `value` there: its own code, where it does so itself."""
    home = str(Path(getattr(sys.modules.get("torch"), "__file__", None) or "no torch").parent)

    def by_itself(
        name: str,
        value: Any,
        known: frozenset[str] = frozenset(OWN_CHANGES),
        home: str = home,
        getattr: Any = getattr,
    ) -> bool:
        if name not in known:
            return False
        code = getattr(value, "__code__", None)
        return code.co_filename.startswith(home) if code else value.__module__ == "torch"

    return by_itself


def _names(node: ast.AST) -> list[str]:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return [name]
        case ast.Import(names=aliases):
            return [alias.name for alias in aliases]
        case ast.ImportFrom(module=module, names=aliases):
            return [str(module), *(alias.name for alias in aliases)]
        case ast.Constant(value=str(text)) if text.isidentifier():
            return [text]
    return []


def _reaches(name: str) -> bool:
    module = new_path(name) or name
    return name in REACHES or name == "__main__" or covers((MACHINERY,), module)
