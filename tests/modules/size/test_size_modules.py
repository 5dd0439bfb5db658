"""size/rank_neutral and size/vol_target: what they promise of any target, and their own steps."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pydantic import ValidationError

from modules.contract import Context, Module, ModuleOutputs, check_ports
from modules.engine.accounting import EngineError
from modules.panel import FloatArray, Panel
from modules.registry import load_module
from modules.size.rank_neutral.contract import Outputs
from tests.modules.engine.cases import instruments, panel

RNG = np.random.default_rng(4)
SYMBOLS = tuple("HGFEDCBA")
CLOSE = 50.0 * np.exp(np.cumsum(RNG.normal(0, 0.02, (120, 8)), axis=0))
CLOSE[40:44, 3] = math.nan
BARS = panel(CLOSE, SYMBOLS)
SIGNAL = RNG.normal(size=CLOSE.shape)
for _row in range(1, 120):
    SIGNAL[_row] += 0.8 * SIGNAL[_row - 1]
SIGNAL[60:70, 5] = math.nan
START = 80


def sized(module: Module, signal: FloatArray = SIGNAL, bars: Panel = BARS) -> tuple[FloatArray, ModuleOutputs]:
    """Weights and outputs, through contract and acceptance."""
    inputs = module.inputs(
        bars=bars, signal=Panel(bars.ts, bars.symbols, {"signal": signal}), instruments=instruments(bars.symbols)
    )
    check_ports(module.stage, module.name, "inputs", inputs)
    outputs = module.run(inputs, module.settings, Context(seed=0, start_ns=int(bars.ts[START])))
    check_ports(module.stage, module.name, "outputs", outputs)
    assert module.accept(inputs, outputs, module.settings) == []
    weights = outputs.weights  # type: ignore[attr-defined]
    np.testing.assert_array_equal(weights.ts, bars.ts[START:])
    return weights["weight"], outputs


@pytest.mark.parametrize("name", ["rank_neutral", "vol_target"])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"no_trade_band": 0.02},
        {"smoothing_bars": 5},
        {"no_trade_band": 0.03, "smoothing_bars": 10},
        {"gross_leverage": 0.1},
        {"weight_cap": 0.01, "sector_cap": 0.02},
    ],
)
def test_targets_keep_their_promises(name: str, changes: dict[str, object]) -> None:
    module = load_module("size", name).with_settings({"no_trade_band": 0.0} | changes)
    w, outputs = sized(module)
    settings = module.settings.model_dump()
    assert np.abs(w).max() <= settings["weight_cap"] + 1e-12
    assert (w[np.isnan(SIGNAL[START:]) | np.isnan(CLOSE[START:])] == 0.0).all()
    if not settings["no_trade_band"]:
        assert np.abs(w).sum(axis=1).max() <= settings["gross_leverage"] + 1e-12
        assert outputs.metrics["mean_abs_net"] < 1e-12 or settings["smoothing_bars"] > 1
    assert outputs.metrics["target_turnover"] > 0.0


def test_band_and_smoothing_trade_less() -> None:
    module = load_module("size", "rank_neutral").with_settings({"no_trade_band": 0.0, "smoothing_bars": 1})
    base = sized(module)[1].metrics["target_turnover"]
    for changes in ({"no_trade_band": 0.02}, {"smoothing_bars": 5}):
        assert sized(module.with_settings(changes))[1].metrics["target_turnover"] < 0.8 * base


def test_later_bars_change_no_target() -> None:
    for name in ("rank_neutral", "vol_target"):
        module = load_module("size", name).with_settings({"no_trade_band": 0.01, "smoothing_bars": 3})
        whole = sized(module)[0]
        part = sized(module, SIGNAL[:100], BARS.rows(0, 100))[0]
        np.testing.assert_array_equal(whole[:20], part)


def test_vol_target_reaches_its_volatility() -> None:
    close = 50.0 * np.exp(np.cumsum(RNG.normal(0, 0.01, (3000, 20)), axis=0))
    bars = panel(close, tuple("ABCDEFGHIJKLMNOPQRST"))
    signal = np.tile(np.arange(20.0), (3000, 1))
    module = load_module("size", "vol_target").with_settings({"target_vol": 0.01, "no_trade_band": 0.0})
    w, outputs = sized(module, signal, bars)
    earned = (w[:-1] * (close[START + 1 :] / close[START:-1] - 1.0)).sum(axis=1)
    assert earned.std() * math.sqrt(252) == pytest.approx(0.01, rel=0.1)
    assert outputs.metrics["capped_share"] == 0.0
    capped = sized(module.with_settings({"target_vol": 0.3}), signal, bars)[1]
    assert capped.metrics["capped_share"] == 1.0
    assert any("below target_vol" in note for note in capped.notes)


@pytest.mark.parametrize("name", ["rank_neutral", "vol_target"])
def test_a_signal_that_says_nothing_is_said_loudly(name: str) -> None:
    module = load_module("size", name)
    for signal in (np.full(CLOSE.shape, math.nan), np.ones(CLOSE.shape)):
        assert sized(module, signal)[1].notes[0].startswith("ZERO TARGETS")


@pytest.mark.parametrize(
    "changes", [{"weight_cap": 0.06}, {"gross_leverage": 1.5}, {"no_trade_band": 0.06}, {"smoothing_bars": 0}, {"x": 1}]
)
def test_settings_out_of_bounds_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        load_module("size", "rank_neutral").with_settings(changes)


def test_a_signal_on_other_axes_is_refused() -> None:
    module = load_module("size", "rank_neutral")
    inputs = module.inputs(
        bars=BARS,
        signal=Panel(BARS.ts, tuple(reversed(SYMBOLS)), {"signal": SIGNAL}),
        instruments=instruments(SYMBOLS),
    )
    with pytest.raises(EngineError, match="one column per symbol"):
        module.run(inputs, module.settings, Context(seed=0, start_ns=0))


def test_acceptance_finds_what_is_wrong() -> None:
    module = load_module("size", "rank_neutral").with_settings({"no_trade_band": 0.0, "smoothing_bars": 1})
    inputs = module.inputs(
        bars=BARS, signal=Panel(BARS.ts, SYMBOLS, {"signal": SIGNAL}), instruments=instruments(SYMBOLS)
    )
    outputs = module.run(inputs, module.settings, Context(seed=0, start_ns=int(BARS.ts[START])))
    good = outputs.weights["weight"]  # type: ignore[attr-defined]
    for factor, rule in ((1.2, "weight_cap"), (30.0, "gross"), (None, "cancel")):
        bad = np.abs(good) if factor is None else good * factor
        broken = Outputs(weights=Panel(BARS.ts[START:], SYMBOLS, {"weight": bad}))
        assert any(rule in v.rule for v in module.accept(inputs, broken, module.settings)), rule
