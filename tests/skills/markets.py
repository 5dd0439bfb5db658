"""Bars in which one stock stands at the high end of an event and another at its low end, one market for each event."""

from __future__ import annotations

import numpy as np

from modules.panel import FloatArray, Panel

T, N = 1_100, 4
HIGH, LOW = 0, 1


def panel(
    returns: FloatArray, volume: FloatArray | None = None, width: FloatArray | None = None, gap: float = 0.0
) -> Panel:
    """Bars from daily returns; `width` is the high-low range, `gap` the last open against the close before."""
    close = 100.0 * np.cumprod(1.0 + returns, axis=0)
    before = np.vstack([close[:1], close[:-1]])
    opened = before.copy()
    opened[-1, HIGH] *= 1.0 + gap
    opened[-1, LOW] *= 1.0 - gap
    spread = np.full(close.shape, 0.01) if width is None else width
    high = np.maximum(opened, close) * (1.0 + spread / 2)
    low = np.minimum(opened, close) * (1.0 - spread / 2)
    shares = np.full(close.shape, 1e6) if volume is None else volume
    ts = np.datetime64("2010-01-01").astype("datetime64[ns]").astype(np.int64) + np.arange(T) * 86_400_000_000_000
    fields = {"open": opened, "high": high, "low": low, "close": close, "volume": shares}
    return Panel(ts, tuple("ABCD"), fields)


def noise(scale: float = 0.01, seed: int = 3) -> FloatArray:
    return np.random.default_rng(seed).normal(0.0, scale, (T, N))


def drifting() -> Panel:
    """A rises over the last quarter year, ever faster, and B falls, ever faster."""
    returns = noise(0.001)
    pace = np.linspace(0.001, 0.02, 60)
    returns[-60:, HIGH] += pace
    returns[-60:, LOW] -= pace
    volume = np.full((T, N), 1e6)
    volume[-5:, :2] = 3e6
    close_to_close = panel(returns, volume)
    opened = np.vstack([close_to_close["close"][:1], close_to_close["close"][:-1]])
    return close_to_close.with_fields(open=opened)


def scaled(high: float, low: float, days: int) -> Panel:
    """A moves `high` times as much as the others over the last days, B `low` times."""
    returns = noise()
    returns[-days:, HIGH] *= high
    returns[-days:, LOW] *= low
    return panel(returns)


def market_bound() -> Panel:
    market = np.random.default_rng(5).normal(0.0, 0.01, (T, 1))
    return panel(market * np.array([[2.0, 0.2, 1.0, 1.0]]) + noise(0.002))


def skewed() -> Panel:
    returns = noise(0.005)
    returns[-120::30, HIGH] += 0.08
    returns[-120::30, LOW] -= 0.08
    return panel(returns)


def jumping() -> Panel:
    returns = noise(0.005)
    returns[-10, HIGH], returns[-9, HIGH], returns[-8, HIGH] = 0.15, 0.12, 0.11
    return panel(returns)


def traded(last: float, all_days: float = 1e6) -> Panel:
    volume = np.full((T, N), 1e6)
    volume[:, HIGH] = all_days
    volume[-1, HIGH], volume[-1, LOW] = last, 1e5
    wobble = np.random.default_rng(9).uniform(0.95, 1.05, (T, N))
    return panel(noise(), volume * wobble)


def ranged() -> Panel:
    width = np.full((T, N), 0.02) * np.random.default_rng(2).uniform(0.9, 1.1, (T, N))
    width[-20:, HIGH], width[-20:, LOW] = 0.05, 0.01
    width[-1, HIGH], width[-1, LOW] = 0.2, 0.001
    return panel(noise(0.001), width=width)


def seasonal() -> Panel:
    returns = noise(0.001)
    for past in (1, 2):
        first = T - 1 - past * 252 + 1
        returns[first : first + 21, HIGH] += 0.01
        returns[first : first + 21, LOW] -= 0.01
    return panel(returns)


def weekly() -> Panel:
    returns = noise(0.001)
    returns[T - 1 - 4 :: -5, HIGH] += 0.02
    returns[T - 1 - 4 :: -5, LOW] -= 0.02
    return panel(returns)


