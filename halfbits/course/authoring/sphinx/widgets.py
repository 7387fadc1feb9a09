"""The directive `{widget} <component>`: an interactive figure; a table where no script runs.

Options set its state (`:format: fp16`); `:data:` names a record below book/ that it shows. Several
on a page get different names in the page's address. The loader is added to pages that need it.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from halfbits.figures import bundle, markup
from halfbits.figures.records import page_data

# What the components' states are called.
STATES = (
    *("value", "format", "second", "bits"),
    *("source", "scaling", "axis", "spread"),
    *("series", "added", "length"),
    *("machine", "model", "phase", "batch", "context", "weights", "cache", "arithmetic"),
    *("bandwidth", "peak", "memory"),
    *("kind", "granularity", "clip", "row", "planted", "smooth", "alpha", "rotate"),
    *("group", "pareto"),
)


class Widget(SphinxDirective):
    """Render a component with its stand-in."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = dict.fromkeys((*STATES, "data"), directives.unchanged)

    def run(self) -> list[nodes.Node]:
        name, state = self.arguments[0], dict(self.options)
        if name not in bundle.COMPONENTS:
            raise self.error(f"unknown component {name!r}; known: {', '.join(bundle.COMPONENTS)}")
        data = page_data(name)
        if record := state.pop("data", None):
            path = Path(self.env.srcdir) / "book" / record
            self.env.note_dependency(str(path))
            data = json.loads(path.read_text(encoding="utf-8"))
        html = markup.element(name, state, data, self._identifier(name))
        return [nodes.raw("", html, format="html")]

    def _identifier(self, name: str) -> str:
        used = self.env.temp_data.setdefault("hb_widgets", {})
        used[name] = used.get(name, 0) + 1
        return name if used[name] == 1 else f"{name}-{used[name]}"


def add_loader(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """Add the loader to a page that holds a component."""
    if "<hb-" in context.get("body", ""):
        app.add_js_file("widgets/load.mjs", type="module")
        app.add_css_file("widgets/style.css")


def write_modules(app: Sphinx, error: Exception | None) -> None:
    """One file for each component, so that it takes one request."""
    if error or app.builder.format != "html":
        return
    folder = Path(app.outdir) / "_static" / "widgets"
    folder.mkdir(parents=True, exist_ok=True)
    for name in bundle.COMPONENTS:
        (folder / f"{name}.mjs").write_text(bundle.bundled(name), encoding="utf-8")
    for name in ("load.mjs", "style.css"):
        shutil.copyfile(bundle.FOLDER / name, folder / name)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("widget", Widget)
    app.connect("html-page-context", add_loader)
    app.connect("build-finished", write_modules)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
