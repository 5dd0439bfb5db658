"""Bars with holes, the records that they were made of, and a store fed from them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl

from modules.contract import TIME
from modules.featurestore import Built, FeatureStore, Measured, Wanted, build, measured, wanted
from modules.panel import IntArray, Panel
from modules.signal import Node, parse

DAY = 86_400_000_000_000
HOUR = 3_600_000_000_000
FIRST = 10_957 * DAY  # 2000-01-01

SIGNALS: Mapping[str, Node] = {
    "STEP@1": parse("close / delay(close, 1) - 1"),
    "MEAN@1": parse("ts_mean(close, 5) / close"),
    "RANK@1": parse("rank(ts_mean(close, 3))"),
}


def made_bars(rows: int = 60, symbols: int = 3, seed: int = 0, step: int = DAY) -> Panel:
    """Closes with missing cells; one more row or symbol changes none of the others."""
    close = np.empty((rows, symbols))
    for column in range(symbols):
        rng = np.random.default_rng([seed, column])
        walk = 50.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, 100_000)[:rows]))
        close[:, column] = np.where(rng.random(100_000)[:rows] < 0.05, np.nan, walk)
    close[:, 0] = np.where(np.isnan(close[:, 0]), 50.0, close[:, 0])
    ts = FIRST + step * np.arange(rows, dtype=np.int64)
    return Panel(ts, tuple(f"S{i}" for i in range(symbols)), {"close": close})


def made_records(bars: Panel, available: IntArray | None = None, delay: int = 16 * HOUR) -> pl.DataFrame:
    """A record for each close that is there, known `delay` after its label, or as `available` `[T, N]` says."""
    rows, columns = np.nonzero(~np.isnan(bars["close"]))
    times = bars.ts[rows] + delay if available is None else available[rows, columns]
    return pl.DataFrame(
        {
            "symbol": [bars.symbols[c] for c in columns],
            "event_time": pl.Series(bars.ts[rows]).cast(TIME),
            "available_at": pl.Series(times).cast(TIME),
        }
    )


def made(
    bars: Panel | None = None, available: IntArray | None = None, data: str = "mine", version: str = "v" * 64
) -> Measured:
    """Measured bars that end before their lockbox."""
    panel = made_bars() if bars is None else bars
    return measured(data, version, panel, made_records(panel, available), int(panel.ts[-1]) + 1)


def stored(root: Path, of: Measured | None = None, signals: Mapping[str, Node] = SIGNALS) -> tuple[FeatureStore, Built]:
    """A store with some features of `of`."""
    store = FeatureStore(root)
    return store, build(store, made() if of is None else of, signals)


def asked(signals: Mapping[str, Node] = SIGNALS) -> list[Wanted]:
    """What `stored` stored."""
    return [wanted(name, node) for name, node in signals.items()]


def same_bits(panel: Panel, values: Mapping[str, np.ndarray]) -> bool:  # type: ignore[type-arg]
    """Whether the panel holds exactly these fields, to the bit."""
    return set(panel) == set(values) and all(panel[k].tobytes() == v.tobytes() for k, v in values.items())
