"""Module paths of earlier versions, so that saved notebooks go on running.

A module that moved is found under its old path too, as the same object. Names that a notebook, a
page or CONTRIBUTING has shown are kept; new code uses the new ones, and the linter insists on it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import CodeType, ModuleType

MOVED = {
    "halfbits.catalog": "halfbits.course.catalog",
    "halfbits.cli": "halfbits.course.cli.main",
    "halfbits.cost": "halfbits.perf.cost",
    "halfbits.grading": "halfbits.course.grading",
    "halfbits.interview": "halfbits.course.interview",
    "halfbits.interview.bank": "halfbits.course.interview.bank.bank",
    "halfbits.listing": "halfbits.course.authoring.listing",
    "halfbits.measure": "halfbits.perf.measure",
    "halfbits.significance": "halfbits.evaluate.significance",
    "halfbits.records": "halfbits.perf.records",
    "halfbits.why": "halfbits.perf.predict",
    "halfbits.widgets": "halfbits.figures",
}


def new_path(old: str) -> str | None:
    """Where the module `old` is now: it, or the package that holds it, stands in MOVED."""
    if old in MOVED:
        return MOVED[old]
    package, _, name = old.rpartition(".")
    found = new_path(package) if package else None
    return f"{found}.{name}" if found else None


class OldPaths(MetaPathFinder, InspectLoader):
    """Finds each module of MOVED, and what lies below it, under its old path."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        new = new_path(fullname)
        return ModuleSpec(fullname, self) if new and find_spec(new) else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = import_module(str(new_path(spec.name)))
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Undo the one thing that the import system changed: the module's own spec."""
        assert module.__spec__ is not None
        module.__spec__ = module.__spec__.loader_state

    def get_code(self, fullname: str) -> CodeType | None:
        """For `python -m` with an old path."""
        new = str(new_path(fullname))
        spec = find_spec(new)
        return spec.loader.get_code(new) if spec else None  # type: ignore[union-attr]

    def get_source(self, fullname: str) -> str | None:
        return None


def keep_old_paths() -> None:
    """Ask before the other finders: below a package that moved, they would load a second copy."""
    if not any(isinstance(finder, OldPaths) for finder in sys.meta_path):
        sys.meta_path.insert(0, OldPaths())
