"""Channels against TA-Lib, to 1e-10 relative, warm-up and seeds included; where it has none, against pandas."""

from __future__ import annotations

import math

import numpy as np
import pytest
import talib

from modules.panel import FloatArray, Panel
from tests.modules.signal.oracles import PANEL, Case, Frame, Frames, Oracle, agree, on_both_panels
from tests.modules.signal.talibs import Columns, columns, columns_seen

_HLC = ("high", "low", "close")


def _keltner(f: Columns) -> FloatArray:
    upper, middle, _ = talib.KC(f["high"], f["low"], f["close"], 6, 6, 1.5)
    return (f["close"] - middle) / (upper - middle)


def _chandelier(f: Columns) -> FloatArray:
    return talib.MAX(f["high"], 6) - 2.5 * talib.ATR(f["high"], f["low"], f["close"], 6)


def _bollinger_width(f: Frames) -> Frame:
    return 4 * f["close"].rolling(9).std() / f["close"].rolling(9).mean()


def _donchian(f: Frames) -> Frame:
    low, high = f["low"].rolling(8).min(), f["high"].rolling(8).max()
    return (2 * f["close"] - high - low) / (high - low) + 0 * f["close"].rolling(8).sum()


ORACLES: list[Case] = [
    ("atr_wilder(high, low, close, 6)",
     columns_seen(lambda f: talib.ATR(f["high"], f["low"], f["close"], 6), *_HLC)),
    ("natr(high, low, close, 6)", columns_seen(lambda f: talib.NATR(f["high"], f["low"], f["close"], 6), *_HLC)),
    ("keltner(high, low, close, 6, 1.5)", columns_seen(_keltner, *_HLC)),
    ("chandelier(high, low, close, 6, 2.5)", columns_seen(_chandelier, *_HLC)),
    ("bollinger_width(close, 9, 2)", _bollinger_width),
    ("donchian_high(high, 8)", lambda f: f["high"].rolling(8).max()),
    ("donchian_low(low, 8)", lambda f: f["low"].rolling(8).min()),
    ("donchian(high, low, close, 8)", _donchian),
]  # fmt: skip


@on_both_panels(ORACLES)
def test_against_others(text: str, oracle: Oracle, panel: Panel) -> None:
    agree(text, oracle, panel)


def _bbands_width(f: Columns) -> FloatArray:
    """TA-Lib divides squares by the window, we by one less, as ts_std does."""
    upper, middle, lower = talib.BBANDS(f["close"], 9, 2.0, 2.0)
    return (upper - lower) / middle * math.sqrt(9 / 8)


def _channel_place(f: Columns) -> FloatArray:
    upper, middle, _ = talib.DONCHIAN(f["high"], f["low"], 8)
    return (f["close"] - middle) / (upper - middle)


WINDOWED: list[Case] = [
    ("bollinger_width(close, 9, 2)", columns(_bbands_width)),
    ("donchian_high(high, 8)", columns(lambda f: talib.DONCHIAN(f["high"], f["low"], 8)[0])),
    ("donchian_low(low, 8)", columns(lambda f: talib.DONCHIAN(f["high"], f["low"], 8)[2])),
    ("donchian(high, low, close, 8)", columns(_channel_place)),
]  # fmt: skip
"""TA-Lib has no rule for holes in a window, so these run on whole data alone."""


@pytest.mark.parametrize(("text", "oracle"), WINDOWED, ids=[t for t, _ in WINDOWED])
def test_windows_against_talib(text: str, oracle: Oracle) -> None:
    agree(text, oracle, PANEL)


def test_the_channel_is_the_published_one() -> None:
    """-1 and 1 are the bands: a close at the edge of the window's range stands at the edge of the channel."""
    close = np.array([[3.0], [5.0], [4.0], [7.0], [1.0]])
    from modules.signal import evaluate, parse

    panel = Panel(np.arange(5), ("A",), {"close": close, "high": close, "low": close})
    np.testing.assert_array_equal(
        evaluate(parse("donchian(high, low, close, 3)"), panel)[:, 0], [np.nan, np.nan, 0.0, 1.0, -1.0]
    )
