"""A made-up market for benchmarks: seeded, with OHLCV, of any size."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from modules.contract import TIME
from modules.panel import FloatArray, Panel, ns

DAY_NS = 86_400_000_000_000
SESSION_MINUTES = 390


def make_panel(rows: int, symbols: int, seed: int = 7, start: str = "1999-01-04", minutes: bool = False) -> Panel:
    """Geometric random walks with 2 % daily volatility; `rows` weekdays from `start`, or their minutes of a session."""
    rng = np.random.default_rng(seed)
    length = -(-rows // SESSION_MINUTES) if minutes else rows
    days = np.arange(int(length * 7 / 5) + 7, dtype=np.int64) + ns(start) // DAY_NS
    ts = (days[(days + 3) % 7 < 5] * DAY_NS)[:length]
    scale = 1.0
    if minutes:
        opening = 14 * 60 + 30 + np.arange(SESSION_MINUTES, dtype=np.int64)
        ts = (ts[:, None] + opening * (DAY_NS // 1440)).ravel()[:rows]
        scale = SESSION_MINUTES**-0.5
    close: FloatArray = 50.0 * np.exp(np.cumsum(rng.normal(0.0002 * scale**2, 0.02 * scale, (rows, symbols)), axis=0))
    open_ = close * np.exp(rng.normal(0.0, 0.005 * scale, close.shape))
    high = np.maximum(open_, close) * (1.0 + np.abs(rng.normal(0.0, 0.004 * scale, close.shape)))
    low = np.minimum(open_, close) / (1.0 + np.abs(rng.normal(0.0, 0.004 * scale, close.shape)))
    volume = np.rint(np.exp(rng.normal(14.0, 0.5, close.shape)))
    names = tuple(f"S{i:04d}" for i in range(symbols))
    return Panel(ts, names, {"open": open_, "high": high, "low": low, "close": close, "volume": volume})


def as_long_table(panel: Panel) -> pl.DataFrame:
    """A row per symbol and day, as a vendor would deliver it."""
    rows, symbols = panel.shape
    dates = pl.Series(panel.ts).cast(TIME).dt.date()
    frame = pl.DataFrame(
        {"symbol": list(panel.symbols) * rows, "date": dates.gather(np.repeat(np.arange(rows), symbols))}
    )
    return frame.with_columns(**{k: pl.Series(panel[k].ravel()) for k in ("open", "high", "low", "close", "volume")})


def make_instruments(panel: Panel, sectors: int = 10) -> pl.DataFrame:
    """One row a symbol, spread over sectors."""
    origin = pl.lit(date(1900, 1, 1)).cast(TIME)
    return pl.DataFrame(
        {
            "symbol": list(panel.symbols),
            "venue": "MADE",
            "currency": "USD",
            "calendar": "",
            "sector": [f"sector {i % sectors}" for i in range(len(panel.symbols))],
            "tick_size": 0.01,
            "lot_size": 0.0001,
        }
    ).with_columns(valid_from=origin, valid_to=pl.lit(None, dtype=TIME))
