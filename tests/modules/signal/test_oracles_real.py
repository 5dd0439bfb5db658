"""Chart indicators with their customary windows against TA-Lib on thirteen years of five stocks (`us5`), raw prices
with their splits, two of them listed later: to 1e-10 of the largest value. TA-Lib says 0 where we say NaN."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
import talib

from modules.bundled import registration
from modules.panel import FloatArray, Panel
from modules.signal import evaluate, parse
from tests.modules.signal.oracles import Frame, Oracle
from tests.modules.signal.talibs import Columns, columns_seen

FIELDS = ("open", "high", "low", "close", "volume")


@pytest.fixture(scope="module")
def us5() -> Panel:
    raw = registration("us5").raw
    wide = {name: raw.pivot(on="Ticker", index="Date", values=name.title()).sort("Date") for name in FIELDS}
    ts = wide["close"]["Date"].cast(pl.Datetime("ns")).cast(pl.Int64).to_numpy()
    values = {name: np.ascontiguousarray(w.drop("Date").to_numpy().astype(float)) for name, w in wide.items()}
    return Panel(ts, tuple(wide["close"].columns[1:]), values)


def _hlc(function: Callable[..., FloatArray]) -> Oracle:
    return columns_seen(lambda f: function(f["high"], f["low"], f["close"]))


def _hlcv(function: Callable[..., FloatArray]) -> Oracle:
    return columns_seen(lambda f: function(f["high"], f["low"], f["close"], f["volume"]))


def _keltner(f: Columns) -> FloatArray:
    upper, middle, _ = talib.KC(f["high"], f["low"], f["close"], 20, 20, 2.0)
    return (f["close"] - middle) / (upper - middle)


def _change(total: FloatArray) -> FloatArray:
    return np.append(np.full(20, np.nan), total[20:] - total[:-20])


CASES: list[tuple[str, Oracle]] = [
    ("rsi_wilder(close)", columns_seen(lambda f: talib.RSI(f["close"]))),
    ("stoch_rsi(close)", columns_seen(lambda f: talib.STOCHRSI(f["close"], 14, 14, 1)[0] / 100)),
    ("cci(high, low, close)", _hlc(lambda h, lo, c: talib.CCI(h, lo, c, 20))),
    ("williams_r(high, low, close)", _hlc(talib.WILLR)),
    ("stochastic_d(high, low, close)", _hlc(lambda h, lo, c: talib.STOCHF(h, lo, c, 14, 3)[1] / 100)),
    ("ultimate_oscillator(high, low, close)", _hlc(talib.ULTOSC)),
    ("cmo(close)", columns_seen(lambda f: talib.CMOU(f["close"]))),
    ("trix(close)", columns_seen(lambda f: talib.TRIX(f["close"], 15))),
    ("macd(close)", columns_seen(lambda f: talib.MACD(f["close"], 12, 26, 1)[0])),
    ("macd_signal(close)", columns_seen(lambda f: talib.MACD(f["close"])[1])),
    ("macd_hist(close)", columns_seen(lambda f: talib.MACD(f["close"])[2])),
    ("ppo(close)", columns_seen(lambda f: talib.PPO(f["close"], 12, 26, 1))),
    ("balance_of_power(open, high, low, close)",
     columns_seen(lambda f: talib.BOP(f["open"], f["high"], f["low"], f["close"]))),
    ("awesome(high, low)", columns_seen(lambda f: talib.AO(f["high"], f["low"]))),
    ("plus_di(high, low, close)", _hlc(talib.PLUS_DI)),
    ("minus_di(high, low, close)", _hlc(talib.MINUS_DI)),
    ("adx(high, low, close)", _hlc(talib.ADX)),
    ("aroon(high, low)", columns_seen(lambda f: talib.AROONOSC(f["high"], f["low"], 25))),
    ("vortex(high, low, close)", _hlc(lambda h, lo, c: np.subtract(*talib.VORTEX(h, lo, c)))),
    ("psar(high, low)", columns_seen(lambda f: talib.SAR(f["high"], f["low"], 0.02, 0.2))),
    ("supertrend(high, low, close)", _hlc(lambda h, lo, c: talib.SUPERTREND(h, lo, c)[0])),
    ("ichimoku_base(high, low)", columns_seen(lambda f: talib.MIDPRICE(f["high"], f["low"], 26))),
    ("atr_wilder(high, low, close)", _hlc(talib.ATR)),
    ("natr(high, low, close)", _hlc(talib.NATR)),
    ("keltner(high, low, close)", columns_seen(_keltner)),
    ("chandelier(high, low, close)", _hlc(lambda h, lo, c: talib.MAX(h, 22) - 3 * talib.ATR(h, lo, c, 22))),
    ("mfi(high, low, close, volume)", _hlcv(talib.MFI)),
    ("cmf(high, low, close, volume)", _hlcv(lambda h, lo, c, v: talib.CMF(h, lo, c, v, 20))),
    ("chaikin_oscillator(high, low, close, volume)", _hlcv(talib.ADOSC)),
    ("force_index(close, volume)", columns_seen(lambda f: talib.EFI(f["close"], f["volume"]))),
    ("obv(close, volume)", columns_seen(lambda f: _change(talib.OBV(f["close"], f["volume"])))),
    ("price_volume_trend(close, volume)", columns_seen(lambda f: _change(talib.PVT(f["close"], f["volume"])))),
    ("pvo(volume)", columns_seen(lambda f: talib.PVO(f["volume"], 12, 26, 1))),
]  # fmt: skip


@pytest.mark.parametrize(("text", "oracle"), CASES, ids=[t for t, _ in CASES])
def test_against_talib_on_real_bars(text: str, oracle: Oracle, us5: Panel) -> None:
    expected = np.asarray(oracle({name: Frame(values) for name, values in us5.fields.items()}), dtype=float)
    found = evaluate(parse(text), us5)
    undefined = np.isnan(found) & (expected == 0.0)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected) | undefined)
    assert np.count_nonzero(~np.isnan(found)) > 0.7 * found.size
    largest = float(np.nanmax(np.abs(expected)))
    np.testing.assert_allclose(found, np.where(undefined, np.nan, expected), rtol=0, atol=1e-10 * largest)
