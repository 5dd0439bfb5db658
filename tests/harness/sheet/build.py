"""Seeded markets with gaps, sectors and volume, and the sheets of signals on them."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from harness.sheet import Sheet, make_sheet
from modules.engine.settings import TradingSettings
from modules.panel import Panel, ns
from modules.signal import parse

DAY_NS = 86_400_000_000_000
MINUTE_NS = 60_000_000_000
REVERSAL = "rank(-returns(close, 5))"
SETTINGS = TradingSettings()


def market(
    bars: int = 500,
    symbols: int = 12,
    *,
    volume: bool = True,
    opens: bool = True,
    strength: float = 0.3,
    seed: int = 5,
    step_ns: int = DAY_NS,
) -> Panel:
    """Returns that take back `strength` of the week before. A bar in fifty is missing, the first symbol is listed late
    and the last one goes early."""
    rng = np.random.default_rng(seed)
    moves = rng.normal(0.0, 0.01, (bars, symbols))
    for t in range(8, bars):
        moves[t] -= strength / 5 * moves[t - 6 : t - 1].sum(axis=0)
    close = 50.0 * np.exp(np.cumsum(moves, axis=0)) * (1.0 + np.arange(symbols))
    start = np.empty(close.shape)
    start[1:], start[0] = close[:-1] * np.exp(rng.normal(0.0, 0.003, (bars - 1, symbols))), close[0]
    traded = rng.lognormal(13.0, 0.8, close.shape)
    gone = rng.random(close.shape) < 0.02
    gone[: bars // 5, 0] = True
    gone[-bars // 5 :, -1] = True
    fields = {"close": close} | ({"open": start} if opens else {}) | ({"volume": traded} if volume else {})
    ts = ns("2010-01-04") + np.arange(bars, dtype=np.int64) * step_ns
    named = tuple(f"S{i:02d}.XNAS" for i in range(symbols))
    return Panel(ts, named, {k: np.where(gone, np.nan, v) for k, v in fields.items()})


def instruments(symbols: tuple[str, ...], sectors: tuple[str, ...] = ("Energy", "Banks")) -> pl.DataFrame:
    """Sectors in turn, always valid."""
    rows = [(s, sectors[i % len(sectors)]) for i, s in enumerate(symbols)]
    always = pl.lit(0).cast(pl.Datetime("ns", "UTC"))
    return pl.DataFrame(rows, schema=["symbol", "sector"], orient="row").with_columns(
        pl.lit("XNAS").alias("venue"), pl.lit("USD").alias("currency"), pl.lit("XNAS").alias("calendar"),
        pl.lit(0.01).alias("tick_size"), pl.lit(1.0).alias("lot_size"), always.alias("valid_from"),
        pl.lit(None).cast(pl.Datetime("ns", "UTC")).alias("valid_to"),
    )  # fmt: skip


def sheet_of(panel: Panel, expr: str = REVERSAL, *, quantiles: int = 5, **options: Any) -> Sheet:
    """The sheet of `expr`, from the first bar on."""
    told = options.pop("told", instruments(panel.symbols))
    settings = options.pop("settings", SETTINGS)
    return make_sheet(parse(expr), panel, told, settings, start_ns=int(panel.ts[0]), quantile_count=quantiles)
