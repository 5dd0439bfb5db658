"""Two engines, one result: vectorbt and the bar engine keep the same account of the same targets.

1. With all frictions off NAV agrees to 1e-9 on every bar, for every bundled signal on every bundled set that has its
   fields; with spread and commission too, at open, next close and the decision's close.
2. Every bundled signal that reads bars is compared on some set; only those that read facts are not.
3. What the two do differently by nature is refused, not compared.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.vector.account import VectorError, VectorTerms, vector_nav
from harness.vector.frictionless import FRICTIONLESS, TOLERANCE, closes_only, free, frictionless, simulate_fine
from harness.vector.ladder import opens_and_closes
from modules.engine.market import fill_prices
from modules.engine.settings import FillWithoutOpen, TradingSettings
from modules.panel import Panel
from tests.harness.vector.bundled import Bundled, bundled, signals, signals_on
from tests.modules.engine.cases import instruments, panel

pytestmark = pytest.mark.slow  # vectorbt takes seconds to import

QUICK = ("default", "near-52-week-high", "family technical")
FACTS = {"value", "quality", "growth", "accruals"}


def largest_difference(
    data: Bundled, weights: Panel, bars: Panel, without_open: FillWithoutOpen, cost_bps: float
) -> float:
    start = int(bars.ts[0])
    if cost_bps == 0.0 and without_open == "previous_close" and set(bars) == {"close"}:
        ours = frictionless(bars, weights, data.instruments, start).account
    else:
        changes = {**FRICTIONLESS, "commission_bps": cost_bps, "fill_without_open": without_open}
        ours = simulate_fine(bars, weights, data.instruments, free(TradingSettings(), **changes), start).account
    theirs = vector_nav(bars, weights["weight"], fill_prices(bars, without_open), VectorTerms(cost_bps * 1e-4))
    # a target that asks for what is held already is an order of rounding for vectorbt, and none for the engine
    assert ours.fills.row.size == pytest.approx(theirs.fills, rel=0.01) and theirs.fills > 0
    assert ours.orders.decision.max() == 0, "an order was not approved whole"
    return float(np.abs(ours.bars.nav / float(ours.bars.nav[0]) / theirs.nav - 1.0).max())


def test_three_bundled_signals_agree(home: Path) -> None:
    data = bundled(home, "us5")
    for name in QUICK:
        node = next(node for known, node in signals().items() if known.startswith(name))
        found = largest_difference(data, data.weights(node), closes_only(data.bars), "previous_close", 0.0)
        assert found < TOLERANCE, name


@pytest.mark.parametrize("name", ["us5", "us20"])
def test_every_bundled_signal_agrees(home: Path, name: str) -> None:
    data = bundled(home, name)
    found = {}
    for signal, node in signals_on(data.bars).items():
        weights = data.weights(node)
        if not weights["weight"].any():
            continue
        found[signal] = largest_difference(data, weights, closes_only(data.bars), "previous_close", 0.0)
    print(name, len(found), max(found.items(), key=lambda pair: pair[1]))
    assert max(found.values()) < TOLERANCE, max(found.items(), key=lambda pair: pair[1])
    assert len(found) > (60 if name == "us5" else 30)


def test_every_bundled_signal_of_bars_is_compared(home: Path) -> None:
    compared = set(signals_on(bundled(home, "us5").bars))
    left = {name for name in signals() if name not in compared}
    assert left == {f"family {name}" for name in FACTS}


@pytest.mark.parametrize("without_open", ["previous_close", "next_close"])
@pytest.mark.parametrize("opens", [True, False])
def test_with_costs_at_any_fill(home: Path, without_open: FillWithoutOpen, opens: bool) -> None:
    data = bundled(home, "us5")
    bars = opens_and_closes(data.bars) if opens else closes_only(data.bars)
    weights = data.weights(signals()["default"])
    assert largest_difference(data, weights, bars, without_open, 5.0) < TOLERANCE


def test_missing_prices_and_late_listings(home: Path) -> None:
    """A symbol that is not there at first, one that is gone for a while, and one that never trades."""
    rng = np.random.default_rng(7)
    close = 50.0 * np.cumprod(1.0 + rng.normal(0.0, 0.02, (400, 6)), axis=0).astype(np.float64)
    close[:100, 1] = np.nan
    close[200:230, 2] = np.nan
    close[:, 3] = np.nan
    bars = panel(close)
    raw = rng.normal(0.0, 0.1, close.shape)
    weights = Panel(bars.ts, bars.symbols, {"weight": np.where(rng.random(close.shape) < 0.2, 0.0, raw)})
    data = Bundled(bars, instruments(bars.symbols))
    sim = frictionless(bars, weights, data.instruments, int(bars.ts[0])).account
    theirs = vector_nav(bars, weights["weight"], fill_prices(bars, "previous_close"))
    assert np.abs(sim.bars.nav / float(sim.bars.nav[0]) / theirs.nav - 1.0).max() < TOLERANCE
    assert sim.fills.row.size == theirs.fills


def test_what_vectorbt_does_otherwise_is_refused() -> None:
    close = np.full((6, 2), 10.0)
    close[2:] = 11.0
    bars = panel(close)
    for weight in (0.6, 0.5):
        with pytest.raises(VectorError, match="cash ran out"):
            vector_nav(bars, np.full((6, 2), weight), fill_prices(bars))
    ruin = np.array([[10.0, 10.0]] * 3 + [[30.0, 10.0]] * 3)
    with pytest.raises(VectorError, match="NAV fell to zero"):
        vector_nav(panel(ruin), np.tile([[-0.9, 0.0]], (6, 1)), fill_prices(panel(ruin)))
