"""Oscillators against TA-Lib, to 1e-10 relative, warm-up and seeds included. TA-Lib gives 0 where we say NaN: no range
and no movement to divide by; the panels here have neither."""

from __future__ import annotations

import numpy as np
import pytest
import talib

from modules.panel import Panel
from tests.modules.signal.oracles import PANEL, Case, Frame, Frames, Oracle, agree, on_both_panels
from tests.modules.signal.talibs import columns, columns_seen


def _minus_mean_of_earlier(f: Frames) -> Frame:
    return f["close"].shift(6) - f["close"].rolling(10).mean()


def _awesome(f: Frames) -> Frame:
    middle = (f["high"] + f["low"]) / 2
    return middle.rolling(5).mean() - middle.rolling(12).mean()


def _stochastic_d(f: Frames) -> Frame:
    low, high = f["low"].rolling(8).min(), f["high"].rolling(8).max()
    fast = (f["close"] - low) / (high - low) + 0 * f["close"].rolling(8).sum()
    return fast.rolling(3).mean()


def _williams(f: Frames) -> Frame:
    low, high = f["low"].rolling(8).min(), f["high"].rolling(8).max()
    return 100 * (f["close"] - high) / (high - low) + 0 * f["close"].rolling(8).sum()


def _cci(f: Frames) -> Frame:
    typical = (f["high"] + f["low"] + f["close"]) / 3
    deviation = typical.rolling(9).apply(lambda w: float(np.abs(w - w.mean()).mean()), raw=True)
    return (typical - typical.rolling(9).mean()) / (0.015 * deviation)


def _cmo(f: Frames) -> Frame:
    change = f["close"].diff()
    return 100 * change.rolling(6).sum() / change.abs().rolling(6).sum()


def _ultimate(f: Frames) -> Frame:
    before = f["close"].shift(1)
    known = 0 * (f["high"] + f["low"] + f["close"] + before)
    floor = Frame(np.fmin(f["low"], before)) + known
    ceiling = Frame(np.fmax(f["high"], before)) + known
    pressure, span = f["close"] - floor, ceiling - floor
    a, b, c = (pressure.rolling(n).sum() / span.rolling(n).sum() for n in (3, 6, 12))
    return 100 * (4 * a + 2 * b + c) / 7


ORACLES: list[Case] = [
    ("rsi_wilder(close, 6)", columns_seen(lambda f: talib.RSI(f["close"], 6))),
    ("stoch_rsi(close, 6, 5)", columns_seen(lambda f: talib.STOCHRSI(f["close"], 6, 5, 1)[0] / 100)),
    ("trix(close, 5)", columns_seen(lambda f: talib.TRIX(f["close"], 5))),
    ("macd(close, 4, 9)", columns_seen(lambda f: talib.MACD(f["close"], 4, 9, 1)[0])),
    ("macd_signal(close, 4, 9, 5)", columns_seen(lambda f: talib.MACD(f["close"], 4, 9, 5)[1])),
    ("macd_hist(close, 4, 9, 5)", columns_seen(lambda f: talib.MACD(f["close"], 4, 9, 5)[2])),
    ("ppo(close, 4, 9)", columns_seen(lambda f: talib.PPO(f["close"], 4, 9, 1))),
    ("cci(high, low, close, 9)", _cci),
    ("williams_r(high, low, close, 8)", _williams),
    ("stochastic_d(high, low, close, 8, 3)", _stochastic_d),
    ("ultimate_oscillator(high, low, close, 3, 6, 12)", _ultimate),
    ("cmo(close, 6)", _cmo),
    ("dpo(close, 10)", _minus_mean_of_earlier),
    ("balance_of_power(open, high, low, close)", lambda f: (f["close"] - f["open"]) / (f["high"] - f["low"])),
    ("awesome(high, low, 5, 12)", _awesome),
]  # fmt: skip


@on_both_panels(ORACLES)
def test_against_others(text: str, oracle: Oracle, panel: Panel) -> None:
    agree(text, oracle, panel)


WINDOWED: list[Case] = [
    ("cci(high, low, close, 9)", columns(lambda f: talib.CCI(f["high"], f["low"], f["close"], 9))),
    ("williams_r(high, low, close, 8)", columns(lambda f: talib.WILLR(f["high"], f["low"], f["close"], 8))),
    ("100 * stochastic_d(high, low, close, 8, 3)",
     columns(lambda f: talib.STOCHF(f["high"], f["low"], f["close"], 8, 3)[1])),
    ("ultimate_oscillator(high, low, close, 3, 6, 12)",
     columns(lambda f: talib.ULTOSC(f["high"], f["low"], f["close"], 3, 6, 12))),
    ("cmo(close, 6)", columns(lambda f: talib.CMOU(f["close"], 6))),
    ("dpo(close, 10)", columns(lambda f: talib.DPO(f["close"], 10))),
    ("balance_of_power(open, high, low, close)",
     columns(lambda f: talib.BOP(f["open"], f["high"], f["low"], f["close"]))),
    ("awesome(high, low, 5, 12)", columns(lambda f: talib.AO(f["high"], f["low"], 5, 12))),
]  # fmt: skip
"""TA-Lib has no rule for holes in a window, so these run on whole data alone."""


@pytest.mark.parametrize(("text", "oracle"), WINDOWED, ids=[t for t, _ in WINDOWED])
def test_windows_against_talib(text: str, oracle: Oracle) -> None:
    agree(text, oracle, PANEL)
