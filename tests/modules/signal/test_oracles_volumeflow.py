"""Volume indicators against TA-Lib, to 1e-10 relative, warm-up and seeds included; where it has none, against pandas.

What TA-Lib accumulates since the start (OBV, PVT) is compared as its change over the window."""

from __future__ import annotations

import numpy as np
import pytest
import talib

from modules.panel import FloatArray, Panel
from tests.modules.signal.oracles import PANEL, Case, Frame, Frames, Oracle, agree, on_both_panels
from tests.modules.signal.talibs import Columns, columns, columns_seen

_HLCV = ("high", "low", "close", "volume")


def _typical(f: Frames) -> Frame:
    return (f["high"] + f["low"] + f["close"]) / 3


def _obv(f: Frames) -> Frame:
    return (np.sign(f["close"].diff()) * f["volume"]).rolling(6).sum()


def _vwap(f: Frames) -> Frame:
    price = _typical(f)
    return (price * f["volume"]).rolling(6).sum() / f["volume"].where(price.notna()).rolling(6).sum()


def _mfi(f: Frames) -> Frame:
    price = _typical(f)
    flow, change = price * f["volume"], price.diff()
    rose = flow.where(change > 0, 0 * flow * change)
    moved = flow.where(change != 0, 0 * flow) + 0 * change
    return 100 * rose.rolling(6).sum() / moved.rolling(6).sum()


def _cmf(f: Frames) -> Frame:
    flow = f["volume"] * (2 * f["close"] - f["high"] - f["low"]) / (f["high"] - f["low"])
    return flow.rolling(6).sum() / f["volume"].rolling(6).sum()


def _ease(f: Frames) -> Frame:
    move = ((f["high"] + f["low"]) / 2).diff()
    return (move * (f["high"] - f["low"]) / f["volume"]).rolling(6).mean()


def _price_volume(f: Frames) -> Frame:
    return (f["volume"] * f["close"].pct_change(fill_method=None)).rolling(6).sum()


ORACLES: list[Case] = [
    ("obv(close, volume, 6)", _obv),
    ("vwap(high, low, close, volume, 6)", _vwap),
    ("mfi(high, low, close, volume, 6)", _mfi),
    ("cmf(high, low, close, volume, 6)", _cmf),
    ("ease_of_movement(high, low, volume, 6)", _ease),
    ("price_volume_trend(close, volume, 6)", _price_volume),
    ("chaikin_oscillator(high, low, close, volume, 4, 9)",
     columns_seen(lambda f: talib.ADOSC(f["high"], f["low"], f["close"], f["volume"], 4, 9), *_HLCV)),
    ("force_index(close, volume, 6)", columns_seen(lambda f: talib.EFI(f["close"], f["volume"], 6), "close", "volume")),
    ("pvo(volume, 4, 9)", columns_seen(lambda f: talib.PVO(f["volume"], 4, 9, 1), "volume")),
]  # fmt: skip


@on_both_panels(ORACLES)
def test_against_others(text: str, oracle: Oracle, panel: Panel) -> None:
    agree(text, oracle, panel)


def _change(total: FloatArray) -> FloatArray:
    return np.append(np.full(6, np.nan), total[6:] - total[:-6])


def _volume_price(f: Columns) -> FloatArray:
    price = talib.TYPPRICE(f["high"], f["low"], f["close"])
    return talib.SUM(price * f["volume"], 6) / talib.SUM(f["volume"], 6)


WINDOWED: list[Case] = [
    ("obv(close, volume, 6)", columns(lambda f: _change(talib.OBV(f["close"], f["volume"])))),
    ("price_volume_trend(close, volume, 6)", columns(lambda f: _change(talib.PVT(f["close"], f["volume"])))),
    ("mfi(high, low, close, volume, 6)",
     columns(lambda f: talib.MFI(f["high"], f["low"], f["close"], f["volume"], 6))),
    ("cmf(high, low, close, volume, 6)",
     columns(lambda f: talib.CMF(f["high"], f["low"], f["close"], f["volume"], 6))),
    ("vwap(high, low, close, volume, 6)", columns(_volume_price)),
]  # fmt: skip
"""TA-Lib has no rule for holes in a window, so these run on whole data alone."""


@pytest.mark.parametrize(("text", "oracle"), WINDOWED, ids=[t for t, _ in WINDOWED])
def test_windows_against_talib(text: str, oracle: Oracle) -> None:
    agree(text, oracle, PANEL)
