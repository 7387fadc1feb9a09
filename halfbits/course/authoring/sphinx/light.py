"""Few and small files for every page: one style sheet, one script, only what pages use.

Sphinx, the theme and the extensions link some ten sheets and a dozen scripts. Here each page links
`_static/styles/book.css` and `_static/book.js` instead, which are made after the pages: the same
files in the same order, without the rules whose classes no page has, and with an icon font of the
few icons that are left. What an extension adds to one page alone stays a file of its own.
"""

from __future__ import annotations

import base64
import io
import logging
import re
from pathlib import Path
from typing import Any

import lightningcss
from fontTools import subset
from fontTools.ttLib import TTFont
from sphinx.application import Sphinx

SHEET, SCRIPT = "styles/book.css", "book.js"
# The theme's templates link these by themselves.
THEME_SHEETS = ("styles/theme.css", "styles/pydata-sphinx-theme.css")
THEME_SCRIPTS = ("scripts/pydata-sphinx-theme.js",)
# Scripts that only some pages need, and what such a page holds.
WANTED = {
    "togglebutton.js": re.compile(r'class="[^"]*(?<![\w-])(toggle|dropdown)(?![\w-])'),
    "design-tabs.js": re.compile(r"sd-tab-set"),
}
# Code cells that a distant server would run: the theme brings them, the book has none.
UNUSED = {"sphinx-thebe.js", "sphinx-thebe.css"}
THEBE = re.compile(
    r'<script type="text/x-thebe-config">.*?</script>\s*<script>.*?</script>', re.DOTALL
)
# Inline scripts: settings that nothing reads, or only the script that folds admonitions.
SETTINGS = re.compile(r"\s*(DOCUMENTATION_OPTIONS\.|(let|var) toggle|const THEBE)")
LINKED: dict[str, list[str]] = {"sheets": [], "scripts": []}
FACE = re.compile(
    r"@font-face\{[^}]*?"
    r"url\(\"?\.\./(vendor/fontawesome/webfonts/fa-(\w+)-\d+\.woff2)\"?\)[^}]*\}"
)
# The class of an icon from a face that few books use.
RARE_FACES = {"regular": "fa-regular", "brands": "fa-brands"}


def name_of(file: Any) -> str:
    """A linked file's path below _static; "" for an inline script."""
    name = str(getattr(file, "filename", None) or "")
    return name.partition("?")[0].removeprefix("_static/")


def remember_files(app: Sphinx) -> None:
    """Note what every page would link: the builder's lists before any page adds to them."""
    builder: Any = app.builder
    if builder.format == "html":
        LINKED["sheets"] = names_in_order(builder._css_files)
        LINKED["scripts"] = names_in_order(builder._js_files)


def names_in_order(files: list[Any]) -> list[str]:
    ordered = sorted(files, key=lambda file: file.priority)
    return list(dict.fromkeys(name_of(file) for file in ordered if name_of(file)))


def link_own_files(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Leave the page only the files that are its own; the template links the two of the book."""
    body = context.get("body") or ""
    wanted = {name for name, mark in WANTED.items() if mark.search(body)}
    for kind in ("css_files", "script_files"):
        context[kind] = [file for file in context[kind] if is_kept(file, wanted)]
    context["body"] = THEBE.sub("", body)
    context["hb_sheet"], context["hb_script"] = f"_static/{SHEET}", f"_static/{SCRIPT}"


def is_kept(file: Any, wanted: set[str]) -> bool:
    """Whether a page links the file, or holds the inline script, by itself."""
    name = name_of(file)
    if not name:
        body = str(getattr(file, "attributes", {}).get("body"))
        return not SETTINGS.match(body) or ("toggle" in body and "togglebutton.js" in wanted)
    return name in wanted or name not in {*UNUSED, *LINKED["sheets"], *LINKED["scripts"]}


def write_files(app: Sphinx, error: Exception | None) -> None:
    """Make the style sheet and the script of the book, after all pages are written."""
    if error or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    scripts = [name for name in LINKED["scripts"] if name not in UNUSED and name not in WANTED]
    scripts += THEME_SCRIPTS
    texts = [(static / name).read_text(encoding="utf-8") for name in scripts]
    joined = "\n".join(re.sub(r"//# sourceMappingURL=\S+", "", text) + ";" for text in texts)
    (static / SCRIPT).write_text(joined, encoding="utf-8")
    words = words_of(Path(app.outdir)) | set(re.findall(r"[\w-]+", joined))
    sheets = [*THEME_SHEETS, *(name for name in LINKED["sheets"] if name not in UNUSED)]
    (static / SHEET).write_text(style_sheet(static, sheets, words), encoding="utf-8")


def words_of(site: Path) -> set[str]:
    """Classes and identifiers of all pages, and every word of the scripts that pages load."""
    words: set[str] = set()
    for path in site.rglob("*.html"):
        text = path.read_text(encoding="utf-8") if "_static" not in path.parts else ""
        for names in set(re.findall(r'(?:class|id)="([^"]*)"', text)):
            words.update(names.split())
    static = site / "_static"
    for path in [*static.glob("*.js"), *static.glob("*.mjs"), *static.glob("widgets/*.mjs")]:
        words.update(re.findall(r"[\w-]+", path.read_text(encoding="utf-8")))
    return words


def style_sheet(static: Path, sheets: list[str], words: set[str]) -> str:
    """The sheets as one, without rules for a class or identifier that is not among `words`."""
    entry = static / "styles" / "entry.css"
    entry.write_text("".join(f'@import "../{name}";\n' for name in sheets), "utf-8")
    try:
        names = set(re.findall(r"[.#](-?[A-Za-z_][\w-]*)", lightningcss.bundle_css(str(entry))))
        text = lightningcss.bundle_css(str(entry), unused_symbols=names - words)
    finally:
        entry.unlink()
    # Other sheets lie in _static itself, this one in styles.
    text = re.sub(r"url\(\"?(?![\"/.]|data:)", "url(../", text)
    icons = {int(code, 16) for code in re.findall(r"\\(f[0-9a-f]{3}|e[0-9a-f]{3})\b", text)}
    icons |= {ord(letter) for letter in text if "\ue000" <= letter <= "\uf8ff"}
    return FACE.sub(lambda found: face(found, static, icons, words), text)


def face(found: re.Match[str], static: Path, icons: set[int], words: set[str]) -> str:
    """The @font-face rule with a font of the used icons inside, or nothing."""
    rule, path, kind = found[0], found[1], found[2]
    if kind in RARE_FACES and RARE_FACES[kind] not in words:
        return ""
    font = TTFont(static / path, recalcTimestamp=False)
    options = subset.Options(flavor="woff2", layout_features=[], notdef_outline=False)
    maker = subset.Subsetter(options)
    maker.populate(unicodes=icons)
    maker.subset(font)
    file = io.BytesIO()
    font.flavor = "woff2"
    font.save(file)
    data = base64.b64encode(file.getvalue()).decode()
    return re.sub(r"src:[^;}]*", f"src:url(data:font/woff2;base64,{data})", rule)


def setup(app: Sphinx) -> dict[str, bool]:
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # it reports each table to the log
    app.connect("builder-inited", remember_files, priority=999)
    app.connect("html-page-context", link_own_files, priority=999)
    app.connect("build-finished", write_files, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
