"""Interactive figures: the book's web components as JupyterLab widgets, from the same modules.

    from halfbits.figures import BitExplorer, explore
    figure = BitExplorer(value=0.1, format="fp16")
    figure.bits        # "0010111001100110"; flipping a bit in the figure changes it, and back
    explore(tensor)    # a torch, numpy or TensorFlow tensor against the values of a format

Importing this needs anywidget; `halfbits.figures.markup` and `.bundle` do not use it.
"""

from __future__ import annotations

from halfbits.figures.bundle import COMPONENTS

CLASSES = {
    "BitExplorer": "bit-explorer",
    "NumberLine": "number-line",
    "Accumulator": "accumulator",
    "Roofline": "roofline",
    "Quantizer": "quantizer",
    "Outliers": "outliers",
    "PrecisionLadder": "precision-ladder",
}
__all__ = ["CLASSES", "COMPONENTS", "explore", *CLASSES]


def __getattr__(name: str) -> object:
    """Load the classes when the first one is asked for: the book's build needs none."""
    if name == "explore":
        from halfbits.figures.tensors import explore

        return explore
    if name in CLASSES:
        from halfbits.figures import components

        return getattr(components, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
