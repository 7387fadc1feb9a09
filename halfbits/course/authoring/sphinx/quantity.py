"""The role `quantity`: a named quantity of halfbits.quantities as every page prints it.

`` {quantity}`decode_8b_h100_int4` `` becomes 720. A page whose numbers changed is read again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxRole

from halfbits.quantities import quantities, quantity

Printed = dict[str, dict[str, str]]  # page -> name -> what was printed


class QuantityRole(SphinxRole):
    """The number, in an element of its own."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        try:
            known = quantity(self.text)
        except KeyError as error:
            said = self.inliner.reporter.error(str(error.args[0]), line=self.lineno)
            return [], [said]
        printed(self.env).setdefault(self.env.docname, {})[known.name] = known.text
        return [nodes.inline(self.rawtext, known.text, classes=["hb-quantity"])], []


def printed(env: BuildEnvironment) -> Printed:
    """What each page printed."""
    if not hasattr(env, "halfbits_quantities"):
        env.halfbits_quantities = {}  # type: ignore[attr-defined]
    return env.halfbits_quantities  # type: ignore[attr-defined]


def changed_pages(app: Sphinx, env: BuildEnvironment, *_: Any) -> list[str]:
    """The pages on which a quantity is no longer what they printed."""
    now = {name: known.text for name, known in quantities().items()}
    return [
        page
        for page, texts in printed(env).items()
        if any(now.get(name) != text for name, text in texts.items())
    ]


def forget(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    printed(env).pop(docname, None)


def merge(
    app: Sphinx, env: BuildEnvironment, pages: Iterable[str], other: BuildEnvironment
) -> None:
    printed(env).update({page: printed(other)[page] for page in pages if page in printed(other)})


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_role("quantity", QuantityRole())
    app.connect("env-get-outdated", changed_pages)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
