"""Numbers as text, and the pieces of a page that more than one report is made of."""

from __future__ import annotations

import math
from dataclasses import dataclass

DASH = "\u2013"
MINUS = "\u2212"


@dataclass(frozen=True)
class Tile:
    """One headline figure; `tone` is `good`, `bad` or empty."""

    label: str
    value: str
    note: str = ""
    tone: str = ""


@dataclass(frozen=True)
class Cell:
    """One cell of the heat map: its text, and how strongly (0 to 100) to colour it in which tone."""

    text: str
    strength: int
    tone: str


def number(value: float | None, digits: int = 2, unit: str = "", signed: bool = False) -> str:
    """A figure for reading: a true minus sign, thousands, a dash where there is none."""
    if value is None or not math.isfinite(value):
        return DASH
    text = f"{abs(value):,.{digits}f}{unit}"
    rounded_zero = float(f"{abs(value):.{digits}f}") == 0.0
    if value < 0 and not rounded_zero:
        return MINUS + text
    return ("+" if signed and not rounded_zero else "") + text


def figure(value: float | None) -> str:
    """A figure of unknown unit: whole numbers whole, others with four significant digits."""
    if value is None or not math.isfinite(value):
        return DASH
    if value == int(value):
        return number(value, 0)
    if abs(value) < 1e-6:
        return f"{value:.1e}".replace("-", MINUS)
    digits = max(0, 3 - math.floor(math.log10(abs(value))))
    return number(value, digits)


def percent(value: float | None, digits: int = 1, signed: bool = False) -> str:
    """A fraction as percent."""
    return number(None if value is None else value * 100, digits, " %", signed)


def money(value: float | None) -> str:
    """An amount for reading, three digits: 1.23 m, 45.6 k; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return DASH
    for size, name in ((1e12, " tn"), (1e9, " bn"), (1e6, " m"), (1e3, " k")):
        if value >= size * 0.9995:
            return f"{value / size:.3g}{name}"
    return f"{value:.3g}"


def tone(value: float | None) -> str:
    """`good` above zero, `bad` below, empty at zero and where there is none."""
    if value is None or value == 0:
        return ""
    return "good" if value > 0 else "bad"


def heat_cell(value: float, text: str, scale: float) -> Cell:
    """A cell of a heat map, full at `scale`; empty where there is no value."""
    if not math.isfinite(value):
        return Cell("", 0, "")
    strength = round(min(abs(value) / scale, 1.0) * 62)
    return Cell(text, strength, "gain" if value > 0 else "loss")


@dataclass(frozen=True)
class Toned:
    """A cell with a tone, `good` or `bad`."""

    text: str
    tone: str


@dataclass(frozen=True)
class Table:
    """A table of text; the first column names the row. `caption` says how to read it."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str | Toned, ...], ...]
    caption: str = ""


@dataclass(frozen=True)
class Heat:
    """A table of coloured cells."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    caption: str = ""


def toned(value: float | None, text: str) -> str | Toned:
    """The text with the tone of its value."""
    return Toned(text, tone(value)) if tone(value) else text


def probability(value: float | None, bound: str = "") -> str:
    """A p-value: three digits, or that it is smaller than they show."""
    if value is None or not math.isfinite(value):
        return DASH
    if value < 0.001 and not bound:
        return "< 0.001"
    return f"{bound} {value:.3f}".strip()
