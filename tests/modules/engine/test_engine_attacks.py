"""Markets and clocks that once went wrong, or could: each ends in the right figure, an error, or a loud note.

1. A sector stays within its limit when the orders that were to make room in it find no price.
2. A loss of five percent within a day of minute bars closes everything at the next bar, until the day is over.
3. A target below one lot is said.
4. A price that hardly moves overflows nothing, and borrow accrues by time, over nights and weekends, by the minute as
   by the day.
5. Fills never know more than the close before them, where there is no open; and only then is that said.
"""

from __future__ import annotations

import numpy as np
import pytest

from modules.engine.market import fill_prices
from modules.engine.settings import Costs
from modules.panel import Panel, ns
from tests.modules.engine.cases import account, days, instruments, panel

MINUTE = 60_000_000_000
DAY = 1_440 * MINUTE


def walk(rows: int, symbols: int, step: float, seed: int = 0) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    return 50.0 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0.0, step, (rows, symbols)), axis=0))


@pytest.mark.parametrize("missing", [(), (0,), (0, 1, 2, 3, 4)], ids=["none", "one", "all"])
def test_1_room_that_is_not_freed_is_not_used(missing: tuple[int, ...]) -> None:
    close = walk(40, 10, 0.0005)
    close[21:25, list(missing)] = np.nan
    bars = panel(close)
    targets = np.zeros((40, 10))
    targets[:20, :5] = 0.05
    targets[20:, 5:] = 0.05
    table = instruments(bars.symbols, 0.0001, dict.fromkeys(bars.symbols, "one"))
    made = account(bars, targets, table=table)
    exposure = made.nav()["gross_exposure"].to_numpy()
    assert exposure.max() < 0.252
    assert exposure[-1] > 0.24
    assert made.bars.lots[-1, :5].tolist() == [0] * 5 and (made.bars.lots[-1, 5:] > 0).all()
    assert (made.unfilled > 0) == bool(missing)


def sessions(count: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.concatenate([ns("2020-01-06") + d * DAY + (870 + np.arange(390)) * MINUTE for d in range(count)])


def test_2_five_percent_in_a_day_of_minutes_closes_everything() -> None:
    ts = sessions(3)
    close = walk(ts.size, 5, 0.0002)
    close[490:] *= np.minimum(np.cumprod(np.full(ts.size - 490, 0.99)), 1.0).clip(0.74)[:, None]
    bars = Panel(ts, tuple("ABCDE"), {"close": close, "open": close})
    made = account(bars, np.full(close.shape, 0.05), table=instruments(bars.symbols, 0.0001))
    nav = made.bars.nav
    loss = 1.0 - nav / nav[389]
    hit = int(np.argmax(loss >= 0.05))
    assert 490 < hit < 540
    assert (made.bars.lots[hit] > 0).all() and (made.bars.lots[hit + 1 : 781] == 0).all()
    assert loss[:780].max() < 0.06
    assert (made.bars.lots[782] > 0).all(), "the next day begins with a clean slate"


def test_3_a_target_below_one_lot_is_said() -> None:
    close = walk(40, 3, 0.001)
    close[:, 0] *= 1e6
    made = account(panel(close), np.tile([0.04, -0.02, -0.02], (30, 1)))
    assert any("less than one lot" in note for note in made.notes())
    assert not any("lot" in note for note in account(panel(close), np.tile([0.0, -0.02, 0.02], (30, 1))).notes())


def test_4_borrow_is_by_time_not_by_bar() -> None:
    """100 days short of 5 % of a million at a constant price and 365 bps a year: 100 x 5 dollars."""
    costs = Costs(half_spread_bps=0.0, commission_bps=0.0, impact_k=0.0, borrow_bps_year=365.0)
    weekday = ns("2021-01-04") + np.array([d * DAY for d in range(109) if d % 7 < 5])
    minutes = ns("2021-01-04") + np.arange(0, 102 * 24 * 60, 60) * MINUTE
    for ts in (weekday, minutes):
        close = np.full((ts.size, 1), 50.0) * (1.0 + 1e-9 * (np.arange(ts.size) % 2))[:, None]
        bars = Panel(ts, ("A",), {"close": close})
        made = account(bars, np.full((ts.size, 1), -0.05), costs=costs, min_order_usd=1_000.0)
        held = made.bars.short > 0
        span = float(ts[held][-1] - ts[held][0]) / DAY
        assert made.metrics()["borrow_usd"] == pytest.approx(5.0 * span, rel=1e-3)


def test_5_a_fill_at_the_previous_close_knows_nothing_later() -> None:
    """Changing closes from bar t on changes no fill of an order decided before t, only whether there is a bar."""
    bars = Panel(days(30), ("A", "B"), {"close": walk(30, 2, 0.02)})
    later = bars["close"].copy()
    later[12:] *= 7.0
    changed = Panel(bars.ts, bars.symbols, {"close": later})
    before, after = fill_prices(bars, "previous_close"), fill_prices(changed, "previous_close")
    assert before[:13].tobytes() == after[:13].tobytes()
    np.testing.assert_array_equal(before[1:], bars["close"][:-1])
    assert np.isnan(before[0]).all()


@pytest.mark.parametrize("missing", [False, True])
def test_5_fills_at_the_decision_are_said_where_there_are_any(missing: bool) -> None:
    """A symbol that is not listed yet has neither open nor close: no fill is early for that."""
    close = walk(30, 2, 0.01)
    close[:9, 1] = np.nan
    opened = close * 1.001
    opened[15, 0] = np.nan if missing else opened[15, 0]
    bars = Panel(days(30), ("A", "B"), {"close": close, "open": opened})
    made = account(bars, np.tile([0.02, -0.02], (30, 1)), fill_without_open="previous_close")
    assert made.early_fills == missing
