"""backtest/bars: evidence, quantiles and judgement on planted effects and on noise."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from modules.backtest.bars.contract import Inputs, Outputs
from modules.contract import Context, check_ports
from modules.engine.accounting import EngineError
from modules.panel import FloatArray, Panel, ns
from modules.registry import load_module
from tests.modules.engine.cases import instruments, panel

RNG = np.random.default_rng(21)
SYMBOLS = tuple("ABCDEFGHIJKLMNOPQRST")
ROWS, START = 400, 50
DRIFT = np.repeat(np.linspace(-0.004, 0.004, 20)[None, :], ROWS, axis=0)
RETURNS = RNG.normal(0, 0.01, (ROWS, 20)) + DRIFT
BARS = panel(40.0 * np.exp(np.cumsum(RETURNS, axis=0)), SYMBOLS)
MODULE = load_module("backtest", "bars")


def judge(signal: FloatArray, bars: Panel = BARS, start: int = START) -> Outputs:
    """Outputs, through contract and acceptance."""
    inputs = Inputs(
        bars=bars,
        signal=Panel(bars.ts, bars.symbols, {"signal": signal}),
        instruments=instruments(bars.symbols, 0.0001),
    )
    check_ports("backtest", "bars", "inputs", inputs)
    out = MODULE.run(inputs, MODULE.settings, Context(seed=0, start_ns=int(bars.ts[start])))
    check_ports("backtest", "bars", "outputs", out)
    assert MODULE.accept(inputs, out, MODULE.settings) == []
    assert isinstance(out, Outputs)
    return out


def test_a_planted_effect_passes() -> None:
    out = judge(DRIFT)
    assert out.metrics["passed"] == 1.0
    assert out.judgement["passed"].all()
    assert out.metrics["net_sharpe"] > 3.0
    assert out.metrics["ic_mean"] == pytest.approx(0.23, abs=0.05)
    assert out.quantiles["mean_return"].is_sorted()
    assert out.evidence.height == ROWS - START
    assert out.evidence["ic"].null_count() == 2, "a signal needs two bars until its return is known"


def test_the_wrong_sign_fails_and_says_why() -> None:
    out = judge(-DRIFT)
    assert out.metrics["passed"] == 0.0
    failed = out.judgement.filter(~pl.col("passed"))["criterion"].to_list()
    assert failed == ["net_sharpe", "ic_t_stat"]
    assert sum(note.startswith("not passed: ") for note in out.notes) == 2


def test_noise_fails() -> None:
    out = judge(RNG.normal(size=DRIFT.shape))
    assert out.metrics["passed"] == 0.0
    assert abs(out.metrics["ic_mean"]) < 0.05


@pytest.mark.parametrize("signal", [np.full(DRIFT.shape, math.nan), np.zeros(DRIFT.shape)], ids=["missing", "constant"])
def test_a_signal_that_says_nothing_trades_nothing_loudly(signal: FloatArray) -> None:
    out = judge(signal)
    assert out.notes[0].startswith("ZERO TRADES")
    assert out.metrics["passed"] == out.metrics["fills"] == 0.0
    assert "net_sharpe" not in out.metrics
    assert out.judgement.filter(pl.col("criterion") == "net_sharpe")["value"].to_list() == [None]


def test_one_symbol_cannot_be_neutral() -> None:
    bars = panel(BARS["close"][:, :1], ("A",))
    out = judge(DRIFT[:, :1], bars)
    assert out.notes[0].startswith("ZERO TRADES")
    assert out.quantiles.height == 0


def test_later_bars_change_no_evidence() -> None:
    signal = RNG.normal(size=DRIFT.shape)
    whole, part = judge(signal), judge(signal[:300], BARS.rows(0, 300))
    assert whole.evidence.head(300 - START).equals(part.evidence)


def test_coverage_counts_priced_cells() -> None:
    signal = DRIFT.copy()
    signal[:, :15] = math.nan
    out = judge(signal)
    assert out.metrics["coverage"] == pytest.approx(0.25)
    assert "coverage" in out.judgement.filter(~pl.col("passed"))["criterion"].to_list()


def test_a_start_after_the_data_is_refused() -> None:
    inputs = Inputs(bars=BARS, signal=Panel(BARS.ts, SYMBOLS, {"signal": DRIFT}), instruments=instruments(SYMBOLS))
    with pytest.raises(EngineError, match="after the last bar"):
        MODULE.run(inputs, MODULE.settings, Context(seed=0, start_ns=ns("2040-01-01")))


def test_acceptance_finds_what_is_wrong() -> None:
    out = judge(DRIFT)
    inputs = Inputs(bars=BARS, signal=Panel(BARS.ts, SYMBOLS, {"signal": DRIFT}), instruments=instruments(SYMBOLS))
    broken = Outputs(
        evidence=out.evidence.with_columns(pl.col("gross_return") - 1.0).head(9),
        quantiles=out.quantiles,
        judgement=out.judgement.with_columns(~pl.col("passed")),
    )
    rules = " ".join(v.rule for v in MODULE.accept(inputs, broken, MODULE.settings))
    assert "last bars" in rules
    assert "above gross" in rules
    assert "does not follow" in rules
