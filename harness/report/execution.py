"""What trading cost the orders of a run: the bars give the prices at which each was decided, could trade, and ended.

An order is decided at a bar's close and can first trade at the next bar's open (without opens, at that close). Its
fills are the engine's: the bar's price is the market, the modelled spread and impact are what they were worse. Prices
are those that were traded; a split between decision and fill restates lots and price alike. VWAP is that of the bars
of the order's life, each at the mean of its high, low and close: of one bar it is no more than that mean.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from harness.report.book import MICROS, last_known
from modules.live.analysis.tca import FILLS, ORDERS, Costs, costs
from modules.panel import FloatArray, IntArray, Panel

_DAY_NS = 86_400_000_000_000
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def execution(bars: Panel, instruments: pl.DataFrame, orders: pl.DataFrame, fills: pl.DataFrame) -> Costs:
    """Costs of the orders that risk let out, and of their fills, which carry `when`: the hour, or the weekday of
    daily bars."""
    prices = _Prices(bars)
    lot = dict(zip(instruments["symbol"].to_list(), instruments["lot_size"].to_list(), strict=True))
    venue = dict(zip(instruments["symbol"].to_list(), instruments["venue"].to_list(), strict=True))
    place = {s: i for i, s in enumerate(bars.symbols)}
    out = orders.filter(pl.col("allowed_lots") != 0).with_columns(
        decided=pl.Series(np.searchsorted(bars.ts, _ns(orders["event_time"]))).filter(orders["allowed_lots"] != 0)
    )
    out = out.filter(pl.col("decided") < bars.ts.size - 1)  # those of the last bar are still on their way
    filled = fills.join(out.select("order_id", "decided"), on="order_id", how="inner", maintain_order="left")
    row = np.searchsorted(bars.ts, _ns(filled["event_time"]))
    ended = pl.DataFrame({"order_id": filled["order_id"], "ended": row}).group_by("order_id").agg(pl.col("ended").max())
    out = out.join(ended, on="order_id", how="left", maintain_order="left")
    decided = out["decided"].to_numpy()
    symbol = _places(out["symbol"], place)
    first = decided + 1
    last = np.maximum(out["ended"].fill_null(0).to_numpy(), first)
    ratio = prices.split[first, symbol] / prices.split[decided, symbol]
    asked = pl.DataFrame(
        {
            "order": out["order_id"],
            "symbol": out["symbol"],
            "venue": out["symbol"].replace_strict(venue, return_dtype=pl.String),
            "lots": out["allowed_lots"].to_numpy() * ratio,
            "lot_size": out["symbol"].replace_strict(lot, return_dtype=pl.Float64),
            "decided_ns": bars.ts[decided],
            "decision": prices.close[decided, symbol] / ratio,
            "arrival": prices.arrival(decided, symbol, ratio),
            "last": prices.close[last, symbol] * prices.split[last, symbol] / prices.split[first, symbol],
            "vwap": prices.vwap(first, last, symbol),
            "close": prices.close[prices.day_end[first], symbol],
        },
        schema=ORDERS,
    )
    at = _places(filled["symbol"], place)
    start = filled["decided"].to_numpy() + 1
    restated = prices.split[row, at] / prices.split[np.minimum(start, bars.ts.size - 1), at]
    worse = (filled["spread_micros"] + filled["impact_micros"]).to_numpy() / MICROS
    lots = filled["lots"].to_numpy() / restated
    market = filled["price"].to_numpy() * restated
    size = lots * filled["symbol"].replace_strict(lot, return_dtype=pl.Float64).to_numpy()
    done = pl.DataFrame(
        {
            "order": filled["order_id"],
            "ts_ns": bars.ts[row],
            "venue": filled["symbol"].replace_strict(venue, return_dtype=pl.String),
            "lots": lots,
            "price": market + worse / size,
            "market": market,
            "fee": filled["commission_micros"].to_numpy() / MICROS,
        },
        schema=FILLS,
    )
    return costs(asked, done.with_columns(when=_when(bars.ts, row)))


class _Prices:
    """Traded prices, `[T, N]`; `split`: lots of one lot of the first bar, `day_end`: the last bar of each bar's day."""

    def __init__(self, bars: Panel) -> None:
        self.close = last_known(bars["raw_close"] if "raw_close" in bars else bars["close"])
        name = next((n for n in ("raw_open", "open") if n in bars), None)
        self.open = np.full(self.close.shape, np.nan) if name is None else bars[name]
        self.split = np.cumprod(bars["split"], axis=0) if "split" in bars else np.ones(self.close.shape)
        days = bars.ts // _DAY_NS
        self.day_end = np.searchsorted(days, days, side="right") - 1
        self._worth, self._volume = _weighted(bars, self.close)

    def arrival(self, decided: IntArray, symbol: IntArray, ratio: FloatArray) -> FloatArray:
        """The next open; without one the close of the decision, at which the engine fills then."""
        opened = self.open[decided + 1, symbol]
        chosen: FloatArray = np.where(np.isnan(opened), self.close[decided, symbol] / ratio, opened)
        return chosen

    def vwap(self, first: IntArray, last: IntArray, symbol: IntArray) -> FloatArray:
        """Mean price by volume from one bar to another, both included; NaN where nothing traded."""
        worth = self._worth[last + 1, symbol] - self._worth[first, symbol]
        volume = self._volume[last + 1, symbol] - self._volume[first, symbol]
        out = np.full(volume.size, np.nan)
        np.divide(worth, volume, out=out, where=volume > 0.0)
        return out


def _weighted(bars: Panel, close: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Worth and volume from the first bar to each, `[T + 1, N]`; without highs, lows and volume nothing is known."""
    shape = close.shape[0] + 1, close.shape[1]
    worth, volume = np.zeros(shape), np.zeros(shape)
    if not all(name in bars for name in ("high", "low", "volume")):
        return worth, volume
    mean = (bars["high"] + bars["low"] + bars["close"]) / 3.0
    if "raw_close" in bars:
        mean = mean * (bars["raw_close"] / bars["close"])
    lots = np.where(np.isnan(mean) | ~(bars["volume"] > 0.0), 0.0, bars["volume"])
    volume[1:] = np.cumsum(lots, axis=0)
    worth[1:] = np.cumsum(np.where(lots > 0.0, mean * lots, 0.0), axis=0)
    return worth, volume


def _when(ts: IntArray, row: IntArray) -> pl.Series:
    """The UTC hour of each fill where a day has several bars, else its weekday; words that sort as time does."""
    times = pl.Series("when", ts[row]).cast(pl.Datetime("ns"))
    if np.unique(ts // _DAY_NS).size < ts.size:
        return times.dt.strftime("%H:00")
    number = times.dt.weekday()
    return number.replace_strict({k + 1: f"{k + 1} {name}" for k, name in enumerate(_WEEKDAYS)}, return_dtype=pl.String)


def _places(symbols: pl.Series, place: dict[str, int]) -> IntArray:
    found: IntArray = symbols.replace_strict(place, return_dtype=pl.Int64).to_numpy()
    return found


def _ns(times: pl.Series) -> IntArray:
    found: IntArray = times.dt.epoch("ns").to_numpy().astype(np.int64)
    return found
