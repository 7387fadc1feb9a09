"""Finds in released packages what the recipes of book/recipes.yaml name, and records where.

    pip download --no-deps --dest FOLDER sglang==0.5.23   # and so on, the versions of the file
    python -m benchmarks.recipe_symbols FOLDER

Reads wheels and source archives of FOLDER; a package that is not there is read where it is
installed, in the recipe's version. Writes book/data/recipe_symbols.json; fails where a text is
missing.
"""

from __future__ import annotations

import json
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

from halfbits.course.authoring.recipes import Book, Evidence, Package, load_recipes
from halfbits.errors import CourseError
from halfbits.folders import find_root

RECORD = Path("book") / "data" / "recipe_symbols.json"


def main(folder: Path, root: Path) -> None:
    """Write the record of all evidence. Raises CourseError for what cannot be found."""
    book = load_recipes(root)
    found = [entry for package in book.packages for entry in found_in(package, book, folder)]
    record = {
        "packages": {package.name: package.version for package in book.packages},
        "found": found,
    }
    text = json.dumps(record, indent=1, ensure_ascii=False)
    (root / RECORD).write_text(text + "\n", encoding="utf-8")


def found_in(package: Package, book: Book, folder: Path) -> Iterator[dict[str, object]]:
    """File, line number and line of each piece of evidence in one package."""
    wanted = [evidence for evidence in book.evidence if book.package_of(evidence) == package]
    texts = files_of(package, {evidence.file for evidence in wanted}, folder)
    for evidence in wanted:
        number, line = place(evidence, texts.get(evidence.file, ""), package)
        yield {
            "package": package.name,
            "file": evidence.file,
            "line": number,
            "text": evidence.text,
            "reads": line,
        }


def place(evidence: Evidence, text: str, package: Package) -> tuple[int, str]:
    """The first line that holds the evidence's text, counted from one."""
    for number, line in enumerate(text.splitlines(), 1):
        if evidence.text in line:
            return number, line.strip()[:160]
    raise CourseError(
        f"{package.name} {package.version}: {evidence.text!r} is not in {evidence.file}."
    )


def files_of(package: Package, names: set[str], folder: Path) -> dict[str, str]:
    """The texts of `names` from an archive in `folder`, else from the installed package."""
    stem = f"{package.name.replace('-', '_')}-{package.version}"
    for path in sorted(folder.glob(f"{stem}[-.]*")):
        if path.suffix == ".whl":
            with zipfile.ZipFile(path) as wheel:
                return {name: wheel.read(name).decode() for name in names & {*wheel.namelist()}}
        with tarfile.open(path) as archive:
            inside = {name: f"{stem}/{name}" for name in names}
            known = {*archive.getnames()}
            return {
                name: archive.extractfile(member).read().decode()  # type: ignore[union-attr]
                for name, member in inside.items()
                if member in known
            }
    installed = distribution(package.name)
    if installed.version != package.version:
        raise CourseError(f"{package.name} {package.version} is neither in {folder} nor installed.")
    return {name: Path(str(installed.locate_file(name))).read_text("utf-8") for name in names}


if __name__ == "__main__":
    main(Path(sys.argv[1]), find_root())
