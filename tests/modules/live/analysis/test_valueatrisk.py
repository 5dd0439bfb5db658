"""Losses of what is held, beside closed forms.

1. Parts add up to the whole, whatever the holdings; a hedge has a part below 0.
2. Twice the holdings lose twice as much; the same seed draws the same.
3. What is not measured is named, and in no figure.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from modules.live.analysis.valueatrisk import Day, ValueAtRiskError, judge, value_at_risk
from modules.panel import FloatArray
from modules.tail import LEVELS

SYMBOLS = ("A", "B", "C", "D")


def history(seed: int = 1, bars: int = 2_000) -> FloatArray:
    rng = np.random.Generator(np.random.PCG64(seed))
    market = rng.standard_t(5, (bars, 1)) * 0.01
    return np.asarray(market * np.array([1.0, 0.8, 1.2, -0.5]) + rng.standard_normal((bars, 4)) * 0.005)


@pytest.mark.parametrize("horizon", [1, 10])
def test_parts_add_up(horizon: int) -> None:
    weights = {"A": 0.5, "B": 0.3, "C": -0.2, "D": 0.4}
    found = value_at_risk(weights, SYMBOLS, history(), seed=3, horizon_bars=horizon)
    normal, one = found.tail("normal"), value_at_risk(weights, SYMBOLS, history(), seed=3).tail("historical")
    assert normal is not None and one is not None
    assert sum(p.normal for p in found.parts) == pytest.approx(normal.var[-1], rel=1e-12)
    assert sum(p.beyond for p in found.parts) == pytest.approx(one.cvar[-1], rel=1e-12)
    parts = {p.symbol: p.normal for p in found.parts}
    assert parts["A"] > 0.0 > parts["C"] and parts["D"] < 0.0
    assert found.parts[0].symbol == "A"


def test_beside_the_quadratic_form() -> None:
    rows, own = history(), np.array([0.5, 0.3, -0.2, 0.4])
    found = value_at_risk(dict(zip(SYMBOLS, own, strict=True)), SYMBOLS, rows, seed=3, horizon_bars=5)
    normal = found.tail("normal")
    assert normal is not None
    deviation = float(np.sqrt(own @ np.cov(rows.T) @ own * 5))
    for level, var in zip(LEVELS, normal.var, strict=True):
        assert var == pytest.approx(-5 * float(rows.mean(axis=0) @ own) - NormalDist().inv_cdf(1 - level) * deviation)


def test_methods_agree_on_independent_normal_returns() -> None:
    rng = np.random.Generator(np.random.PCG64(5))
    rows = rng.standard_normal((20_000, 1)) * 0.01
    found = value_at_risk({"A": 1.0}, ("A",), rows, seed=1)
    for tail in found.tails:
        assert tail.var == pytest.approx((0.01645, 0.02326), rel=0.05), tail.method


def test_twice_as_much_and_the_same_seed() -> None:
    one = value_at_risk({"A": 0.5, "B": -0.1}, SYMBOLS, history(), seed=7)
    two = value_at_risk({"A": 1.0, "B": -0.2}, SYMBOLS, history(), seed=7)
    for a, b in zip(one.tails[:2], two.tails[:2], strict=True):
        assert b.var == pytest.approx([2 * v for v in a.var if v is not None])  # type: ignore[arg-type]
    assert one == value_at_risk({"A": 0.5, "B": -0.1}, SYMBOLS, history(), seed=7)
    other = value_at_risk({"A": 0.5, "B": -0.1}, SYMBOLS, history(), seed=8)
    assert other.tail("Monte Carlo") != one.tail("Monte Carlo") and other.tail("normal") == one.tail("normal")
    assert "seed 7" in str(one.tail("Monte Carlo"))


def test_what_is_not_measured_is_named() -> None:
    rows = history()
    rows[:200, 1] = np.nan  # a tenth of B
    rows[:50, 2] = np.nan  # few of C
    found = value_at_risk({"A": 0.5, "B": 0.3, "C": 0.1, "Z": -0.2, "D": 0.0}, SYMBOLS, rows, seed=1)
    assert found.not_measured == (("B", 0.3), ("Z", -0.2))
    assert (found.bars, found.left_out) == (1_950, 50)
    assert {p.symbol for p in found.parts} == {"A", "C"}
    alone = value_at_risk({"A": 0.5, "C": 0.1}, SYMBOLS, rows, seed=1)
    assert alone.tails == found.tails


NOTES = [
    ({}, 200, 1, "nothing that is measured"),
    ({"Z": 0.5}, 200, 1, "nothing that is measured"),
    ({"A": 0.5}, 40, 1, "40 bars are too few; 60"),
    ({"A": 0.5}, 100, 60, "100 bars are too few; 120"),
]


@pytest.mark.parametrize(("weights", "bars", "horizon", "note"), NOTES)
def test_where_nothing_can_be_said(weights: dict[str, float], bars: int, horizon: int, note: str) -> None:
    found = value_at_risk(weights, SYMBOLS, history(bars=bars), seed=1, horizon_bars=horizon)
    assert note in found.note and found.tails == () and found.parts == ()


def test_nothing_moved() -> None:
    assert "moved" in value_at_risk({"A": 1.0}, ("A",), np.zeros((100, 1)), seed=1).note


def test_what_does_not_fit() -> None:
    for rows, horizon, why in ((np.zeros((99, 3)), 1, r"\(99, 3\) for 4"), (np.zeros((99, 4)), 0, "horizon_bars = 0")):
        with pytest.raises(ValueAtRiskError, match=why):
            value_at_risk({"A": 1.0}, SYMBOLS, rows, seed=1, horizon_bars=horizon)
    with pytest.raises(ValueAtRiskError, match="infinities"):
        value_at_risk({"A": 1.0}, ("A",), np.full((99, 1), np.inf), seed=1)


ZONES = [
    (0, "green"),
    (4, "green"),
    (5, "yellow"),
    (9, "yellow"),
    (10, "red"),
    (250, "red"),
]  # the Committee's own table


@pytest.mark.parametrize(("exceeded", "zone"), ZONES)
def test_the_zones_of_250_days(exceeded: int, zone: str) -> None:
    found = judge([Day(0.02, -0.03)] * exceeded + [Day(0.02, -0.02)] * (250 - exceeded))
    assert (found.exceeded, found.zone, found.days) == (exceeded, zone, 250) and found.expected == pytest.approx(2.5)
    assert (found.p_value < 0.05) == (exceeded in (0, 250) or exceeded >= 7)


def test_no_day_is_not_judged() -> None:
    with pytest.raises(ValueAtRiskError, match="at least one"):
        judge([])