def following() -> Panel:
    """A repeats yesterday's market, B does its opposite; the market rose today."""
    market = np.random.default_rng(8).normal(0.0, 0.01, T)
    market[-1] = 0.03
    returns = np.tile(market[:, None], (1, N)) * np.array([[0.0, 0.0, 1.0, 1.0]])
    returns[1:, HIGH] = market[:-1]
    returns[1:, LOW] = -market[:-1]
    returns[-1, :2] = 0.0
    return panel(returns + noise(0.0005))


def persistent() -> Panel:
    """A's days repeat, B's alternate; both rose on the last days."""
    rng = np.random.default_rng(4)
    returns = noise(0.01)
    for t in range(1, T):
        returns[t, HIGH] = 0.6 * returns[t - 1, HIGH] + rng.normal(0, 0.01)
        returns[t, LOW] = -0.6 * returns[t - 1, LOW] + rng.normal(0, 0.01)
    returns[-1, :2] = 0.03
    return panel(returns)


def turned() -> Panel:
    """The last bar is the 2nd of a month; A rose over the turn, B fell."""
    returns = noise(0.001)
    returns[-4:, HIGH] += 0.02
    returns[-4:, LOW] -= 0.02
    made = panel(returns)
    shift = np.datetime64("2013-03-02").astype("datetime64[ns]").astype(np.int64) - int(made.ts[-1])
    return Panel(made.ts + shift, made.symbols, dict(made.fields))


def grouped(bars: Panel, sectors: tuple[int, int, int, int]) -> Panel:
    return bars.with_fields(sector=np.tile(np.array(sectors, dtype=np.float64), (T, 1)))


def ordinary() -> Panel:
    """Bars on which every measure has a value: everything varies, in two sectors."""
    bars = traded(5e6)
    return grouped(bars.with_fields(open=bars["open"] * (1.0 + noise(0.001, seed=17))), (0, 0, 1, 1))


def sectors_apart() -> Panel:
    """A's sector rises and B's falls."""
    returns = noise(0.001)
    returns[-130:, [0, 2]] += 0.004
    returns[-130:, [1, 3]] -= 0.004
    return grouped(panel(returns), (0, 1, 0, 1))


def one_sector() -> Panel:
    return grouped(drifting(), (0, 0, 0, 0))


def late_in_sector() -> Panel:
    """A did not follow its sector, which rose; B ran ahead of its own."""
    returns = noise(0.001)
    returns[-5:, 2] += 0.02
    returns[-5:, LOW] += 0.02
    return grouped(panel(returns), (0, 1, 0, 1))


def steady() -> Panel:
    """A rises on most days, B falls on most."""
    returns = noise(0.002)
    returns[:, HIGH] += 0.002
    returns[:, LOW] -= 0.002
    return panel(returns)


def fat_tailed() -> Panel:
    """A has a large day now and then, of either sign; B's days are all of one size."""
    returns = noise(0.005)
    returns[::25, HIGH] = np.where(np.arange(T)[::25] % 2 == 0, 0.1, -0.1)
    returns[:, LOW] = np.where(np.random.default_rng(6).random(T) < 0.5, 0.005, -0.005)
    return panel(returns)


def with_market(high: FloatArray, low: FloatArray, seed: int = 8) -> Panel:
    """A and B as given beside a market that C and D share."""
    returns = np.tile(the_market(seed)[:, None], (1, N))
    returns[:, HIGH], returns[:, LOW] = high, low
    return panel(returns + noise(0.0005))


def the_market(seed: int = 8) -> FloatArray:
    return np.random.default_rng(seed).normal(0.0, 0.01, T)


def lopsided() -> Panel:
    """A gains when the market moves much, B loses."""
    market = the_market()
    return with_market(30 * market**2 - 0.003, -30 * market**2 + 0.003)


def falling_with() -> Panel:
    """A falls twice as much as a falling market, B hardly; both rise with it alike."""
    market = the_market()
    return with_market(np.where(market < 0, 2 * market, market), np.where(market < 0, 0.2 * market, market))


def tied() -> Panel:
    return with_market(the_market(), np.random.default_rng(77).normal(0.0, 0.01, T))


def delayed() -> Panel:
    market = the_market()
    return with_market(np.concatenate([[0.0], market[:-1]]), market)


def beta_turned() -> Panel:
    """A's beta was 0 and is 2, B's was 2 and is 0."""
    market, recent = the_market(), np.arange(T) >= T - 63
    return with_market(np.where(recent, 2 * market, 0.0), np.where(recent, 0.0, 2 * market))


