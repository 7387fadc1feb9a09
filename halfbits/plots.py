"""One house style for the course's figures: color-blind safe, readable on light and dark pages."""

from __future__ import annotations

import base64
import io
import re
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

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

    The output holds the figure twice: as SVG, whose text is text and which a page can color, and as
    PNG for what shows no SVG, such as JupyterLab in a notebook that it does not trust.
    Raises ValueError when `alt` is shorter than a sentence.
    """
    from IPython.display import display

    if len(alt.split()) < 6:
        raise ValueError(f"the text alternative {alt!r} says too little; write a sentence")
    width = int(made.get_figwidth() * 100)
    data = {"image/png": png(made), "image/svg+xml": svg(made)}
    sizes = {"image/png": {"alt": alt, "width": width}, "image/svg+xml": {"alt": alt}}
    display(data, raw=True, metadata=sizes)


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


SVG = "http://www.w3.org/2000/svg"
LINK = "{http://www.w3.org/1999/xlink}href"
PICTURE = "data:image/png;base64,"
# matplotlib states for every element what is the same for all of them: once, where it is inherited.
INHERITED = "stroke-linejoin: round; stroke-linecap: butt"
FONTS = re.compile(r"'DejaVu Sans'(?:, [^;]*?)?(?=;|$)")


def svg(made: Figure) -> str:
    """`made` as SVG: the same bytes in every run, text as text, two decimals of a point.

    What is drawn with `rasterized=True`, such as a cloud of points, is a picture inside.
    """
    from xml.etree import ElementTree

    import matplotlib as mpl

    buffer = io.BytesIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "halfbits"}):
        made.savefig(buffer, format="svg", dpi=200, metadata={"Date": None, "Creator": None})
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    return ElementTree.tostring(_slim(ElementTree.fromstring(buffer.getvalue())), "unicode")


def _slim(root: Element) -> Element:
    """`root` without what shows nothing: metadata, names that nothing uses, rules for all."""
    used = set(re.findall(r"(?<=#)\w+", " ".join(_links(root))))
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{{{SVG}}}metadata", f"{{{SVG}}}style"):
                parent.remove(child)
    for element in root.iter():
        element.text, element.tail = _stripped(element.text), _stripped(element.tail)
        if element.get("id") not in used:
            element.attrib.pop("id", None)
        # A picture's scale is small: two decimals would be none.
        turned = {"transform"} if element.tag == f"{{{SVG}}}text" else set()
        for key in ({"d", "x", "y"} | turned).intersection(element.keys()):
            element.set(key, _rounded(element.attrib[key]))
        if style := element.get("style"):
            element.set("style", FONTS.sub("sans-serif", style))
        if picture := element.get(LINK, "").partition(PICTURE)[2]:
            element.set(LINK, PICTURE + _light_picture(picture))
    root.set("style", INHERITED)
    return root


def _light_picture(data: str) -> str:
    """A picture inside an SVG with a palette, unless parts of it are transparent; base64."""
    from PIL import Image

    plain = base64.b64decode(data)
    alpha = Image.open(io.BytesIO(plain)).convert("RGBA").getchannel("A")
    opaque = alpha.getextrema() == (255, 255)
    return base64.b64encode(_fewer_colors(plain)).decode() if opaque else data.strip()


def _links(root: Element) -> list[str]:
    return [value for e in root.iter() for value in e.attrib.values() if "#" in value]


def _stripped(text: str | None) -> str | None:
    return text if text and text.strip() else None


def _rounded(numbers: str) -> str:
    """Numbers of a path with two decimals at most; lines end with blanks, as matplotlib's do."""

    def short(found: re.Match[str]) -> str:
        return f"{float(found[0]):.2f}".rstrip("0").rstrip(".")

    return " ".join(re.sub(r"-?\d+\.\d+", short, numbers).split())
