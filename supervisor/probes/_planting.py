"""Faults planted into records by a seed: what vendors get wrong, at known places.

Every fault stands alone: `CLEAR_BARS` bars of its symbol around it carry no other, so that a rule's hit can be said to
be this one's. The records around are as they were delivered.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

DAY_NS: Final = 86_400_000_000_000
CLEAR_BARS: Final = 60
MOST_EACH: Final = 40
STALE_BARS: Final = 15
PRICES: Final = ("open", "high", "low", "close", "adj_close")


@dataclass(frozen=True)
class Fault:
    """One fault: rows `first` to `last` (inclusive) of the symbol's own bars carry it, or lie around it."""

    kind: str
    symbol: str
    first: int
    last: int


@dataclass(frozen=True)
class Planted:
    """Records with faults, the faults, and the bars of each symbol before anything was planted (ns UTC)."""

    records: pl.DataFrame
    faults: tuple[Fault, ...]
    bars: Mapping[str, np.ndarray[tuple[int], np.dtype[np.int64]]]


Bars = dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]


def plant(records: pl.DataFrame, seed: int, most_each: int = MOST_EACH) -> Planted:
    """The records with up to `most_each` faults of each kind that the data can carry. `records` as RecordsSchema; of
    restated bars the latest statement is taken."""
    rng = np.random.Generator(np.random.PCG64(seed))
    latest = records.sort("symbol", "event_time", "available_at").unique(
        ["symbol", "event_time"], keep="last", maintain_order=True
    )
    parts = {str(symbol): part for (symbol,), part in latest.group_by("symbol", maintain_order=True)}
    places = _places(rng, {s: p.height for s, p in parts.items()})
    kinds = [k for k in KINDS if _carries(latest, k)]
    faults: list[Fault] = []
    for at, (symbol, row) in enumerate(places[: most_each * len(kinds)]):
        kind = kinds[at % len(kinds)]
        faults.append(Fault(kind, symbol, row, row + _LENGTH.get(kind, 1) - 1))
    changed = [_with_faults(part, [f for f in faults if f.symbol == s], rng) for s, part in parts.items()]
    bars = {s: p["event_time"].to_physical().to_numpy() for s, p in parts.items()}
    return Planted(pl.concat(changed), tuple(faults), bars)


def _places(rng: np.random.Generator, bars: Mapping[str, int]) -> list[tuple[str, int]]:
    """Rows far from each other and from both ends of their symbol, in random order."""
    found = []
    for symbol, count in bars.items():
        offset = int(rng.integers(0, CLEAR_BARS))
        found += [(symbol, row) for row in range(2 * CLEAR_BARS + offset, count - 2 * CLEAR_BARS, 2 * CLEAR_BARS)]
    order = rng.permutation(len(found))
    return [found[i] for i in order]


def _carries(records: pl.DataFrame, kind: str) -> bool:
    """Whether the data have what the fault is made of; weekends are closed only where no bar stands on one."""
    if kind == "crossed":
        return not records.select(pl.any_horizontal(pl.col("high", "low").is_null().all())).item()
    if kind == "negative_volume":
        return bool(records["volume"].is_not_null().any())
    if kind == "weekend":
        daily = bool((records["event_time"].to_physical() % DAY_NS == 0).all())
        return daily and not bool((records["event_time"].dt.weekday() >= 6).any())
    return True


def _with_faults(part: pl.DataFrame, faults: list[Fault], rng: np.random.Generator) -> pl.DataFrame:
    columns: Bars = {n: part[n].cast(pl.Float64).to_numpy().copy() for n in (*PRICES, "volume") if n in part.columns}
    keep = np.ones(part.height, dtype=np.bool_)
    extra: list[pl.DataFrame] = []
    for fault in faults:
        rows = slice(fault.first, fault.last + 1)
        if fault.kind == "gap":
            keep[rows] = False
        elif fault.kind == "weekend":
            extra.append(_on_a_weekend(part, fault.first))
        else:
            KINDS[fault.kind](columns, rows, rng)
    made = part.with_columns(pl.Series(n, v).fill_nan(None) for n, v in columns.items()).filter(pl.Series(keep))
    return pl.concat([made, *extra]) if extra else made


def _on_a_weekend(part: pl.DataFrame, row: int) -> pl.DataFrame:
    """The bar again, on the Saturday that follows it."""
    bar = part.slice(row, 1)
    days = 6 - int(bar["event_time"].dt.weekday().item())
    later = pl.duration(days=days, time_unit="ns")
    return bar.with_columns(pl.col("event_time", "available_at") + later)


def _spike(columns: Bars, rows: slice, rng: np.random.Generator) -> None:
    """One bar whose prices are off by 20 % to 170 %, up or down, and back at the next."""
    factor = float(np.exp(rng.uniform(np.log(1.2), np.log(2.7)) * rng.choice([-1.0, 1.0])))
    _scale(columns, rows, factor)


def _level_shift(columns: Bars, rows: slice, rng: np.random.Generator) -> None:
    """Prices of another scale for half a window, as where a split is booked late."""
    _scale(columns, slice(rows.start, rows.start + CLEAR_BARS // 2), float(rng.choice([0.5, 2.0, 3.0])))


def _stale(columns: Bars, rows: slice, rng: np.random.Generator) -> None:
    """The close of the bar before, again and again."""
    for name in PRICES:
        if name in columns:
            columns[name][rows] = columns["adj_close" if name == "adj_close" else "close"][rows.start - 1]


def _zero_price(columns: Bars, rows: slice, rng: np.random.Generator) -> None:
    """A close of nothing."""
    columns["close"][rows] = 0.0


def _crossed(columns: Bars, rows: slice, rng: np.random.Generator) -> None:
    """A close above the high by 1 % to 5 %."""
    columns["high"][rows] = columns["close"][rows] / (1.0 + rng.uniform(0.01, 0.05))


def _negative_volume(columns: Bars, rows: slice, rng: np.random.Generator) -> None:
    """A volume below zero."""
    columns["volume"][rows] = -np.abs(columns["volume"][rows]) - 1.0


def _elsewhere(columns: Bars, rows: slice, rng: np.random.Generator) -> None:
    """Rows are taken away or added, not changed."""


def _scale(columns: Bars, rows: slice, factor: float) -> None:
    for name in PRICES:
        if name in columns:
            columns[name][rows] *= factor


KINDS: Final[Mapping[str, Callable[[Bars, slice, np.random.Generator], None]]] = {
    "spike": _spike,
    "stale": _stale,
    "gap": _elsewhere,
    "zero_price": _zero_price,
    "level_shift": _level_shift,
    "crossed": _crossed,
    "negative_volume": _negative_volume,
    "weekend": _elsewhere,
}
_LENGTH: Final = {"stale": STALE_BARS, "gap": 3, "weekend": 6}
