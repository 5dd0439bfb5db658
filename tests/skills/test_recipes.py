"""Recipes and gates of the shipped skills: they compute, and they rise with the end of the event that they name.

1. Every recipe at its default window, and every gate, parses and has values on bars.
2. A measure is larger for the stock at the high end of its event than for the one at the low end.
"""

from __future__ import annotations

import numpy as np
import pytest

from modules.panel import FloatArray, Panel
from modules.signal import evaluate, parse
from skills.drafting import Drafting
from skills.registry import Skill, drafting_skills, skills

T, N = 1_100, 4
HIGH, LOW = 0, 1
DRAFTING = drafting_skills(skills())
BY_EVENT = {d.event: d for _, d in DRAFTING if d.event != "return"}


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
}


def filled(block: Drafting, expr: str) -> str:
    h, s = block.horizon_bars.default, block.horizon_bars.skip
    return expr.format(h=h, s=s, g=h - s)


@pytest.mark.parametrize(("skill", "block"), DRAFTING, ids=[s.name for s, _ in DRAFTING])
def test_recipes_and_gates_compute(skill: Skill, block: Drafting) -> None:
    bars = traded(5e6)
    for recipe in block.recipes:
        values = evaluate(parse(filled(block, recipe.expr)), bars)
        assert not np.isnan(values[-1]).all(), f"{skill.name}: {recipe.name} has no value"
    for gate in (block.gates.high, block.gates.low):
        if gate is not None:
            values = evaluate(parse(gate.format(x=f"{block.gates.factor:g}", w=block.gates.window)), bars)
            assert set(np.unique(values[~np.isnan(values)])) <= {0.0, 1.0}, f"{skill.name}: {gate} is no condition"


def test_every_event_has_a_planted_case() -> None:
    assert set(ENDS) == set(BY_EVENT)


@pytest.mark.parametrize("event", sorted(ENDS))
def test_measures_rise_with_the_high_end(event: str) -> None:
    make, other = ENDS[event]
    bars, block = make(), BY_EVENT[event]
    for recipe in block.recipes:
        if recipe.name in other:
            continue
        values = evaluate(parse(filled(block, recipe.expr)), bars)[-1]
        assert values[HIGH] > values[LOW], f"{event}, {recipe.name}: high end {values[HIGH]}, low end {values[LOW]}"


@pytest.mark.parametrize("name", ["short-term-reversal", "momentum", "short-continuation", "long-term-reversal"])
def test_returns_rise_with_the_winner(name: str) -> None:
    block = next(d for s, d in DRAFTING if s.name == name)
    returns = noise(0.001)
    returns[-block.horizon_bars.default :, HIGH] += 0.002
    returns[-block.horizon_bars.default :, LOW] -= 0.002
    bars = panel(returns)
    for recipe in block.recipes:
        values = evaluate(parse(filled(block, recipe.expr)), bars)[-1]
        assert values[HIGH] > values[LOW], recipe.name
