"""What chart indicators promise beyond their formulas.

1. A market that stands still gives exactly what the row says: no trend, no range, and NaN where there is nothing to
   divide by. 0.1 has no exact sum, so a plain mean would leave a rounding error here.
2. A row that names its range stays in it, on bars whose open and close lie between high and low.
3. A memory forgets one absurd bar: long after it, the value is as if the bar had been an ordinary one.
4. A memory skips a bar with NaN, and its next value is as if there had been no such bar.
"""

from __future__ import annotations

import numpy as np
import pytest

from modules.panel import Panel
from modules.signal import evaluate, format_signal, parse
from modules.signal.nodes import Call, Field
from modules.signal.operators import Kind, Operator
from modules.signal.operators.bands import ROWS as BANDS
from modules.signal.operators.oscillators import ROWS as OSCILLATORS
from modules.signal.operators.trend import ROWS as TREND
from modules.signal.operators.volumeflow import ROWS as VOLUME
from tests.modules.signal.panels import make_panel

MEMORIES = [o for o in (*OSCILLATORS, *TREND, *BANDS, *VOLUME) if o.kind is Kind.STATE]

STILL: list[tuple[str, float | None]] = [
    ("rsi_wilder(close, 4)", None), ("stoch_rsi(close, 3, 3)", None), ("cci(high, low, close, 4)", None),
    ("williams_r(high, low, close, 4)", None), ("stochastic_d(high, low, close, 4, 3)", None),
    ("ultimate_oscillator(high, low, close, 2, 3, 4)", None), ("cmo(close, 4)", None), ("trix(close, 3)", 0.0),
    ("macd(close, 2, 4)", 0.0), ("macd_signal(close, 2, 4, 3)", 0.0), ("macd_hist(close, 2, 4, 3)", 0.0),
    ("ppo(close, 2, 4)", 0.0), ("dpo(close, 10)", 0.0), ("balance_of_power(open, high, low, close)", None),
    ("awesome(high, low, 3, 10)", 0.0),
    ("plus_di(high, low, close, 4)", None), ("minus_di(high, low, close, 4)", None), ("adx(high, low, close, 4)", 0.0),
    ("aroon_up(high, 4)", 100.0), ("aroon_down(low, 4)", 100.0), ("aroon(high, low, 4)", 0.0),
    ("vortex(high, low, close, 4)", None), ("psar(high, low)", 0.1), ("ichimoku_conversion(high, low, 4)", 0.1),
    ("ichimoku_base(high, low, 4)", 0.1), ("ichimoku_span_a(high, low, 2, 4, 3)", 0.1),
    ("ichimoku_span_b(high, low, 4, 3)", 0.1), ("supertrend(high, low, close, 4)", 0.1),
    ("atr_wilder(high, low, close, 4)", 0.0), ("natr(high, low, close, 4)", 0.0), ("bollinger_width(close, 10)", 0.0),
    ("keltner(high, low, close, 4)", None), ("donchian_high(high, 4)", 0.1), ("donchian_low(low, 4)", 0.1),
    ("donchian(high, low, close, 4)", None), ("chandelier(high, low, close, 4)", 0.1),
    ("obv(close, volume, 4)", 0.0), ("mfi(high, low, close, volume, 4)", None),
    ("cmf(high, low, close, volume, 4)", 0.0), ("chaikin_oscillator(high, low, close, volume, 2, 4)", 0.0),
    ("force_index(close, volume, 4)", 0.0), ("ease_of_movement(high, low, volume, 4)", 0.0),
    ("price_volume_trend(close, volume, 4)", 0.0), ("pvo(volume, 2, 4)", 0.0),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), STILL, ids=[c[0] for c in STILL])
def test_a_market_that_stands_still(text: str, expected: float | None) -> None:
    """Invariant 1."""
    prices = {name: np.full((30, 2), 0.1) for name in ("open", "high", "low", "close")}
    panel = Panel(np.arange(30), ("A", "B"), {**prices, "volume": np.full((30, 2), 0.7)})
    last = evaluate(parse(text), panel)[-1]
    assert np.isnan(last).all() if expected is None else (last == expected).all()


