"""Moving averages against TA-Lib, pandas and the published formulas."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import talib

from modules.panel import FloatArray, Panel
from modules.signal import evaluate, parse, signal_digest
from tests.modules.signal.oracles import GAPPY, PANEL, Case, Frame, Frames, agree, by_present, by_window, on_both_panels
from tests.modules.signal.panels import bits


def _repeated(combine: Callable[..., pd.Series], times: int) -> Callable[[FloatArray], FloatArray]:
    """pandas' exponential averages of span 5, each of the one before from where that has seen five values."""

    def run(values: FloatArray) -> FloatArray:
        averages = [pd.Series(values)]
        for _ in range(times):
            seen = averages[-1].dropna()
            averages.append(seen.ewm(span=5, adjust=False).mean().iloc[4:].reindex(range(values.size)))
        return combine(*averages[1:]).to_numpy()

    return run


def _wilder(values: FloatArray) -> FloatArray:
    """TA-Lib has Wilder's smoothing inside its ATR: bars from 0 to x have x as true range."""
    zeros = np.zeros(values.size + 1)
    return talib.ATR(np.concatenate([[0.0], values]), zeros, zeros, 5)[1:]


def _kaufman(window: int, fast: int, slow: int) -> Callable[[FloatArray], FloatArray]:
    """Kaufman 1995, in plain words; begins at the last value before the first window is full."""

    def run(values: FloatArray) -> FloatArray:
        out = np.full(values.size, np.nan)
        average = values[window - 1]
        for t in range(window, values.size):
            way = sum(abs(values[k] - values[k - 1]) for k in range(t - window + 1, t + 1))
            efficiency = abs(values[t] - values[t - window]) / way
            smoothing = (efficiency * (2 / (fast + 1) - 2 / (slow + 1)) + 2 / (slow + 1)) ** 2
            average = average + smoothing * (values[t] - average)
            out[t] = average
        return out

    return run


def _hull(w: FloatArray) -> float:
    def wma(v: FloatArray) -> float:
        return float(np.average(v, weights=np.arange(1, v.size + 1)))

    raw = [2 * wma(w[k + 5 : k + 10]) - wma(w[k : k + 10]) for k in range(3)]
    return wma(np.array(raw))


def _alma(w: FloatArray) -> float:
    m, s = 0.85 * (w.size - 1), w.size / 6
    return float(np.average(w, weights=np.exp(-((np.arange(w.size) - m) ** 2) / (2 * s**2))))


def _vwma(f: Frames) -> Frame:
    weights = f["volume"].where(f["close"].notna())
    return (f["close"] * f["volume"]).rolling(10).sum() / weights.rolling(10).sum()


ORACLES: list[Case] = [
    ("wma(close, 10)", by_window(["close"], 10, lambda w: talib.WMA(w, 10)[-1])),
    ("hma(close, 10)", by_window(["close"], 12, _hull)),
    ("trima(close, 9)", by_window(["close"], 9, lambda w: talib.TRIMA(w, 9)[-1])),
    ("trima(close, 10)", by_window(["close"], 10, lambda w: talib.TRIMA(w, 10)[-1])),
    ("alma(close, 10)", by_window(["close"], 10, _alma)),
    ("vwma(close, volume, 10)", _vwma),
    ("ts_decay_exp(close, 10, 0.7)", by_window(["close"], 10,
        lambda w: np.average(w, weights=0.7 ** np.arange(9, -1, -1)))),
    ("ts_decay_exp(close, 10, 0)", lambda f: f["close"] + 0 * f["close"].rolling(10).sum()),
    ("ts_decay_exp(close, 10, 1)", lambda f: f["close"].rolling(10).mean()),
    ("rma(close, 5)", by_present("close", _wilder)),
    ("dema(close, 5)", by_present("close", _repeated(lambda e, f: 2 * e - f, 2))),
    ("tema(close, 5)", by_present("close", _repeated(lambda e, f, g: 3 * e - 3 * f + g, 3))),
    ("kama(close, 10)", by_present("close", lambda v: talib.KAMA(v, 10))),
    ("kama(close, 7, 3, 20)", by_present("close", _kaufman(7, 3, 20))),
]  # fmt: skip


@on_both_panels(ORACLES)
def test_against_others(text: str, oracle: Callable[[Frames], Frame], panel: Panel) -> None:
    agree(text, oracle, panel)


@pytest.mark.parametrize("panel", [PANEL, GAPPY], ids=["whole", "gaps"])
@pytest.mark.parametrize(
    ("name", "composed"),
    [
        ("hma(close, 9)", "wma(2 * wma(close, 4) - wma(close, 9), 3)"),
        ("dema(close, 4)", "2 * ema(close, 4) - ema(ema(close, 4), 4)"),
        ("ts_decay_exp(close, 6, 1)", "ts_mean(close, 6)"),
    ],
)
def test_one_kernel_has_the_bits_of_its_composition(name: str, composed: str, panel: Panel) -> None:
    assert bits(evaluate(parse(name), panel)) == bits(evaluate(parse(composed), panel))


def test_wma_and_decay_linear_are_one_signal() -> None:
    one, other = parse("rank(wma(close, 10))"), parse("rank(decay_linear(close, 10))")
    assert signal_digest(one) == signal_digest(other)
    assert bits(evaluate(one, GAPPY)) == bits(evaluate(other, GAPPY))


@pytest.mark.parametrize(("ours", "theirs"), [("dema", talib.DEMA), ("tema", talib.TEMA)])
def test_another_start_is_forgotten(ours: str, theirs: Callable[..., FloatArray]) -> None:
    """TA-Lib as it comes starts from a mean of the first `span` values, we from the first: the difference dies out."""
    rng = np.random.default_rng(3)
    close = 50.0 + np.cumsum(rng.normal(size=(400, 1)), axis=0)
    found = evaluate(parse(f"{ours}(close, 5)"), Panel(np.arange(400), ("A",), {"close": close}))[:, 0]
    expected = theirs(close[:, 0], 5)
    assert np.nanmax(np.abs(found - expected)) > 1e-3
    np.testing.assert_allclose(found[150:], expected[150:], rtol=1e-10)


def test_kama_moves_fast_where_nothing_moved() -> None:
    """0 / 0 is an efficiency of 1, as in TA-Lib; ts_efficiency by itself has no value there."""
    close = np.full((30, 1), 7.0)
    close[20:] = 9.0
    panel = Panel(np.arange(30), ("A",), {"close": close})
    np.testing.assert_allclose(evaluate(parse("kama(close, 4)"), panel)[:, 0], talib.KAMA(close[:, 0], 4), rtol=1e-12)
    assert np.isnan(evaluate(parse("ts_efficiency(close, 4)"), panel)[:20]).all()


def test_a_value_too_large_to_step_to_is_passed_over() -> None:
    """An average of 1e308 and -1e308 would be infinite for ever; the memory stays as it was instead."""
    close = np.full((12, 1), 2.0)
    close[5] = 1.7e308
    close[6] = -1.7e308
    panel = Panel(np.arange(12), ("A",), {"close": close})
    for text in ("rma(close, 2)", "dema(close, 2)", "tema(close, 2)", "kama(close, 2)"):
        assert np.isfinite(evaluate(parse(text), panel)[-1]).all(), text
