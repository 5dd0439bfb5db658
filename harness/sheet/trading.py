"""What is left of the signal when it is traded: turnover, costs, break-even and capacity of top minus bottom.

The book is long the top quantile and short the bottom one, each with the whole NAV, equal weights. Held for h bars it
is the mean of the last h books (N. Jegadeesh, S. Titman, "Returns to Buying Winners and Selling Losers", 1993). Trades
are the changes of its weights; drift between bars is not traded back and not charged.

Costs are the engine's (`modules.engine.costs`): half spread and commission on what is traded, borrow on shorts, and
square-root impact, a fraction k * sigma * sqrt(shares / adv) of each trade (R. Almgren et al., "Direct estimation of
equity market impact", 2005). At a NAV of A a change of weight d costs |d| * k * sigma * sqrt(A * |d| / V) of NAV, V the
money traded a bar; so all impact is sqrt(A) * C, and eats the share s of a gross return g at A = (s * g / C) ** 2
(R. Kahn, J. Shaffer, "The Surprisingly Small Impact of Asset Growth on Expected Alpha", 2005).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from harness.sheet.inference import Mean, mean_of
from harness.sheet.material import Material
from modules.engine.costs import BPS
from modules.engine.settings import TradingSettings
from modules.panel import FloatArray, IntArray

YEAR_NS: Final = 365.0 * 86_400.0 * 1e9
PARTICIPATION_LIMIT: Final = 0.10
PARTICIPATION_SHARE: Final = 0.95


@dataclass(frozen=True)
class Capacity:
    """NAV in the currency of the prices. `half_nav`, `all_nav`: impact alone eats that much of the gross return;
    `after_costs_nav`: all that spread, commission and borrow leave. None where there is nothing to eat.
    `participation_nav`: 95 % of the value traded stays within 10 % of a bar's volume; `participation_at_half` is the
    95th percentile (by value) at `half_nav`. `known_share`: value traded whose volume and volatility are known."""

    impact_a_bar: float
    half_nav: float | None
    all_nav: float | None
    after_costs_nav: float | None
    participation_nav: float | None
    participation_at_half: float | None
    known_share: float


@dataclass(frozen=True)
class Holding:
    """The book held for `bars`. Returns and costs are fractions of NAV a bar; turnover is value traded over NAV a bar
    (buying and selling both count). `impact` is at the capital of the settings, None without volume. `break_even_bps`
    is the cost per unit traded, one side, at which nothing is left."""

    bars: int
    gross: Mean
    net: Mean
    turnover: float
    spread_and_commission: float
    borrow: float
    impact: float | None
    break_even_bps: float | None
    capacity: Capacity | None


@dataclass(frozen=True, eq=False)
class Trading:
    """`gross` and `net` are those of the book held for one bar, `[T]` at the row of the signal; `held_share` is the
    share of rows on which it holds anything."""

    holdings: tuple[Holding, ...]
    gross: FloatArray
    net: FloatArray
    charged_bps: float
    capital: float
    held_share: float


@dataclass(frozen=True, eq=False)
class _Account:
    """One book over time: rows that have a next return."""

    gross: FloatArray
    turnover: FloatArray
    linear: FloatArray
    borrow: FloatArray
    impact_scale: FloatArray | None  # impact over sqrt(NAV)


def trading(m: Material, settings: TradingSettings) -> Trading:
    """The book at each holding period, under the costs of `settings`."""
    book = top_minus_bottom(m.bucket, m.quantiles)
    holdings: list[Holding] = []
    first: tuple[FloatArray, FloatArray] | None = None
    for bars in m.detail:
        weights = _held(book, bars)
        trades = np.diff(weights, axis=0, prepend=weights[:1])
        account = _account(m, weights, trades, settings)
        net = _net(account, settings)
        holdings.append(_holding(m, bars, trades, account, net, settings))
        first = first or (account.gross, net)
    assert first is not None, "a horizon of one bar is always there"
    return Trading(
        holdings=tuple(holdings),
        gross=first[0],
        net=first[1],
        charged_bps=settings.half_spread_bps + settings.commission_bps,
        capital=settings.capital_usd,
        held_share=float((book != 0.0).any(axis=1).mean()),
    )


def top_minus_bottom(bucket: FloatArray, quantiles: int) -> FloatArray:
    """`[T, N]` weights: +1 spread over the top quantile, -1 over the bottom one; 0 on rows that lack either."""
    top, bottom = bucket == quantiles - 1, bucket == 0.0
    longs, shorts = (np.count_nonzero(side, axis=1, keepdims=True) for side in (top, bottom))
    both = (longs > 0) & (shorts > 0)
    out: FloatArray = np.where(both & top, 1.0 / np.maximum(longs, 1), 0.0)
    out -= np.where(both & bottom, 1.0 / np.maximum(shorts, 1), 0.0)
    return out


def _held(book: FloatArray, bars: int) -> FloatArray:
    from modules.engine.weights import trailing_average

    return trailing_average(np.ascontiguousarray(book), bars)


def _account(m: Material, weights: FloatArray, trades: FloatArray, settings: TradingSettings) -> _Account:
    ahead = m.forward[1]
    dead = np.isnan(ahead).all(axis=1)  # nothing could be earned: the last rows, a day without a market
    gross = (weights * np.nan_to_num(ahead)).sum(axis=1)
    traded = np.abs(trades).sum(axis=1)
    linear = traded * (settings.half_spread_bps + settings.commission_bps) * BPS
    borrow = borrow_rates(m.ts, settings.borrow_bps_year) * np.where(weights < 0.0, -weights, 0.0).sum(axis=1)
    scale = None
    if m.dollar_volume is not None:
        scale = np.nansum(_impact_cells(m, trades, m.dollar_volume, settings.impact_k), axis=1)

    def alive(values: FloatArray) -> FloatArray:
        return np.where(dead, np.nan, values)

    return _Account(alive(gross), alive(traded), alive(linear), alive(borrow), None if scale is None else alive(scale))


def borrow_rates(ts: IntArray, borrow_bps_year: float) -> FloatArray:
    """`[T]`: borrow from each bar to the next, actual/365, as the engine charges it; 0 on the last."""
    return borrow_bps_year * BPS * np.diff(ts, append=ts[-1:]).astype(np.float64) / YEAR_NS


def _impact_cells(m: Material, trades: FloatArray, money: FloatArray, k: float) -> FloatArray:
    size = np.abs(trades)
    cells: FloatArray = k * m.sigma * size * np.sqrt(size / money)
    return cells


def _net(account: _Account, settings: TradingSettings) -> FloatArray:
    left: FloatArray = account.gross - account.linear - account.borrow
    return left if account.impact_scale is None else left - account.impact_scale * math.sqrt(settings.capital_usd)


def _holding(
    m: Material, bars: int, trades: FloatArray, account: _Account, net: FloatArray, settings: TradingSettings
) -> Holding:
    gross, turned = mean_of(account.gross, bars), _mean(account.turnover)
    linear, borrow = _mean(account.linear), _mean(account.borrow)
    scale = None if account.impact_scale is None else _mean(account.impact_scale)
    earned = gross.mean or 0.0
    return Holding(
        bars=bars,
        gross=gross,
        net=mean_of(net, bars),
        turnover=turned,
        spread_and_commission=linear,
        borrow=borrow,
        impact=None if scale is None else scale * math.sqrt(settings.capital_usd),
        break_even_bps=earned / turned / BPS if turned > 0.0 else None,
        capacity=None if scale is None else _capacity(m, trades, earned, linear + borrow, scale),
    )


def _capacity(m: Material, trades: FloatArray, gross: float, other_costs: float, scale: float) -> Capacity:
    assert m.dollar_volume is not None, "capacity needs volume"
    size = np.abs(trades)
    known = (size > 0.0) & ~np.isnan(m.dollar_volume) & ~np.isnan(m.sigma)
    value, load = size[known], size[known] / m.dollar_volume[known]
    all_value = float(size.sum())
    busy = weighted_quantile(load, value, PARTICIPATION_SHARE)
    half = nav_eaten(gross, 0.5, scale)
    return Capacity(
        impact_a_bar=scale,
        half_nav=half,
        all_nav=nav_eaten(gross, 1.0, scale),
        after_costs_nav=nav_eaten(gross - other_costs, 1.0, scale),
        participation_nav=PARTICIPATION_LIMIT / busy if busy else None,
        participation_at_half=half * busy if half is not None and busy else None,
        known_share=float(value.sum()) / all_value if all_value > 0.0 else 0.0,
    )


def nav_eaten(gross: float, share: float, scale: float) -> float | None:
    """NAV at which impact of `scale` * sqrt(NAV) is `share` of `gross`; None where there is no gain or no impact."""
    return (share * gross / scale) ** 2 if gross > 0.0 and scale > 0.0 else None


def weighted_quantile(values: FloatArray, weights: FloatArray, level: float) -> float | None:
    """The smallest value that at least `level` of the weight does not exceed; None for no values."""
    if not values.size:
        return None
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    at = int(np.searchsorted(reached, level * reached[-1]))
    return float(values[order[min(at, values.size - 1)]])


def _mean(values: FloatArray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else 0.0
