"""The board's pictures: SVG written directly, because the page is made anew whenever the ledger grows.

Colours and widths are classes of the page's style, so that dark mode and the content security policy hold: nothing here
writes a style attribute. Every text is escaped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from math import ceil, floor, isfinite, log10

WIDTH, HEIGHT = 520, 230
WIDE = 1060
"""Of a picture that stands alone."""

LEFT, RIGHT, TOP, BOTTOM = 54, 12, 12, 26
TICKS = 4


@dataclass(frozen=True)
class Line:
    """One line; `kind` names its classes in the style, `steps` draws it as a staircase."""

    x: Sequence[float]
    y: Sequence[float]
    kind: str
    steps: bool = False


@dataclass(frozen=True)
class Band:
    """The area between two lines over the same `x`."""

    x: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


@dataclass(frozen=True)
class Stem:
    """A value with the end of its interval, at a place; `title` is shown on hovering."""

    x: float
    y: float
    end: float
    kind: str
    title: str


class Axes:
    """A frame in data units. Draw into it, then ask for the picture."""

    def __init__(
        self,
        alt: str,
        x: tuple[float, float],
        y: tuple[float, float],
        *,
        x_text: Callable[[float], str],
        y_text: Callable[[float], str],
        whole: bool = False,
        width: int = WIDTH,
    ) -> None:
        self._width = width
        self._alt = alt
        self._x = (x[0], x[1]) if x[1] > x[0] else (x[0] - 0.5, x[0] + 0.5)
        ticks = nice(*y)
        self._y = (min(y[0], ticks[0]), max(y[1], ticks[-1]))
        self._parts: list[str] = []
        for tick in ticks:
            at = self.down(tick)
            self._parts.append(f'<line class="grid" x1="{LEFT}" x2="{self._width - RIGHT}" y1="{at}" y2="{at}"/>')
            self._parts.append(
                f'<text class="tick" x="{LEFT - 7}" y="{at + 4:.1f}" text-anchor="end">{y_text(tick)}</text>'
            )
        self._label_x(x_text, whole)

    def _label_x(self, x_text: Callable[[float], str], whole: bool) -> None:
        low, high = self._x
        places = (
            [low, (low + high) / 2, high] if not whole else sorted({ceil(low), round((low + high) / 2), floor(high)})
        )
        for at, place in enumerate(places):
            anchor = "middle" if len(places) == 1 else ("start", "middle", "end")[at if len(places) == 3 else 2 * at]
            words = escape(x_text(place))
            self._parts.append(
                f'<text class="tick" x="{self.across(place)}" y="{HEIGHT - 7}" text-anchor="{anchor}">{words}</text>'
            )

    def across(self, x: float) -> float:
        """Data to picture."""
        low, high = self._x
        return round(LEFT + (x - low) / (high - low) * (self._width - LEFT - RIGHT), 1)

    def down(self, y: float) -> float:
        """Data to picture."""
        low, high = self._y
        return round(HEIGHT - BOTTOM - (y - low) / (high - low) * (HEIGHT - TOP - BOTTOM), 1)

    def band(self, band: Band) -> Axes:
        """An area."""
        if len(band.x) > 1:
            forth = [f"{self.across(x)},{self.down(y)}" for x, y in zip(band.x, band.high, strict=True)]
            back = [f"{self.across(x)},{self.down(y)}" for x, y in zip(band.x, band.low, strict=True)]
            self._parts.append(f'<polygon class="band" points="{" ".join(forth + back[::-1])}"/>')
        return self

    def line(self, line: Line) -> Axes:
        """A line; of a single point a dot."""
        if len(line.x) == 1:
            at = f'cx="{self.across(line.x[0])}" cy="{self.down(line.y[0])}"'
            self._parts.append(f'<circle class="dot {line.kind}" {at} r="3.5"/>')
        points = [(self.across(x), self.down(y)) for x, y in zip(line.x, line.y, strict=True)]
        if line.steps:
            points = [
                p for at, here in enumerate(points) for p in (((here[0], points[at - 1][1]), here) if at else (here,))
            ]
        drawn = " ".join(f"{x},{y}" for x, y in points)
        if len(line.x) > 1:
            self._parts.append(f'<polyline class="line {line.kind}" points="{drawn}"/>')
        return self

    def level(self, y: float, kind: str) -> Axes:
        """A level across the frame."""
        at = self.down(y)
        self._parts.append(f'<line class="level {kind}" x1="{LEFT}" x2="{self._width - RIGHT}" y1="{at}" y2="{at}"/>')
        return self

    def stems(self, stems: Iterable[Stem]) -> Axes:
        """Values with one end of their interval: filled where it shipped, hollow where it did not."""
        for stem in stems:
            x, y, end = self.across(stem.x), self.down(stem.y), self.down(stem.end)
            self._parts.append(
                f'<g class="stem {stem.kind}"><title>{escape(stem.title)}</title>'
                f'<line x1="{x}" x2="{x}" y1="{y}" y2="{end}"/><circle cx="{x}" cy="{y}" r="3.4"/></g>'
            )
        return self

    def svg(self) -> str:
        """The picture."""
        head = f'<svg role="img" viewBox="0 0 {self._width} {HEIGHT}" aria-label="{escape(self._alt)}">'
        return f"{head}{''.join(self._parts)}</svg>"


def nice(low: float, high: float, count: int = TICKS) -> list[float]:
    """About `count` round values that enclose `low` to `high`."""
    if not (isfinite(low) and isfinite(high)):
        return [0.0, 1.0]
    if high <= low:
        low, high = low - 0.5 * (abs(low) or 1.0), high + 0.5 * (abs(high) or 1.0)
    rough = (high - low) / count
    size = 10.0 ** floor(log10(rough))
    step = next(s * size for s in (1.0, 2.0, 2.5, 5.0, 10.0) if s * size >= rough * (1 - 1e-9))
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return [round(k * step, 12) for k in range(first, last + 1)]


def day(ns: float) -> str:
    """A time as a label."""
    return datetime.fromtimestamp(ns / 1e9, tz=UTC).strftime("%Y-%m-%d")