def volumes(high: FloatArray, low: FloatArray) -> Panel:
    volume = np.full((T, N), 1e6) * np.random.default_rng(9).uniform(0.95, 1.05, (T, N))
    volume[:, HIGH] *= high
    volume[:, LOW] *= low
    return panel(noise(), volume)


def volume_trending() -> Panel:
    path = np.ones(T)
    path[-60:] = np.linspace(1.0, 4.0, 60)
    return volumes(path, 1.0 / path)


def volume_varied() -> Panel:
    return volumes(np.exp(np.random.default_rng(12).normal(0.0, 1.0, T)), np.ones(T))


def drying_up() -> Panel:
    recent = np.arange(T) >= T - 21
    return volumes(np.where(recent, 0.1, 1.0), np.where(recent, 10.0, 1.0))


def idle() -> Panel:
    """A stands still on every third day, hardly traded."""
    returns, still = noise(), np.arange(T) % 3 == 0
    returns[still, HIGH] = 0.0
    volume = np.full((T, N), 1e6)
    volume[still, HIGH] = 1e4
    return panel(returns, volume)


def bouncing() -> Panel:
    """A closes at the bid or at the ask, 2 % apart; B at the middle."""
    rng = np.random.default_rng(13)
    middle = panel(noise(0.003))
    close, high, low = (middle[f].copy() for f in ("close", "high", "low"))
    side = rng.choice([-0.01, 0.01], T)
    close[:, HIGH] = middle["close"][:, HIGH] * (1 + side)
    high[:, HIGH], low[:, HIGH] = middle["close"][:, HIGH] * 1.011, middle["close"][:, HIGH] * 0.989
    close[:, LOW] = (high[:, LOW] + low[:, LOW]) / 2
    return middle.with_fields(close=close, high=high, low=low)


def nights() -> Panel:
    """A rises by night and falls by day, B the other way round."""
    bars = panel(noise(0.003))
    opened = bars["open"].copy()
    opened *= 1.0 + noise(0.001, seed=17)
    opened[:, HIGH] *= 1.01
    opened[:, LOW] *= 0.99
    high, low = np.maximum(bars["high"], opened * 1.001), np.minimum(bars["low"], opened * 0.999)
    return bars.with_fields(open=opened, high=high, low=low)


def shadowed() -> Panel:
    """A's bars have long lower shadows, B's long upper ones."""
    bars = panel(noise(0.005))
    high, low = bars["high"].copy(), bars["low"].copy()
    low[:, HIGH] *= 0.97
    high[:, LOW] *= 1.03
    return bars.with_fields(high=high, low=low)


def engulfed() -> Panel:
    """A's last bar swallows a falling one from below, B's a rising one from above."""
    bars = panel(noise(0.001))
    opened, close = bars["open"].copy(), bars["close"].copy()
    opened[-2:, :2], close[-2:, :2] = [[100.0, 99.0], [98.0, 101.0]], [[99.0, 100.0], [101.0, 98.0]]
    high, low = np.maximum(opened, close) * 1.001, np.minimum(opened, close) * 0.999
    return bars.with_fields(open=opened, close=close, high=high, low=low)


