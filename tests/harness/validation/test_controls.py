"""The run again, dearer and later: what changes is what was meant to."""

from __future__ import annotations

import numpy as np
import pytest

from harness.validation.controls import COST_SETTINGS, dearer, larger, later
from harness.validation.regimes import periods, regimes, trend_regime, volatility_regime
from modules.contract import Context
from modules.engine.settings import TradingSettings
from modules.panel import Panel
from modules.registry import load_module
from tests.harness.validation.market import market

NO_PRICE_OF_TRADING = {
    "capital_usd", "fill_without_open", "max_participation", "participation_of", "remainder", "max_stale_bars",
}  # fmt: skip
"""Assumptions that say how trading goes, not what it costs."""


def test_every_cost_assumption_is_stressed() -> None:
    """Whoever adds a cost adds it to COST_SETTINGS, or says here why it is none."""
    assumed = {
        name
        for name, rule in TradingSettings.model_json_schema()["properties"].items()
        if rule.get("assumption") and name not in NO_PRICE_OF_TRADING
    }
    assert assumed == set(COST_SETTINGS)


def test_dearer_goes_beyond_the_bounds_of_settings() -> None:
    module = load_module("execute", "next_bar").with_settings({"half_spread_bps": 150.0})
    settings = dearer(module).settings.model_dump()
    assert settings["half_spread_bps"] == 450.0 and settings["commission_bps"] == 3.0
    assert settings["impact_k"] == 1.5 and settings["borrow_bps_year"] == 150.0
    assert larger(module, 5e6).settings.model_dump()["capital_usd"] == 5e6


def test_later_gives_the_weights_of_the_signal_a_bar_before() -> None:
    found = market(1, 0.0, bars=60)
    module = load_module("size", "rank_neutral")
    context = Context(seed=0, start_ns=int(found.bars.ts[0]))
    signal = Panel(found.bars.ts, found.bars.symbols, {"signal": found.signal})
    inputs = module.inputs(bars=found.bars, signal=signal, instruments=found.instruments)
    own = module.run(inputs, module.settings, context).weights  # type: ignore[attr-defined]
    control = later(module)
    outputs = control.run(inputs, control.settings, context)
    late = outputs.weights  # type: ignore[attr-defined]
    assert np.array_equal(late["weight"][1:], own["weight"][:-1]) and not late["weight"][0].any()
    assert control.accept(inputs, outputs, control.settings) == []
    assert control.code_digest != module.code_digest != later(module, 2).code_digest


def test_later_needs_a_signal() -> None:
    with pytest.raises(ValueError, match="reads no signal"):
        later(load_module("execute", "next_bar"))


def test_regimes_read_no_bar_of_their_own() -> None:
    x = np.random.Generator(np.random.PCG64(2)).standard_normal(700) * 0.01
    for regime in (volatility_regime, trend_regime):
        whole = regime(x)
        for t in (280, 400, 699):
            changed = x.copy()
            changed[t:] = 9.0
            assert regime(changed)[t] == whole[t]
    assert set(volatility_regime(x)[300:]) == {0, 1, 2} and (volatility_regime(x)[:270] == -1).all()
    assert trend_regime(np.full(200, 0.01))[-1] == 1 and trend_regime(np.full(200, -0.01))[-1] == 0


def test_parts_are_the_account_cut_up() -> None:
    net = np.random.Generator(np.random.PCG64(3)).standard_normal(1000) * 0.01
    ts = np.arange(1000, dtype=np.int64) * 86_400_000_000_000
    found = periods(ts, net, 252.0)
    assert [p.bars for p in found] == [200] * 5 and found[0].name == "1970-01-01 to 1970-07-19"
    assert found[2].sharpe == pytest.approx(net[400:600].mean() / net[400:600].std(ddof=1) * np.sqrt(252))
    kinds = regimes(np.concatenate([np.zeros(300), net]), net, 252.0)
    assert [p.name for p in kinds] == [
        "low volatility", "middle volatility", "high volatility", "market down", "market up",
    ]  # fmt: skip
    assert sum(p.bars for p in kinds[3:]) == 1000
