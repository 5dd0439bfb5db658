"""Prices of a planted market: bar by bar, because what moves a bar was made of the bars before it.

Only sums, products and quotients of what the generator draws, in a fixed order, and prices rounded to a hundredth of a
cent: equal seeds give equal prices on any machine (committed digests are tested).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.random import PCG64, Generator

from ablations.planted.markets import ALL_GROUPS, FIRST_DAY, LETTERS, SECTORS, Alpha, FaultKind, Market
from modules.panel import FloatArray

MARKET_VOL, SECTOR_VOL, OWN_VOL, NIGHT_VOL = 0.03, 0.02, 0.07, 0.02
RANGE = 0.03
"""Volatility of a day, and how far beyond open and close it reaches. Five times that of shares: at a set volatility
books are then small, and neither costs nor the guard on turnover hide what is planted."""

TRADED_USD = 1e8
PULL = 0.004
"""How a price far from where it began is drawn back a day: a small share of the volatility, so that prices stay
numbers that a file would hold."""

TAILS = 6.0
"""Degrees of freedom of a symbol's own returns."""

WEEK, MONTH = 5, 50
STALE_BARS = 15
PRINT_SIZE = 0.25
DECIMALS = 4


@dataclass(frozen=True)
class Fault:
    """One cell at fault, as planted."""

    kind: FaultKind
    symbol: str
    bar: int


@dataclass(frozen=True)
class Simulated:
    """`[T, N]` open, high, low, close and volume, NaN = not delivered; and the truth: expected returns of each bar's
    day `[T, N]` as known at the close before, and what is at fault."""

    days: np.ndarray[tuple[int], np.dtype[np.datetime64]]
    symbols: tuple[str, ...]
    fields: Mapping[str, FloatArray]
    expected: FloatArray
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class _State:
    """What is known at a close: `[t, G, S]` histories, and the latent processes."""

    own: FloatArray
    place: FloatArray
    volume: FloatArray
    weekday: FloatArray
    trend: FloatArray
    drift: FloatArray
    level: FloatArray


