"""A run's account, taken apart. Sums run in the order of time; a figure that does not exist is absent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from modules.engine import metrics as m
from modules.panel import FloatArray, Panel

MICROS = 1e6
LEAST_BARS = 60
"""Of a year or a regime: fewer say nothing of a Sharpe ratio."""

REGIME_BARS = 60
LARGE_SHARE = 0.01
"""Of a bar's volume: a larger fill moves the market it is measured by."""


@dataclass(frozen=True)
class Account:
    """What a run left of its account, with the bars that it traded on."""

    bars: Panel
    positions: Panel
    nav: pl.DataFrame
    orders: pl.DataFrame
    fills: pl.DataFrame
    instruments: pl.DataFrame
    actions: pl.DataFrame | None = None


def sharpe_by_year(nav: pl.DataFrame) -> dict[str, float]:
    """Annualised net Sharpe ratio of each calendar year (UTC) with at least `LEAST_BARS` bars."""
    per_year = m.bars_per_year(nav["event_time"].to_physical().to_numpy())
    found = {}
    for (year,), part in nav.group_by(nav["event_time"].dt.year().alias("year"), maintain_order=True):
        if part.height >= LEAST_BARS:
            found[str(year)] = m.sharpe(part["net_return"].to_numpy(), per_year)
    return m.present(found)


def sharpe_by_regime(nav: pl.DataFrame, bars: Panel) -> dict[str, float]:
    """Annualised net Sharpe ratio where the market was `calm`, `usual` and `volatile`: thirds of the run's bars by the
    deviation of the equal-weighted return over the `REGIME_BARS` bars before each."""
    ts = nav["event_time"].to_physical().to_numpy()
    volatility = _market_volatility(bars["close"])[np.searchsorted(bars.ts, ts)]
    known = ~np.isnan(volatility)
    if np.count_nonzero(known) < 3 * LEAST_BARS:
        return {}
    low, high = np.quantile(volatility[known], [1 / 3, 2 / 3])
    masks = {
        "calm": known & (volatility <= low),
        "usual": known & (volatility > low) & (volatility <= high),
        "volatile": known & (volatility > high),
    }
    returns, per_year = nav["net_return"].to_numpy(), m.bars_per_year(ts)
    return m.present({k: m.sharpe(returns[mask], per_year) for k, mask in masks.items() if mask.sum() >= LEAST_BARS})


def _market_volatility(close: FloatArray) -> FloatArray:
    """`[T]` deviation of the market's return over the bars before each bar; NaN where fewer are known."""
    returns = np.full(close.shape, np.nan)
    returns[1:] = close[1:] / close[:-1] - 1.0
    there = ~np.isnan(returns)
    counts = there.sum(axis=1)
    market = np.where(there, returns, 0.0).sum(axis=1) / np.maximum(counts, 1)
    out = np.full(market.size, np.nan)
    if market.size > REGIME_BARS + 1:
        windows = np.lib.stride_tricks.sliding_window_view(market[1:], REGIME_BARS)
        out[REGIME_BARS + 1 :] = windows.std(axis=1)[: market.size - REGIME_BARS - 1]
    return out


def profit_by_symbol(account: Account) -> dict[str, float]:
    """Net profit in dollars of each symbol that was traded: what is held at the end at its last known close, less what
    was paid for it and its fees, with the cash of corporate actions. Borrowing and funding belong to no symbol."""
    bars, end = account.bars, account.positions["lots"][-1]
    close = bars["raw_close"] if "raw_close" in bars else bars["close"]
    column = {s: i for i, s in enumerate(bars.symbols)}
    lot = dict(account.instruments.sort("valid_from").select("symbol", "lot_size").iter_rows())
    fees = pl.col("notional_micros") + pl.col("commission_micros") + pl.col("spread_micros") + pl.col("impact_micros")
    paid = dict(account.fills.group_by("symbol").agg(fees.sum()).iter_rows())
    if account.actions is not None:
        for symbol, cash in account.actions.group_by("symbol").agg(pl.col("cash_micros").sum()).iter_rows():
            paid[symbol] = paid.get(symbol, 0) - cash
    found = {}
    for symbol in sorted(paid):
        prices = close[:, column[symbol]]
        known = prices[~np.isnan(prices)]
        held = end[account.positions.symbols.index(symbol)]
        value = held * lot.get(symbol, 1.0) * known[-1] if known.size and held else 0.0
        found[symbol] = float(value) - paid[symbol] / MICROS
    return found


def fill_figures(account: Account) -> dict[str, float]:
    """What fills cost, in basis points of the notional: `shortfall_bps` against the close of the decision, fees
    included (A. Perold, "The implementation shortfall", 1988), of which `modelled_bps` are fees and `delay_bps` the way
    of the price. Where volumes are known, the share of them that fills took: `participation_p95`, `participation_max`,
    and `large_share` of the fills above `LARGE_SHARE`."""
    fills = account.fills
    if fills.is_empty():
        return {}
    bars = account.bars
    column = {s: i for i, s in enumerate(bars.symbols)}
    decided = fills.join(account.orders.select("order_id", decided="event_time"), on="order_id", how="left")
    at = np.searchsorted(bars.ts, decided["decided"].to_physical().to_numpy())
    filled = np.searchsorted(bars.ts, fills["event_time"].to_physical().to_numpy())
    symbols = np.array([column[s] for s in fills["symbol"].to_list()])
    prices = bars["raw_close"] if "raw_close" in bars else bars["close"]
    notional = fills["notional_micros"].to_numpy().astype(np.float64)
    money = m.total(np.abs(notional))
    fees = fills.select(pl.sum_horizontal("commission_micros", "spread_micros", "impact_micros")).to_series().to_numpy()
    moved = notional * (1.0 - prices[at, symbols] / fills["price"].to_numpy())
    moved = moved[~np.isnan(moved)]
    found = {"fills": float(fills.height), "modelled_bps": m.total(fees.astype(np.float64)) / money * 1e4}
    found["delay_bps"] = m.total(moved) / money * 1e4
    found["shortfall_bps"] = found["modelled_bps"] + found["delay_bps"]
    return m.present(found | _participation(account, filled, symbols))


def _participation(
    account: Account,
    rows: np.ndarray[tuple[int], np.dtype[np.int64]],
    columns: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> dict[str, float]:
    if "volume" not in account.bars:
        return {}
    lot = dict(account.instruments.sort("valid_from").select("symbol", "lot_size").iter_rows())
    shares = np.abs(account.fills["lots"].to_numpy()) * np.array([lot.get(s, 1.0) for s in account.fills["symbol"]])
    volume = account.bars["volume"][rows, columns]
    share = shares[volume > 0.0] / volume[volume > 0.0]
    if not share.size:
        return {}
    return {
        "participation_p95": float(np.quantile(share, 0.95)),
        "participation_max": float(share.max()),
        "large_share": float(np.mean(share > LARGE_SHARE)),
    }