def moody() -> Panel:
    """A is calm for two months and wild for the next two, B always the same."""
    wild = np.where(np.arange(T) // 40 % 2 == 0, 4.0, 0.3)
    returns, width = noise(), np.full((T, N), 0.02) * np.random.default_rng(2).uniform(0.95, 1.05, (T, N))
    returns[:, HIGH] *= wild
    returns[:, LOW] = np.where(np.random.default_rng(6).random(T) < 0.5, 0.01, -0.01)
    width[:, HIGH] *= wild
    return panel(returns, width=width)


def trending() -> Panel:
    """A goes one way, B back and forth."""
    returns = noise(0.0005)
    returns[:, HIGH] += 0.003
    returns[:, LOW] += np.where(np.arange(T) % 2 == 0, 0.01, -0.01)
    return panel(returns)


def in_january(bars: Panel) -> Panel:
    shift = np.datetime64("2014-01-05").astype("datetime64[ns]").astype(np.int64) - int(bars.ts[-1])
    return Panel(bars.ts + shift, bars.symbols, dict(bars.fields))


def shocked() -> Panel:
    """A had a day far above its others lately, B one far below, both on large volume."""
    returns, volume = noise(0.005), np.full((T, N), 1e6)
    for back in (6, 14):
        returns[-back, HIGH], returns[-back, LOW] = 0.1, -0.1
        volume[-back, :2] = 5e6
    return panel(returns, volume)


def disordered() -> Panel:
    """A's days fill their range evenly, B's are all alike but for a few."""
    returns = noise(0.005)
    returns[:, HIGH] = np.random.default_rng(21).uniform(-0.02, 0.02, T)
    returns[:, LOW] = np.random.default_rng(22).normal(0.0, 0.0005, T)
    returns[::60, LOW] = 0.03
    returns[30::60, LOW] = -0.03
    return panel(returns)


def sunk() -> Panel:
    """A lost half and won it back within the year."""
    returns = noise(0.002)
    returns[-200:-120, HIGH] -= 0.009
    returns[-120:-40, HIGH] += 0.009
    return panel(returns)


# event: bars in which A stands at its high end and B at its low end; recipes that measure something else are named.
ENDS = {
    "relative_return": (drifting, ()),
    "stretch": (drifting, ()),
    "trend": (drifting, ()),
    "breakout": (drifting, ()),
    "near_high": (drifting, ()),
    "drawdown": (drifting, ()),
    "streak": (drifting, ()),
    "intraday": (drifting, ()),
    "acceleration": (drifting, ()),
    "volume_price": (drifting, ("correlation of price and volume",)),
    "volume_move": (drifting, ()),
    "gap": (lambda: panel(noise(0.001), gap=0.05), ()),
    "volatility": (lambda: scaled(3.0, 0.3, 300), ()),
    "contraction": (lambda: scaled(3.0, 0.3, 10), ()),
    "idio_volatility": (lambda: scaled(3.0, 0.3, 300), ()),
    "range": (ranged, ()),
    "volume": (lambda: traded(5e6), ()),
    "illiquidity": (lambda: traded(1e4, all_days=1e4), ()),
    "beta": (market_bound, ()),
    "skew": (skewed, ("upper against lower tail",)),
    "max_return": (jumping, ()),
    "season": (seasonal, ()),
    "weekday": (weekly, ()),
    "lead_lag": (following, ("what is still owed",)),
    "autocorrelation": (persistent, ("weekly",)),
    "month_turn": (turned, ()),
    "clarity": (drifting, ()),
    "residual_return": (drifting, ()),
    "sector_return": (sectors_apart, ()),
    "sector_relative": (one_sector, ()),
    "consistency": (steady, ()),
    "downside": (lambda: scaled(3.0, 0.3, 300), ()),
    "kurtosis": (fat_tailed, ("kurtosis without the market",)),
    "coskew": (lopsided, ()),
    "downside_beta": (falling_with, ()),
    "correlation": (tied, ()),
    "volume_trend": (volume_trending, ()),
    "volume_variation": (volume_varied, ()),
    "idle": (idle, ()),
    "spread": (bouncing, ()),
    "tug": (nights, ()),
    "night": (nights, ()),
    "shadow": (shadowed, ()),
    "engulfing": (engulfed, ()),
    "vol_of_vol": (moody, ()),
    "macd": (drifting, ()),
    "stochastic": (drifting, ()),
    "money_flow": (drifting, ()),
    "direction": (drifting, ()),
    "trend_strength": (trending, ()),
    "stop_line": (drifting, ()),
    "ma_ratio": (drifting, ()),
    "tax_loss": (lambda: in_january(drifting()), ()),
    "quarter_end": (lambda: in_january(drifting()), ()),
    "sector_lead": (late_in_sector, ("times what it usually follows",)),
    "divergence": (one_sector, ()),
    "overhang": (drifting, ()),
    "liquidity_shock": (drying_up, ("spread, recent less usual",)),
    "signed_variation": (shocked, ()),
    "jump_risk": (fat_tailed, ()),
    "price_delay": (delayed, ()),
    "multi_trend": (drifting, ()),
    "salience": (shocked, ()),
    "vwap": (drifting, ()),
    "vol_break": (drifting, ()),
    "shock": (shocked, ()),
    "persistence": (persistent, ()),
    "disorder": (disordered, ()),
    "beta_change": (beta_turned, ()),
    "max_drawdown": (sunk, ()),
}
