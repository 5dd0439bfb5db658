"""How pictures are drawn in every report: one style, thinned lines, PNG files and SVG inside the page."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from harness.report.theme import LIGHT, themed
from modules.panel import FloatArray, IntArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS = 500
"""Buckets a line is thinned to; each keeps its lowest and highest value, so no spike is lost."""
DPI = 144

_STYLE: dict[str, object] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "axes.edgecolor": LIGHT["grid"],
    "axes.labelcolor": LIGHT["muted"],
    "axes.titlecolor": LIGHT["ink"],
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.facecolor": LIGHT["paper"],
    "figure.facecolor": LIGHT["paper"],
    "grid.color": LIGHT["grid"],
    "grid.linewidth": 0.8,
    "text.color": LIGHT["ink"],
    "text.parse_math": False,  # a name with a dollar sign is a name
    "xtick.color": LIGHT["muted"],
    "ytick.color": LIGHT["muted"],
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.2,
    "lines.solid_capstyle": "round",
    "svg.fonttype": "none",
    "svg.hashsalt": "cws",
    "path.simplify": True,
}


@dataclass(frozen=True)
class Chart:
    """One picture: a file name, what it shows for those who cannot see it, and how to draw it.

    `inline`: it stands in the page; a heat map does not, where a table says the same in text.
    """

    name: str
    alt: str
    draw: Callable[[], Figure]
    inline: bool = True


def render(chart: Chart) -> tuple[bytes, str]:
    """`(png, svg)`: the same bytes on every call; the SVG takes its colours from the page, empty where not inline."""
    return render_png(chart), render_svg(chart)


def render_png(chart: Chart) -> bytes:
    """The picture as a file. Most of the time of a report goes here."""
    with _style():
        png = io.BytesIO()
        chart.draw().savefig(png, format="png", dpi=DPI, metadata={"Software": None})
    return png.getvalue()


def render_svg(chart: Chart) -> str:
    """The picture as a part of the page; empty where it does not stand in one."""
    if not chart.inline:
        return ""
    with _style():
        svg = io.StringIO()
        none = ("Date", "Creator", "Format", "Type")
        chart.draw().savefig(svg, format="svg", transparent=True, metadata=dict.fromkeys(none))
    return _inline(svg.getvalue(), chart)


@contextmanager
def _style() -> Iterator[None]:
    import matplotlib

    with matplotlib.rc_context(_STYLE):  # type: ignore[arg-type]
        yield


def _inline(svg: str, chart: Chart) -> str:
    """Only the element, ids made unique to the chart, sized by the page, colours by its variables."""
    body = svg[svg.index("<svg") :]
    body = _numbered(re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.S))
    body = re.sub(r'\bid="', f'id="{chart.name}-', body)
    body = re.sub(r"url\(#", f"url(#{chart.name}-", body)
    body = re.sub(r'href="#', f'href="#{chart.name}-', body)
    body = re.sub(r'<svg ([^>]*?)width="[^"]*"', r"<svg \1", body, count=1)
    body = re.sub(r'(<svg [^>]*?)height="[^"]*"', r"\1", body, count=1)
    return themed(body.replace("<svg ", f'<svg role="img" aria-label="{chart.alt}" ', 1))


def _numbered(body: str) -> str:
    """Clips and markers named by their order: their own names are hashes of coordinates to the last bit, and the layout
    is solved in an order that changes it now and then, far below what is drawn."""
    names = dict.fromkeys(re.findall(r'\bid="([a-z][0-9a-f]{10})"', body))
    numbers = {name: f"{name[0]}{number}" for number, name in enumerate(names)}
    return re.sub(r'(\bid="|url\(#|href="#)([a-z][0-9a-f]{10})\b', lambda m: m[1] + numbers.get(m[2], m[2]), body)


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def dates(ts: IntArray) -> np.ndarray[tuple[int], np.dtype[np.datetime64]]:
    """Times for an axis."""
    return ts.astype("datetime64[ns]").astype("datetime64[s]")


def thin(ts: IntArray, values: FloatArray, buckets: int = POINTS) -> tuple[IntArray, FloatArray]:
    """At most two points a bucket, its lowest and its highest, in time order."""
    if values.size <= 2 * buckets:
        return ts, values
    edges = np.linspace(0, values.size, buckets + 1).astype(np.int64)
    keep = {0, values.size - 1}
    for lo, hi in pairwise(edges):
        part = values[lo:hi]
        if not np.isnan(part).all():
            keep |= {int(lo + np.nanargmin(part)), int(lo + np.nanargmax(part))}
    rows = np.array(sorted(keep))
    return ts[rows], values[rows]


def rolling_window(bars: int, per_year: float) -> int:
    """A year of bars, or a quarter of what there is where that is less; at least 1."""
    return max(1, min(round(per_year), bars // 4))


def instead(figure: Figure, axes: Axes, words: str) -> Figure:
    """Words where there is nothing to draw: empty axes would show dates and values that nobody measured."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, words, ha="center", va="center", color=LIGHT["muted"], transform=axes.transAxes)
    return figure


def sparse_years(axes: Axes) -> None:
    """Few and short labels of time."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
