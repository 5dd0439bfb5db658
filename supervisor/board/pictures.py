"""Which pictures the board has. A picture with nothing to show is not there, its place says so in words."""

from __future__ import annotations

from collections.abc import Sequence

from harness.report.text import number, percent
from harness.report.theme import BANDS
from supervisor.board.board import Board
from supervisor.board.drawing import WIDE, Axes, Band, Line, Stem, day
from supervisor.board.facts import Curve

STEMS = 80
"""Verdicts in the picture of differences."""


def pictures(board: Board) -> dict[str, str]:
    """Picture by name, as SVG; only those that have something to show."""
    drawn = {
        "verdicts": differences(board),
        "acceptance": acceptance(board),
        "budget": budget(board),
        "levels": levels(board),
        "gains": gains(board),
        "costs": costs(board),
    }
    return {name: svg for name, svg in drawn.items() if svg}


def differences(board: Board) -> str:
    """The newest verdicts: difference and lower bound, in order."""
    rows = [v for v in reversed(board.verdicts[:STEMS]) if v.delta is not None]
    if not rows:
        return ""
    stems = [
        Stem(
            x=v.place,
            y=v.delta or 0.0,
            end=v.lower_bound if v.lower_bound is not None else v.delta or 0.0,
            kind="shipped" if v.shipped else "refused",
            title=f"{v.module} {v.change}: {'SHIP' if v.shipped else v.reason}, "
            f"{number(v.delta, 3, signed=True)}, at least {number(v.lower_bound, 3, signed=True)}",
        )
        for v in rows
    ]
    heights = [0.0, *(s.y for s in stems), *(s.end for s in stems)]
    axes = Axes(
        f"Differences of the newest {len(rows)} verdicts in Sharpe ratio a year, with their lower bounds",
        (stems[0].x - 0.5, stems[-1].x + 0.5),
        (min(heights), max(heights)),
        x_text=_place,
        y_text=_signed,
        whole=True,
    )
    return axes.level(0.0, "zero").stems(stems).svg()


def acceptance(board: Board) -> str:
    """Share of the verdicts that shipped so far, with its interval, beside the published one."""
    rate, low, high = board.curves.rate, board.curves.low, board.curves.high
    if not rate.x:
        return ""
    published = board.acceptance.published
    axes = Axes(
        f"Share of verdicts that shipped, over {rate.x[-1]} verdicts, with a 95 % interval; {percent(published, 0)} "
        "is what a published desk accepted",
        (rate.x[0], rate.x[-1]),
        (0.0, 1.0),
        x_text=_place,
        y_text=lambda y: percent(y, 0),
        whole=True,
    )
    axes.band(Band(rate.x, low.y, high.y)).level(published, "published")
    return axes.line(Line(rate.x, rate.y, "net")).svg()


def budget(board: Board) -> str:
    """The levels spent, below what the rate allows."""
    spent, allowed = board.curves.spent, board.curves.allowed
    if not spent.x:
        return ""
    axes = Axes(
        f"Levels spent over {spent.x[-1]} trials, and what the false-discovery rate allows",
        (spent.x[0], spent.x[-1]),
        (0.0, max(*spent.y, *allowed.y)),
        x_text=_place,
        y_text=_small,
        whole=True,
    )
    return axes.line(Line(allowed.x, allowed.y, "allowed", steps=True)).line(Line(spent.x, spent.y, "net")).svg()


def levels(board: Board) -> str:
    """The level that the stream asked of each trial."""
    asked = board.curves.levels
    if not asked.x:
        return ""
    axes = Axes(
        f"Level at which each of {asked.x[-1]} trials was tested",
        (asked.x[0], asked.x[-1]),
        (0.0, max(asked.y)),
        x_text=_place,
        y_text=_small,
        whole=True,
    )
    return axes.line(Line(asked.x, asked.y, "net", steps=True)).svg()


def gains(board: Board) -> str:
    """Merged differences summed a module, over time."""
    lines = board.curves.gains
    if not lines:
        return ""
    first = min(line.x[0] for line in lines)
    heights = [0.0, *(y for line in lines for y in line.y)]
    axes = Axes(
        "Differences of merged patches in Sharpe ratio a year, summed by module, over time",
        (first, max(board.last_ns, first + 1)),
        (min(heights), max(heights)),
        x_text=day,
        y_text=_signed,
        width=WIDE,
    )
    axes.level(0.0, "zero")
    for line, colour in zip(lines, colours(lines), strict=True):
        # From the merge on: up from nothing, and level until now.
        axes.line(Line((line.x[0], *line.x, board.last_ns), (0.0, *line.y, line.y[-1]), colour, steps=True))
    return axes.svg()


def colours(lines: Sequence[Curve]) -> list[str]:
    """A class a line, in order; beyond the palette they come again."""
    return [BANDS[at % len(BANDS)] for at in range(len(lines))]


def costs(board: Board) -> str:
    """Dollars paid to models so far."""
    paid = board.curves.costs
    if not paid.x:
        return ""
    axes = Axes(
        f"Paid to models so far: {number(paid.y[-1], 2)} dollars",
        (paid.x[0], max(board.last_ns, paid.x[0] + 1)),
        (0.0, paid.y[-1]),
        x_text=day,
        y_text=lambda y: f"${_small(y)}",
    )
    return axes.line(Line((*paid.x, board.last_ns), (*paid.y, paid.y[-1]), "net", steps=True)).svg()


def _place(x: float) -> str:
    return f"{x:,.0f}"


def _small(y: float) -> str:
    return f"{y:.4g}"


def _signed(y: float) -> str:
    return f"{y:+.3g}".replace("-", "\u2212") if y else "0"
