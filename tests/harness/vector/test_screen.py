"""Grids, and the accounts of a sweep.

1. A grid holds every combination once, both ends included; what is no grid is refused with its place.
2. A sweep's account of a signal is the engine's, frictionless but for spread and commission.
3. The compiled sweep of one symbol and vectorbt end at the same value.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.vector.frictionless import FRICTIONLESS, free, simulate_fine
from harness.vector.grid import GridError, check_signals, grid_of
from harness.vector.ladder import opens_and_closes
from harness.vector.parallel import refuse_one_symbol, sweep_by
from harness.vector.screen import Terms, check_with_vectorbt, ranked, sweep_across, sweep_symbol
from modules.engine import metrics as m
from modules.engine.settings import TradingSettings
from modules.signal import parse
from tests.harness.vector.bundled import bundled

REVERSAL = "rank(-returns(close, {days}))"

GRIDS: list[tuple[list[str], list[dict[str, float]]]] = [
    (["a=1:3:1", "b=0.5:1.0:0.25"], [{"a": a, "b": b} for a in (1, 2, 3) for b in (0.5, 0.75, 1.0)]),
    (["a=5,2", "b=7"], [{"a": 5, "b": 7}, {"a": 2, "b": 7}]),
    (["a=1:10:4", "b=0.1:0.3:0.1"], [{"a": a, "b": b} for a in (1, 5, 9) for b in (0.1, 0.2, 0.1 + 2 * 0.1)]),
    (["a=4:4:1", "b=-1:1:1"], [{"a": 4, "b": b} for b in (-1, 0, 1)]),
]


@pytest.mark.parametrize(("axes", "combinations"), GRIDS)
def test_every_combination_once(axes: list[str], combinations: list[dict[str, float]]) -> None:
    grid = grid_of("delay(close, {a}) * {b}", axes)
    assert list(grid.combinations) == combinations
    whole = all("." not in axis for axis in axes)
    assert all(isinstance(v, int) for c in grid.combinations for v in c.values()) == whole


REFUSED = [
    ("rank({a})", [], "places without values: a"),
    ("rank(close)", ["a=1:2:1"], "values without a place: a"),
    ("rank({a})", ["a=1:2:1", "a=3:4:1"], "given twice"),
    ("rank({a})", ["a=1,1"], "given twice"),
    ("rank({a})", ["a=2:1:1"], "LOW <= HIGH"),
    ("rank({a})", ["a=1:2:0"], "STEP above 0"),
    ("rank({a})", ["a=1:2"], "LOW:HIGH:STEP"),
    ("rank({a})", ["a=1:nan:1"], "finite"),
    ("rank({a})", ["a=one"], "LOW:HIGH:STEP"),
    ("rank({a})", ["A=1:2:1"], "no name"),
    ("rank({a})", ["a=1:100000:1"], "allowed are 10000"),
    ("rank({a}, {b})", ["a=1:200:1", "b=1:200:1"], "40000 combinations"),
    ("rank({a", ["a=1:2:1"], "write each place"),
]


@pytest.mark.parametrize(("template", "axes", "message"), REFUSED)
def test_what_is_no_grid_is_refused(template: str, axes: list[str], message: str) -> None:
    with pytest.raises(GridError, match=message.replace("(", r"\(")):
        grid_of(template, axes)


def test_a_combination_that_is_no_signal_is_named() -> None:
    with pytest.raises(GridError, match=r"ts_mean\(close, -1\) is no signal"):
        check_signals(grid_of("ts_mean(close, {a})", ["a=-1:5:6"]))


@pytest.mark.slow
def test_a_sweep_keeps_the_engines_account(home: Path) -> None:
    data = bundled(home, "us5")
    settings = TradingSettings(half_spread_bps=3.0, commission_bps=1.0)
    grid = grid_of(REVERSAL, ["days=2:12:5"])
    found = sweep_across(grid, data.bars, data.instruments, Terms(settings))
    assert [s.values for s in found] == [{"days": 2}, {"days": 7}, {"days": 12}]
    costs = {"half_spread_bps": 3.0, "commission_bps": 1.0}
    for one in found:
        ours = simulate_fine(
            opens_and_closes(data.bars),
            data.weights(parse(one.expr)),
            data.instruments,
            free(settings, **{**FRICTIONLESS, **costs}),
            int(data.bars.ts[0]),
        ).account
        per_year = m.bars_per_year(ours.ts)
        assert one.sharpe == pytest.approx(m.sharpe(ours.net_returns(), per_year), rel=1e-8)
        assert one.annual_return == pytest.approx(m.annual_return(ours.net_returns(), per_year), rel=1e-8)
        assert one.turnover_year == pytest.approx(m.mean(ours.turnover()) * per_year, rel=1e-6)
        assert one.p_value is not None and 0.0 < one.p_value < 1.0
    best = ranked(found)
    assert [s.sharpe for s in best] == sorted((s.sharpe for s in found if s.sharpe is not None), reverse=True)


@pytest.mark.slow
def test_one_symbol_by_two_loops(home: Path) -> None:
    data, terms = bundled(home, "us5"), Terms(TradingSettings())
    grid = grid_of("ts_mean(close, {fast}) > ts_mean(close, {slow})", ["fast=5:15:5", "slow=20:60:20"])
    for symbol in ("IBM.NYSE", "GOOG.NASDAQ"):
        found = sweep_symbol(grid, data.bars, symbol, terms)
        assert len(found) == 9 and len({s.annual_return for s in found}) == 9
        assert check_with_vectorbt(found, data.bars, symbol, terms) < 1e-9
    with pytest.raises(GridError, match="not in the data"):
        sweep_symbol(grid, data.bars, "NOBODY", terms)


@pytest.mark.slow
def test_a_sweep_by_two_processes_has_the_bits_of_one(home: Path) -> None:
    set_ = bundled(home, "us5")
    terms = Terms(TradingSettings(half_spread_bps=3.0, commission_bps=1.0))
    grid = grid_of("rank(-returns(close, {days}) + {share} * returns(close, 2))", ["days=2:13:1", "share=0.5,1.0,2.0"])
    one = sweep_by(grid, set_.bars, set_.instruments, terms, 1)
    two = sweep_by(grid, set_.bars, set_.instruments, terms, 2)
    assert len(one) == 36 and one == two
    with pytest.raises(GridError, match="--symbol"):
        refuse_one_symbol(2, "IBM.NYSE")
