"""Trend indicators against TA-Lib, to 1e-10 relative, warm-up and seeds included; where it has none, against pandas."""

from __future__ import annotations

import numpy as np
import pytest
import talib

from modules.panel import Panel
from tests.modules.signal.oracles import PANEL, Case, Frame, Frames, Oracle, agree, on_both_panels
from tests.modules.signal.talibs import columns, columns_seen

_HLC = ("high", "low", "close")


def _newest_extreme(field: str, pick: str) -> Oracle:
    function = getattr(np, pick)
    return lambda f: f[field].rolling(7).apply(lambda w: 100 * (6 - float(function(w[::-1]))) / 6, raw=True)


def _aroon(f: Frames) -> Frame:
    return _newest_extreme("high", "argmax")(f) - _newest_extreme("low", "argmin")(f)


def _vortex(f: Frames) -> Frame:
    before = f["close"].shift(1)
    parts = [f["high"] - f["low"], (f["high"] - before).abs(), (f["low"] - before).abs()]
    true_range = Frame(np.max([p.to_numpy() for p in parts], axis=0)).rolling(6).sum()
    up = (f["high"] - f["low"].shift(1)).abs().rolling(6).sum()
    down = (f["low"] - f["high"].shift(1)).abs().rolling(6).sum()
    return ((up - down) / true_range).where(f["close"].notna())


def _middle(f: Frames, window: int) -> Frame:
    return (f["high"].rolling(window).max() + f["low"].rolling(window).min()) / 2


ORACLES: list[Case] = [
    ("plus_di(high, low, close, 6)",
     columns_seen(lambda f: talib.PLUS_DI(f["high"], f["low"], f["close"], 6), *_HLC)),
    ("minus_di(high, low, close, 6)",
     columns_seen(lambda f: talib.MINUS_DI(f["high"], f["low"], f["close"], 6), *_HLC)),
    ("adx(high, low, close, 6)", columns_seen(lambda f: talib.ADX(f["high"], f["low"], f["close"], 6), *_HLC)),
    ("psar(high, low, 0.02, 0.2)", columns_seen(lambda f: talib.SAR(f["high"], f["low"], 0.02, 0.2), "high", "low")),
    ("psar(high, low, 0.3, 0.5)", columns_seen(lambda f: talib.SAR(f["high"], f["low"], 0.3, 0.5), "high", "low")),
    ("supertrend(high, low, close, 6, 1.5)",
     columns_seen(lambda f: talib.SUPERTREND(f["high"], f["low"], f["close"], 6, 1.5)[0], *_HLC)),
    ("aroon_up(high, 6)", _newest_extreme("high", "argmax")),
    ("aroon_down(low, 6)", _newest_extreme("low", "argmin")),
    ("aroon(high, low, 6)", _aroon),
    ("vortex(high, low, close, 6)", _vortex),
    ("ichimoku_conversion(high, low, 5)", lambda f: _middle(f, 5)),
    ("ichimoku_base(high, low, 9)", lambda f: _middle(f, 9)),
    ("ichimoku_span_a(high, low, 5, 9, 4)", lambda f: ((_middle(f, 5) + _middle(f, 9)) / 2).shift(4)),
    ("ichimoku_span_b(high, low, 12, 4)", lambda f: _middle(f, 12).shift(4)),
]  # fmt: skip


@on_both_panels(ORACLES)
def test_against_others(text: str, oracle: Oracle, panel: Panel) -> None:
    agree(text, oracle, panel)


WINDOWED: list[Case] = [
    ("aroon_up(high, 6)", columns(lambda f: talib.AROON(f["high"], f["low"], 6)[1])),
    ("aroon_down(low, 6)", columns(lambda f: talib.AROON(f["high"], f["low"], 6)[0])),
    ("aroon(high, low, 6)", columns(lambda f: talib.AROONOSC(f["high"], f["low"], 6))),
    ("vortex(high, low, close, 6)",
     columns(lambda f: np.subtract(*talib.VORTEX(f["high"], f["low"], f["close"], 6)))),
    ("ichimoku_base(high, low, 9)", columns(lambda f: talib.MIDPRICE(f["high"], f["low"], 9))),
]  # fmt: skip
"""TA-Lib has no rule for holes in a window, so these run on whole data alone."""


@pytest.mark.parametrize(("text", "oracle"), WINDOWED, ids=[t for t, _ in WINDOWED])
def test_windows_against_talib(text: str, oracle: Oracle) -> None:
    agree(text, oracle, PANEL)