RANGES: list[tuple[str, float, float]] = [
    ("rsi_wilder(close, 3)", 0, 100), ("stoch_rsi(close, 3, 3)", 0, 1), ("williams_r(high, low, close, 3)", -100, 0),
    ("stochastic_d(high, low, close, 3, 2)", 0, 1), ("ultimate_oscillator(high, low, close, 1, 2, 3)", 0, 100),
    ("cmo(close, 3)", -100, 100), ("balance_of_power(open, high, low, close)", -1, 1),
    ("plus_di(high, low, close, 3)", 0, 100), ("minus_di(high, low, close, 3)", 0, 100),
    ("adx(high, low, close, 3)", 0, 100), ("aroon_up(high, 3)", 0, 100), ("aroon_down(low, 3)", 0, 100),
    ("aroon(high, low, 3)", -100, 100), ("donchian(high, low, close, 3)", -1, 1),
    ("mfi(high, low, close, volume, 3)", 0, 100), ("cmf(high, low, close, volume, 3)", -1, 1),
]  # fmt: skip


@pytest.mark.parametrize(("text", "low", "high"), RANGES, ids=[c[0] for c in RANGES])
def test_a_range_is_kept(text: str, low: float, high: float) -> None:
    """Invariant 2."""
    values = evaluate(parse(text), make_panel(8, rows=2_000, symbols=3, rough=False))
    assert np.nanmin(values) >= low
    assert np.nanmax(values) <= high
    assert np.nanmax(values) - np.nanmin(values) > (high - low) / 5


def _short(operator: Operator) -> Call:
    """The operator with short windows, on the fields that it names."""
    fields = tuple(Field("close" if i == "x" else i) for i in operator.inputs)
    lengths = {"fast": 2, "signal": 2, "step": 0.02, "limit": 0.2, "width": 2.0}
    return Call(operator.name, fields, tuple(lengths.get(p.name, 3) for p in operator.parameters))


@pytest.mark.parametrize("absurd", [1e300, -1e300, 1.7e308, -1.7e308])
@pytest.mark.parametrize("operator", MEMORIES, ids=lambda o: o.name)
def test_one_absurd_bar_is_forgotten(operator: Operator, absurd: float) -> None:
    """Invariant 3."""
    panel = make_panel(9, rows=4_000, symbols=1, rough=False)
    spoilt = {name: values.copy() for name, values in panel.fields.items()}
    for values in spoilt.values():
        values[20] = absurd
    node = _short(operator)
    expected = evaluate(node, panel)[-100:]
    found = evaluate(node, Panel(panel.ts, panel.symbols, spoilt))[-100:]
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize("operator", MEMORIES, ids=lambda o: format_signal(_short(o)))
def test_a_bar_with_a_hole_is_skipped(operator: Operator) -> None:
    """Invariant 4."""
    panel = make_panel(10, rows=40, symbols=1, rough=False)
    node = _short(operator)
    expected = evaluate(node, panel)
    hole = [i for i in operator.inputs if i != "x"] or ["close"]
    fields = {name: np.insert(v, 30, np.nan if name == hole[-1] else 7.0, axis=0) for name, v in panel.fields.items()}
    found = evaluate(node, Panel(np.arange(41), panel.symbols, fields))
    assert np.isnan(found[30]).all()
    np.testing.assert_array_equal(np.delete(found, 30, axis=0), expected)


def test_a_change_within_rounding_is_none() -> None:
    """0.3 + 0.1 + 0.2 and 0.3 + 0.2 + 0.1 differ in their last bit: such a change must not turn the sign of a day's
    flow."""
    bars = {"high": [0.3, 0.3, 0.9], "low": [0.1, 0.2, 0.1], "close": [0.2, 0.1, 0.2], "volume": [1.0, 1.0, 1.0]}
    assert 0.3 + 0.1 + 0.2 != 0.3 + 0.2 + 0.1
    panel = Panel(np.arange(3), ("A",), {name: np.array(v)[:, np.newaxis] for name, v in bars.items()})
    assert evaluate(parse("mfi(high, low, close, volume, 2)"), panel)[-1, 0] == 100.0
