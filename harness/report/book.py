"""What a run held and traded, read from its artifacts: prices, positions as shares of NAV, fills and actions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from modules.groups import dated_labels
from modules.panel import FloatArray, IntArray, Panel

MICROS = 1_000_000.0


@dataclass(frozen=True, eq=False)
class Moves:
    """What changed positions, in order of time, actions of a bar before its fills. Money in the currency.

    `paid` is what the trade cost without fees (negative for a sale); `cash` what an action brought.
    """

    ts: IntArray  # [K]
    symbol: IntArray  # [K] place in the symbols
    lots: FloatArray  # [K] signed change
    paid: FloatArray  # [K]
    fees: FloatArray  # [K] >= 0
    cash: FloatArray  # [K]


@dataclass(frozen=True, eq=False)
class Book:
    """Bars before `start` only warm up; every other array has a row a bar of the account."""

    bars: Panel  # whole, adjusted
    start: int
    ts: IntArray  # [T]
    lots: FloatArray  # [T, N] signed
    value: FloatArray  # [T, N] signed, in the currency
    weight: FloatArray  # [T, N] signed share of NAV
    sector: IntArray  # [T, N] place in `sectors`, -1 where not known
    sectors: tuple[str, ...]
    moves: Moves

    @property
    def symbols(self) -> tuple[str, ...]:
        """N names."""
        return self.bars.symbols

    def returns(self) -> FloatArray:
        """`[T, N]` total return of each symbol over each bar; NaN without both prices."""
        close = self.bars["close"]
        out = np.full(close.shape, np.nan)
        out[1:] = close[1:] / close[:-1] - 1.0
        return out[self.start :]


def read_book(
    bars: Panel,
    positions: Panel,
    instruments: pl.DataFrame,
    fills: pl.DataFrame,
    actions: pl.DataFrame | None,
    nav: FloatArray,
) -> Book:
    """Put positions and prices on one axis; `nav` `[T]` in the currency."""
    assert positions.symbols == bars.symbols, "positions and bars have the same symbols"
    start = bars.ts.size - positions.ts.size
    mark = last_known(bars["raw_close"] if "raw_close" in bars else bars["close"])[start:]
    lot = dict(zip(instruments["symbol"].to_list(), instruments["lot_size"].to_list(), strict=True))
    lots = positions["lots"]
    value = np.where(lots == 0.0, 0.0, lots * np.array([lot[s] for s in bars.symbols]) * mark)
    labels = dated_labels(instruments, bars.symbols, positions.ts, "sector")
    safe = np.where(nav > 0.0, nav, np.inf)[:, np.newaxis]
    return Book(
        bars=bars,
        start=start,
        ts=positions.ts,
        lots=lots,
        value=value,
        weight=value / safe,
        sector=labels.codes[labels.segment],
        sectors=labels.names,
        moves=_moves(bars.symbols, fills, actions),
    )


def last_known(price: FloatArray) -> FloatArray:
    """Each price, or where it is missing the one before; NaN before the first."""
    at = np.arange(price.shape[0])[:, np.newaxis]
    last = np.maximum.accumulate(np.where(np.isnan(price), 0, at), axis=0)
    known: FloatArray = np.take_along_axis(price, last, axis=0)
    return known


def _moves(symbols: tuple[str, ...], fills: pl.DataFrame, actions: pl.DataFrame | None) -> Moves:
    fees = (pl.col("commission_micros") + pl.col("spread_micros") + pl.col("impact_micros")).cast(pl.Float64)
    columns = ("event_time", "symbol", "lots", "paid", "fees", "cash")
    traded = fills.with_columns(
        pl.col("lots").cast(pl.Float64), paid=pl.col("notional_micros") / MICROS, fees=fees / MICROS, cash=pl.lit(0.0)
    ).select(*columns, kind=pl.lit(1))
    parts = [traded]
    if actions is not None:
        acted = actions.with_columns(
            lots=(pl.col("lots_after") - pl.col("lots_before")).cast(pl.Float64),
            paid=pl.lit(0.0), fees=pl.lit(0.0), cash=pl.col("cash_micros") / MICROS,
        ).select(*columns, kind=pl.lit(0))  # fmt: skip
        parts.insert(0, acted)
    place = pl.DataFrame(
        {"symbol": list(symbols), "place": np.arange(len(symbols))}, schema_overrides={"symbol": pl.String}
    )
    table = (
        pl.concat(parts)
        .sort("event_time", "kind", maintain_order=True)
        .join(place, on="symbol", how="left", maintain_order="left")
    )

    def floats(name: str) -> FloatArray:
        return table.get_column(name).to_numpy().astype(np.float64)

    return Moves(
        ts=table.get_column("event_time").dt.epoch("ns").to_numpy().astype(np.int64),
        symbol=table.get_column("place").to_numpy().astype(np.int64),
        lots=floats("lots"), paid=floats("paid"), fees=floats("fees"), cash=floats("cash"),
    )  # fmt: skip