def simulate(market: Market) -> Simulated:
    """The whole history of `market`, about a second."""
    rng = Generator(PCG64(market.seed))
    bars, groups, size = market.bars, len(ALL_GROUPS), len(LETTERS)
    shape = (bars, groups, size)
    level = 0.7 + 0.6 * rng.random((groups, size))
    common = MARKET_VOL * rng.standard_normal((bars, 1, 1))
    sector = np.repeat(SECTOR_VOL * rng.standard_normal((bars, groups, len(SECTORS))), size // len(SECTORS), axis=2)
    own = OWN_VOL * level * rng.standard_t(TAILS, shape) / np.sqrt(TAILS / (TAILS - 2.0))
    night = NIGHT_VOL * level * rng.standard_normal(shape)
    reach = RANGE * np.abs(rng.standard_normal((2, *shape)))
    turnover = rng.gamma(4.0, 0.25, shape)
    crowds = np.where(rng.random(shape) < 0.05, 3.0, 1.0)
    state = _State(
        own=np.zeros(shape),
        place=np.zeros(shape),
        volume=np.zeros(shape),
        weekday=_latent(rng, (bars // WEEK + 1, groups, size * WEEK), 0.98).reshape(-1, groups, size, WEEK),
        trend=_latent(rng, shape, 0.97),
        drift=_latent(rng, shape, 0.99),
        level=level,
    )
    state.weekday[:] -= state.weekday.mean(axis=3, keepdims=True)  # a good day is paid for by the others
    prices = {name: np.empty(shape) for name in ("open", "high", "low", "close")}
    base = TRADED_USD * (0.5 + rng.random((groups, size)))
    last = np.round(50.0 + 100.0 * rng.random((groups, size)), DECIMALS)
    # What compounding takes from a price that goes up and down by the same share.
    lift = 0.5 * (MARKET_VOL**2 + SECTOR_VOL**2 + (OWN_VOL * level) ** 2 + (NIGHT_VOL * level) ** 2)
    start = last
    expected = np.zeros(shape)
    busy = np.ones((groups, size))
    for t in range(bars):
        expected[t] = _expected(market.alphas, state, t, bars)
        expected[t] *= market.scale
        home = PULL * (start - last) / (start + last)
        day = market.scale * (market.scale * lift + home + common[t] + sector[t] + own[t]) + expected[t]
        opened = np.round(last * (1.0 + market.scale * night[t]), DECIMALS)
        closed = np.maximum(np.round(opened * (1.0 + np.maximum(day, -0.5)), DECIMALS), 0.01)
        high = np.round(np.maximum(opened, closed) * (1.0 + market.scale * reach[0, t]), DECIMALS)
        low = np.round(np.minimum(opened, closed) * (1.0 - np.minimum(market.scale * reach[1, t], 0.5)), DECIMALS)
        busy = 0.9 * busy + 0.1 * turnover[t]
        for name, values in (("open", opened), ("high", high), ("low", low), ("close", closed)):
            prices[name][t] = values
        state.volume[t] = np.round(base * busy * turnover[t] * crowds[t] / closed)
        state.own[t] = closed / last - 1.0
        state.own[t] -= state.own[t].mean(axis=1, keepdims=True)
        span = high - low
        state.place[t] = np.where(span > 0.0, (2.0 * closed - high - low) / np.where(span > 0.0, span, 1.0), 0.0)
        last = closed
    fields = {name: values.reshape(bars, -1) for name, values in (*prices.items(), ("volume", state.volume))}
    symbols = tuple(s for group in ALL_GROUPS for s in group)
    faults = _plant(market, fields, symbols, rng)
    return Simulated(_days(bars), symbols, fields, expected.reshape(bars, -1), faults)


def _expected(alphas: tuple[Alpha, ...], state: _State, t: int, bars: int) -> FloatArray:
    """Expected return of bar `t`'s day, `[G, S]`, from what was known at the close of bar t - 1."""
    total = np.zeros(state.level.shape)
    if t <= MONTH:
        return total
    for alpha in alphas:
        if t < alpha.until * bars:
            total += alpha.bps / 10_000.0 * _score(alpha, state, t)
    return total


def _score(alpha: Alpha, state: _State, t: int) -> FloatArray:
    """`[G, S]` in standard deviations of its group."""
    match alpha.kind:
        case "reversal":
            return _standard(-state.own[t - WEEK : t].sum(axis=0))
        case "place":
            return _standard(-state.place[t - WEEK : t].sum(axis=0))
        case "volume":
            return _standard(state.volume[t - 1] / state.volume[t - MONTH : t].mean(axis=0))
        case "weekday":
            return np.asarray(state.weekday[t // WEEK, :, :, t % WEEK])
        case "trend":
            return np.asarray(state.trend[t])
        case "drift":
            return np.asarray(state.drift[t])
        case "calm":
            return _standard(-state.level)


def _standard(values: FloatArray) -> FloatArray:
    centred = values - values.mean(axis=1, keepdims=True)
    spread = np.sqrt((centred * centred).mean(axis=1, keepdims=True))
    return np.asarray(centred / np.where(spread > 0.0, spread, 1.0))


def _latent(rng: Generator, shape: tuple[int, ...], keep: float) -> FloatArray:
    """A stationary process of unit variance along the first axis: each step keeps the share `keep`."""
    out = rng.standard_normal(shape)
    fresh = np.sqrt(1.0 - keep * keep)
    for t in range(1, shape[0]):
        out[t] = keep * out[t - 1] + fresh * out[t]
    return out


def _plant(
    market: Market, fields: Mapping[str, FloatArray], symbols: tuple[str, ...], rng: Generator
) -> tuple[Fault, ...]:
    """Put the market's faults into `fields`, and say where. Drawn after the prices: a market without has the same."""
    shape = fields["close"].shape
    found: list[Fault] = []
    early = MONTH + WEEK

    def cells(share: float) -> list[tuple[int, int]]:
        hit = rng.random(shape) < share
        hit[:early] = False
        return [(int(t), int(n)) for t, n in np.argwhere(hit)]

    for t, n in cells(market.faults.prints):
        off = 1.0 + PRINT_SIZE if (t + n) % 2 else 1.0 - PRINT_SIZE
        for name in ("close", "high", "low"):
            fields[name][t, n] = round(fields[name][t, n] * off, DECIMALS)
        fields["high"][t, n] = max(fields["high"][t, n], fields["open"][t, n])
        fields["low"][t, n] = min(fields["low"][t, n], fields["open"][t, n])
        found.append(Fault("print", symbols[n], t))
    for t, n in cells(market.faults.stale):
        end = min(t + STALE_BARS, shape[0])
        for name in ("open", "high", "low", "close"):
            fields[name][t:end, n] = fields["close"][t - 1, n]
        found += [Fault("stale", symbols[n], at) for at in range(t, end)]
    for t, n in cells(market.faults.missing):
        for values in fields.values():
            values[t, n] = np.nan
        found.append(Fault("missing", symbols[n], t))
    return tuple(found)


def _days(bars: int) -> np.ndarray[tuple[int], np.dtype[np.datetime64]]:
    """Mondays to Fridays from the first day on."""
    first = np.datetime64(FIRST_DAY, "D")
    return np.asarray(np.busday_offset(first, np.arange(bars), roll="forward"))
