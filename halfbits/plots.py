"""One house style for the course's figures: color-blind safe, readable on light and dark pages."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito (2008), in an order whose neighbors also differ in lightness.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
# The figure keeps its own light ground, so that a dark page does not swallow its axes.
STYLE: dict[str, Any] = {
    "axes.edgecolor": "#555555",
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": "medium",
    "figure.constrained_layout.use": True,
    "figure.facecolor": "#ffffff",
    "font.size": 10,
    "grid.color": "#e3e3e3",
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
}


def figure(
    rows: int = 1, columns: int = 1, *, height: float = 3.2, width: float = 7.0, **options: Any
) -> tuple[Figure, Any]:
    """A figure in the house style and its axes; `height` and `width` in inches.

    `options` go to `matplotlib.pyplot.subplots`. The figure is not registered with pyplot's
    inline display: pass it to `show`.
    """
    import matplotlib as mpl
    from cycler import cycler
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    cycle = cycler(color=COLORS) + cycler(marker=MARKERS)
    style: Any = {**STYLE, "axes.prop_cycle": cycle}
    with mpl.rc_context(style):
        made = Figure(figsize=(width, height))
        FigureCanvasAgg(made)
        axes = made.subplots(rows, columns, **options)
    return made, axes


def label_ends(axes: Axes) -> None:
    """Write each line's label at its right end: a legend makes the eye travel."""
    for line in axes.get_lines():
        name = str(line.get_label())
        if not name.startswith("_"):
            x, y = np.asarray(line.get_xydata())[-1]
            axes.annotate(
                name,
                (x, y),
                xytext=(5, 0),
                textcoords="offset points",
                color=line.get_color(),
                va="center",
                fontsize="small",
            )


def show(made: Figure, alt: str) -> None:
    """Display `made`; `alt` says in one or two sentences what a person sees in it.

    Raises ValueError when `alt` is shorter than a sentence.
    """
    from IPython.display import Image, display

    if len(alt.split()) < 6:
        raise ValueError(f"the text alternative {alt!r} says too little; write a sentence")
    display(Image(data=png(made), format="png", width=int(made.get_figwidth() * 100), alt=alt))


def png(made: Figure) -> bytes:
    """`made` as PNG at twice the screen's resolution, without a date or a version in it."""
    buffer = io.BytesIO()
    made.savefig(buffer, format="png", dpi=200, metadata={"Software": None})
    return _fewer_colors(buffer.getvalue())


def _fewer_colors(data: bytes) -> bytes:
    # A chart has few colors: a palette makes the file about a third, with no visible change.
    from PIL import Image

    buffer = io.BytesIO()
    image = Image.open(io.BytesIO(data)).convert("RGB")
    image.quantize(128, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
        buffer, format="png", optimize=True
    )
    return buffer.getvalue()
