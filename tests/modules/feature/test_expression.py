"""feature/expression: what it writes, what it refuses, and what its acceptance catches."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from modules.contract import Context, check_ports
from modules.feature.expression.acceptance import accept
from modules.feature.expression.contract import CONTRACT, Inputs, Outputs
from modules.feature.expression.run import run
from modules.feature.expression.settings import Settings
from modules.panel import FloatArray, Panel
from modules.registry import RegistryError, load_module, validate_settings
from modules.signal import evaluate, parse
from tests.modules.engine.cases import instruments, sectors
from tests.modules.signal.panels import make_panel

BARS = make_panel(21, rows=60, symbols=6, rough=False)


def _run(expr: str, bars: Panel = BARS, start_row: int = 20) -> tuple[Inputs, Outputs, Settings]:
    inputs, settings = Inputs(bars, instruments(bars.symbols)), Settings(expr=expr)
    return inputs, run(inputs, settings, Context(seed=0, start_ns=int(bars.ts[start_row]))), settings


def _with_signal(outputs: Outputs, values: FloatArray) -> Outputs:
    signal = outputs.signal
    return dataclasses.replace(outputs, signal=Panel(signal.ts, signal.symbols, {"signal": values}))


def test_the_module_loads_with_its_default() -> None:
    module = load_module("feature", "expression")
    assert module.settings == Settings(expr="rank(-returns(close, 5))")
    assert module.contract is CONTRACT


def test_it_writes_what_the_language_says() -> None:
    inputs, outputs, settings = _run("rank(-returns(close, 5))")
    check_ports("feature", "expression", "inputs", inputs)
    check_ports("feature", "expression", "outputs", outputs)
    np.testing.assert_array_equal(outputs.signal["signal"], evaluate(parse(settings.expr), BARS))
    assert outputs.metrics["coverage"] == 1.0
    assert outputs.metrics["warmup_bars"] == 5.0
    assert accept(inputs, outputs, settings) == []


@pytest.mark.parametrize(("expr", "low", "high"), [("close", 0.9, 1.0), ("returns(close, 1)", -0.3, 0.3)])
def test_rank_autocorrelation_tells_slow_from_fast(expr: str, low: float, high: float) -> None:
    assert low < _run(expr)[1].metrics["rank_autocorrelation"] <= high


def test_rank_autocorrelation_is_left_out_where_nothing_compares() -> None:
    metrics = _run("month")[1].metrics
    assert "rank_autocorrelation" not in metrics
    assert metrics["coverage"] == 1.0


@pytest.mark.parametrize("expr", ["rank(close", "delay(close, -1)", "", "sma(close, 5)"])
def test_a_signal_that_cannot_be_read_is_no_setting(expr: str) -> None:
    with pytest.raises(RegistryError, match="settings of feature/expression: expr = "):
        validate_settings("feature", "expression", {"expr": expr})


def test_acceptance_finds_holes() -> None:
    inputs, outputs, settings = _run("rank(close)")
    values = outputs.signal["signal"].copy()
    values[::2] = np.nan
    values[1] = np.nan
    found = accept(inputs, _with_signal(outputs, values), settings)
    assert any("at least 50% are needed" in v.rule and "ffill_limit" in v.rule for v in found)


def test_acceptance_wants_symbols_told_apart() -> None:
    inputs, outputs, settings = _run("month + 0 * returns(close, 1)")
    assert [v.rule.partition(";")[0] for v in accept(inputs, outputs, settings)] == [
        "is the same for all symbols in every row"
    ]


def test_acceptance_finds_the_future() -> None:
    """A signal written by code that saw one bar too many."""
    inputs, outputs, settings = _run("returns(close, 1)")
    ahead = np.roll(outputs.signal["signal"], -1, axis=0)
    found = accept(inputs, _with_signal(outputs, ahead), settings)
    assert [v.rule.partition(":")[0] for v in found] == ["reads the future"]
    assert found[0].first_rows and "NYSE" in found[0].first_rows[0]


@pytest.mark.parametrize(
    ("expr", "reads"),
    [
        ("rank(-close)", True),
        ("volume", True),
        ("close - ts_mean(close, 5)", True),
        ("where(close > 50, returns(close, 1), 0)", True),
        ("rank(log(high))", True),
        ("close / ts_mean(close, 5)", False),
        ("ts_slope(log(close), 5)", False),
        ("-log(ts_mean(close * volume, 5))", False),
        ("ts_zscore(log(volume + 1), 10)", False),
        ("volume / ts_mean(volume, 5)", False),
    ],
)
def test_a_signal_of_the_level_of_adjusted_prices_is_said(expr: str, reads: bool) -> None:
    """Back-adjusted levels hold later splits: `rank(-close)` on us20 has a net Sharpe of 1.04 and no edge."""
    _, outputs, _ = _run(expr)
    assert outputs.metrics["reads_level"] == float(reads)
    assert any(note.startswith("READS THE FUTURE, PERHAPS") for note in outputs.notes) == reads


def test_acceptance_wants_the_axes_of_the_bars() -> None:
    inputs, outputs, settings = _run("rank(close)")
    shorter = dataclasses.replace(outputs, signal=outputs.signal.rows(0, 10))
    assert [v.rule for v in accept(inputs, shorter, settings)] == ["must stand on the rows and symbols of the bars"]


def test_a_signal_reads_the_sector_that_held_at_each_bar() -> None:
    """The second symbol moves from A to B at row 30; the sector of the last is not known."""
    ts, mover = BARS.ts, BARS.symbols[1]
    table = sectors(
        *(
            (s, label, 0, None)
            for s, label in zip(BARS.symbols, ("A", "", "B", "B", "B", "UNKNOWN"), strict=True)
            if label
        ),
        (mover, "A", 0, int(ts[30]) - 1),
        (mover, "B", int(ts[30]), None),
    )
    inputs, settings = Inputs(BARS, table), Settings(expr="neutralize(returns(close, 5), sector)")
    check_ports("feature", "expression", "inputs", inputs)
    outputs = run(inputs, settings, Context(seed=0, start_ns=int(ts[20])))
    found, gains = outputs.signal["signal"], evaluate(parse("returns(close, 5)"), BARS)
    np.testing.assert_allclose(found[29, 0], (gains[29, 0] - gains[29, 1]) / 2, rtol=1e-9)
    assert found[30, 0] == 0.0  # alone in A
    np.testing.assert_allclose(found[30, 1], gains[30, 1] - gains[30, 1:5].mean(), rtol=1e-9)
    assert np.isnan(found[:, 5]).all()
    assert accept(inputs, outputs, settings) == []
