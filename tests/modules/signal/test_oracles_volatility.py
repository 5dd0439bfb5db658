"""Volatility and liquidity from bars against the published formulas, and against markets whose truth is known."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import pytest

from modules.panel import FloatArray, Panel
from modules.signal import evaluate, parse
from tests.modules.signal.oracles import Case, Frame, Frames, agree, on_both_panels


def _garman_klass(f: Frames) -> Frame:
    u, d, c = (np.log(f[x] / f["open"]) for x in ("high", "low", "close"))
    return np.sqrt((0.5 * (u - d) ** 2 - (2 * np.log(2) - 1) * c**2).rolling(10).mean())


def _rogers_satchell_terms(f: Frames) -> Frame:
    u, d, c = (np.log(f[x] / f["open"]) for x in ("high", "low", "close"))
    return u * (u - c) + d * (d - c)


def _yang_zhang(f: Frames) -> Frame:
    n = 10
    o, c = np.log(f["open"] / f["close"].shift(1)), np.log(f["close"] / f["open"])
    k = 0.34 / (1.34 + (n + 1) / (n - 1))
    satchell = _rogers_satchell_terms(f).rolling(n).mean()
    return np.sqrt(o.rolling(n).var() + k * c.rolling(n).var() + (1 - k) * satchell)


def _amihud(f: Frames) -> Frame:
    return (f["close"].pct_change(fill_method=None).abs() / (f["close"] * f["volume"]) * 1e12).rolling(10).mean() / 1e12


def _kyle(f: Frames) -> Frame:
    r = f["close"].pct_change(fill_method=None)
    flow = np.sign(r) * f["close"] * f["volume"]
    return (r * flow).rolling(10).sum() / (flow**2).rolling(10).sum()


def _roll(f: Frames) -> Frame:
    moves = np.log(f["close"]).diff()
    out = np.full(moves.shape, np.nan)
    values = moves.to_numpy()
    for t in range(11, out.shape[0]):
        for n in range(out.shape[1]):
            covariance = np.cov(values[t - 9 : t + 1, n], values[t - 10 : t, n])[0, 1]
            out[t, n] = 2 * np.sqrt(max(0.0, -covariance)) if np.isfinite(covariance) else np.nan
    return Frame(out)


def _corwin_schultz(f: Frames) -> Frame:
    h, low = np.log(f["high"]), np.log(f["low"])
    beta = (h - low) ** 2 + (h.shift(1) - low.shift(1)) ** 2
    highest, lowest = np.maximum(h, h.shift(1)), np.minimum(low, low.shift(1))
    gamma = (highest - lowest) ** 2
    scale = 3 - 2 * np.sqrt(2)
    alpha = (np.sqrt(2 * beta) - np.sqrt(beta)) / scale - np.sqrt(gamma / scale)
    spread = 2 * (np.exp(alpha) - 1) / (1 + np.exp(alpha))
    return spread.clip(lower=0).rolling(10).mean()


def _abdi_ranaldo(f: Frames) -> Frame:
    c, middle = np.log(f["close"]), (np.log(f["high"]) + np.log(f["low"])) / 2
    square = 4 * (c - middle) * (c - middle.shift(-1))
    return np.sqrt(square.clip(lower=0)).shift(1).rolling(10).mean()


ORACLES: list[Case] = [
    ("garman_klass(open, high, low, close, 10)", _garman_klass),
    ("rogers_satchell(open, high, low, close, 10)", lambda f: np.sqrt(_rogers_satchell_terms(f).rolling(10).mean())),
    ("yang_zhang(open, high, low, close, 10)", _yang_zhang),
    ("amihud(close, volume, 10)", _amihud),
    ("kyle_lambda(close, volume, 10)", _kyle),
    ("roll_spread(close, 10)", _roll),
    ("corwin_schultz(high, low, 10)", _corwin_schultz),
    ("abdi_ranaldo(high, low, close, 10)", _abdi_ranaldo),
]  # fmt: skip


@on_both_panels(ORACLES)
def test_against_others(text: str, oracle: Callable[[Frames], Frame], panel: Panel) -> None:
    agree(text, oracle, panel)


TRADES = 400
SYMBOLS = 12
SPREAD = 0.01
DEVIATION = 0.02


@functools.cache
def _market(deviation: float, spread: float, nights: bool) -> Panel:
    """Bars of symbols whose price diffuses with `deviation` a bar, traded at `spread` around it, half on each side;
    without `nights` a bar opens where the one before closed."""
    rng = np.random.default_rng(21)
    steps = rng.normal(0.0, deviation / np.sqrt(TRADES), (250, TRADES, SYMBOLS))
    steps[:, 0] *= np.sqrt(TRADES) * 0.5 if nights else 1.0
    middle = np.cumsum(steps.reshape(-1, SYMBOLS), axis=0).reshape(steps.shape)
    price = 50.0 * np.exp(middle + np.where(rng.random(middle.shape) < 0.5, 0.5, -0.5) * spread)
    bars = {"open": price[:, 0], "high": price.max(axis=1), "low": price.min(axis=1), "close": price[:, -1]}
    return Panel(np.arange(250), tuple(f"S{n}" for n in range(SYMBOLS)), bars)


def _mean(text: str, panel: Panel) -> float:
    return float(np.nanmean(evaluate(parse(text), panel)[-1]))


# The highs and lows of finitely many trades lie inside those of the diffusion: estimates from ranges come out low.
VOLATILITIES: list[tuple[str, bool, float]] = [
    ("garman_klass(open, high, low, close, 240)", False, DEVIATION),
    ("rogers_satchell(open, high, low, close, 240)", False, DEVIATION),
    ("parkinson(high, low, 240)", False, DEVIATION),
    ("yang_zhang(open, high, low, close, 240)", True, DEVIATION * np.sqrt(1.25)),
]


@pytest.mark.parametrize(("text", "nights", "true"), VOLATILITIES, ids=[v[0] for v in VOLATILITIES])
def test_volatility_of_a_known_diffusion(text: str, nights: bool, true: float) -> None:
    assert _mean(text, _market(DEVIATION, 0.0, nights)) == pytest.approx(true, rel=0.07)


SPREADS = [
    ("roll_spread(close, 240)", 0.1), ("corwin_schultz(high, low, 240)", 0.1),
    ("abdi_ranaldo(high, low, close, 240)", 0.15),
]  # fmt: skip


@pytest.mark.parametrize(("text", "within"), SPREADS, ids=[s[0] for s in SPREADS])
def test_spread_of_a_known_market(text: str, within: float) -> None:
    """Each finds a spread near the true one, and a clearly smaller one where there is none."""
    found, none = (_mean(text, _market(DEVIATION / 4, s, False)) for s in (SPREAD, 0.0))
    assert found == pytest.approx(SPREAD, rel=within)
    assert none < 0.6 * found


def _bars(close: FloatArray, volume: FloatArray) -> Panel:
    return Panel(np.arange(close.size), ("A",), {"close": close[:, None], "volume": volume[:, None]})


def test_amihud_is_of_the_bars_that_traded() -> None:
    panel = _bars(np.array([10.0, 11, 11, 22, 22]), np.array([5.0, 2, 0, 4, 0]))
    np.testing.assert_allclose(
        evaluate(parse("amihud(close, volume, 2)"), panel)[:, 0],
        [np.nan, np.nan, 0.1 / 22, 1 / 88, 1 / 88], rtol=1e-14,
    )  # fmt: skip
    assert np.isnan(evaluate(parse("amihud(close, volume, 1)"), panel)[2, 0])


def test_kyle_lambda_is_the_slope_that_made_the_returns() -> None:
    """Returns that are a multiple of the money that flowed, on either side, give back the multiple."""
    rng = np.random.default_rng(4)
    money = rng.uniform(1e6, 2e6, 40)
    close = 20.0 * np.cumprod(1 + 3e-9 * money * rng.choice([-1.0, 1.0], 40))
    found = evaluate(parse("kyle_lambda(close, volume, 10)"), _bars(close, money / close))[10:, 0]
    np.testing.assert_allclose(found, 3e-9, rtol=1e-9)


@pytest.mark.parametrize("text", [*(v[0] for v in VOLATILITIES), *(s[0] for s in SPREADS)])
def test_a_price_below_zero_has_no_value(text: str) -> None:
    bad = np.full((245, 2), 10.0)
    bad[240, 0] = -10.0
    fields = {"open": np.full((245, 2), 10.0), "high": bad, "low": np.full((245, 2), 10.0), "close": bad}
    last = evaluate(parse(text), Panel(np.arange(245), ("A", "B"), fields))[-1]
    assert np.isnan(last[0])
    assert last[1] == 0.0
