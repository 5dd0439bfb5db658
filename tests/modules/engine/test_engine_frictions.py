"""Frictions by hand: commission schedules, permanent impact, funding, the cap on volume, prices that stand still."""

from __future__ import annotations

import numpy as np
import pytest

from modules.engine.accounting import EngineError
from modules.engine.costs import still_bars
from modules.engine.result import Simulation
from modules.engine.settings import Costs, Liquidity, TradingSettings
from modules.panel import Panel
from tests.modules.engine.cases import account, panel

NAN = float("nan")
WARM = [[99.0], [101.0], [99.0], [101.0], [99.0], [101.0]]
FREE = {"half_spread_bps": 0.0, "commission_bps": 0.0, "impact_k": 0.0, "borrow_bps_year": 0.0}
ONE = 1_000_000


def bars(closes: list[float], volume: list[float] | None = None) -> Panel:
    close = [*WARM, *([x] for x in closes)]
    more = {} if volume is None else {"volume": [[1000.0]] * len(WARM) + [[v] for v in volume]}
    return panel(close, **more)


def hold(market: Panel, weight: float, rows: int, **terms: object) -> Simulation:
    return account(market, [[weight]] * rows, **terms)


SCHEDULES = [
    ({"commission_share_usd": 0.005}, 2.0),
    ({"commission_trade_usd": 1.5}, 1.5),
    ({"commission_share_usd": 0.005, "commission_trade_usd": 1.5}, 3.5),
    ({"commission_bps": 1.0, "commission_share_usd": 0.005}, 6.0),
    ({"commission_share_usd": 0.0005, "commission_minimum_usd": 1.0}, 1.0),
    ({"commission_bps": 1.0, "commission_minimum_usd": 1.0}, 4.0),
]


@pytest.mark.parametrize(("schedule", "usd"), SCHEDULES)
def test_the_commission_of_400_shares_at_100(schedule: dict[str, float], usd: float) -> None:
    sim = hold(bars([100.0] * 2), 0.04, 2, costs=Costs(**{**FREE, **schedule}))
    assert sim.fills.lots.tolist() == [400]
    assert sim.fills.commission.tolist() == [round(usd * ONE)]


def test_a_lot_of_many_shares_pays_for_each() -> None:
    from tests.modules.engine.cases import instruments

    sim = hold(
        bars([100.0] * 2),
        0.04,
        2,
        costs=Costs(**{**FREE, "commission_share_usd": 0.005}),
        table=instruments(["A"], 100.0),
    )
    assert (sim.fills.lots.tolist(), sim.fills.commission.tolist()) == ([4], [2 * ONE])


def test_permanent_impact_is_half_of_gamma_sigma_q_over_adv() -> None:
    market = bars([100.0, 100.0], [1000.0, 1000.0])
    sim = hold(market, 0.04, 2, costs=Costs(**{**FREE, "permanent_impact_gamma": 0.314}))
    moves = np.diff(np.array([99.0, 101.0, 99.0, 101.0, 99.0, 101.0, 100.0])) / np.array(
        [99.0, 101.0, 99.0, 101.0, 99.0, 101.0]
    )
    sigma = np.sqrt(np.mean(moves**2))
    assert sim.fills.impact.tolist() == [round(40_000 * ONE * 0.5 * 0.314 * sigma * 0.4)]
    assert sim.bars.positions[-1] == 40_000 * ONE, "the mark stays at the price observed"


def test_funding_is_charged_on_longs_and_borrow_on_shorts_actual_365() -> None:
    """Five week days and a weekend: a week of 100 bps a year on 40,000."""
    market = bars([100.0] * 8)
    for weight, paid in ((0.04, "funding"), (-0.04, "borrow")):
        costs = Costs(**{**FREE, "funding_bps_year": 100.0, "borrow_bps_year": 100.0})
        sim = hold(market, weight, 8, costs=costs, min_order_usd=1_000.0)
        charged = getattr(sim.bars, paid)
        days = np.diff(sim.ts) // 86_400_000_000_000
        expected = [0, 0, *(round(40_000 * ONE * 0.01 * d / 365) for d in days[1:].tolist())]
        assert charged.tolist() == expected
        other = sim.bars.borrow if paid == "funding" else sim.bars.funding
        assert not other.any()
    assert hold(market, 0.04, 8, costs=Costs(**{**FREE, "funding_bps_year": 100.0})).metrics()["funding_usd"] > 0


def test_a_cap_cuts_the_fill_and_the_rest_is_decided_anew() -> None:
    market = bars([100.0] * 5, [1000.0] * 5)
    sim = hold(market, 0.04, 5, liquidity=Liquidity(0.1))
    assert sim.fills.lots.tolist() == [100] * 4
    assert sim.orders.asked.tolist() == [400, 300, 200, 100]
    assert sim.partial == 3 and any("3 fills were cut by max_participation" in n for n in sim.notes())


def test_what_is_left_over_works_on_as_one_order() -> None:
    market = bars([100.0] * 6, [1000.0] * 6)
    sim = hold(market, 0.04, 6, liquidity=Liquidity(0.1, remainder="stays"))
    assert sim.orders.asked.tolist() == [400]
    assert sim.fills.order.tolist() == [0] * 4 and sim.fills.lots.tolist() == [100] * 4


def test_an_order_that_works_is_cancelled_where_the_target_turns() -> None:
    market = bars([100.0] * 5, [1000.0] * 5)
    sim = account(market, [[0.04], [0.04], [0.0], [0.0], [0.0]], liquidity=Liquidity(0.1, remainder="stays"))
    assert sim.orders.asked.tolist() == [400, -200]
    assert sim.fills.lots.tolist() == [100, 100, -100, -100]


def test_an_order_that_works_goes_over_a_bar_without_volume() -> None:
    market = bars([100.0] * 6, [1000.0, 1000.0, 0.0, 1000.0, 1000.0, 1000.0])
    sim = hold(market, 0.02, 6, liquidity=Liquidity(0.1, remainder="stays"))
    assert [int(r) - sim.start for r in sim.fills.row] == [1, 3]


def test_the_mean_volume_before_may_be_the_measure() -> None:
    market = bars([100.0] * 3, [1000.0, 5.0, 5.0])
    own, mean = (hold(market, 0.04, 3, liquidity=Liquidity(0.2, of)) for of in ("bar", "average"))
    assert own.fills.lots.tolist() == [1, 1]
    assert mean.fills.lots.tolist()[0] == 200


def test_a_cap_without_volume_is_refused() -> None:
    with pytest.raises(EngineError, match=r"max_participation = 0.1 and the bars have no volume"):
        hold(bars([100.0] * 2), 0.04, 2, liquidity=Liquidity(0.1))


def test_unknown_volume_under_a_cap_fills_nothing() -> None:
    sim = hold(bars([100.0] * 2, [1000.0, NAN]), 0.04, 2, liquidity=Liquidity(0.5))
    assert sim.fills.row.size == 0 and sim.unfilled == 1


def test_a_price_that_stands_still_fills_only_so_long() -> None:
    closes = [100.0, 100.0, 100.0, 100.0, 103.0, 103.0]
    still = still_bars(np.array([*WARM, *([x] for x in closes)]))[6:, 0]
    assert still.tolist() == [0, 1, 2, 3, 0, 1]
    targets = [[0.01], [0.02], [0.03], [0.04], [0.04], [0.04]]
    free, bound = (account(bars(closes), targets, liquidity=Liquidity(stale_bars=n)) for n in (0, 1))
    assert [int(r) - 6 for r in free.fills.row] == [1, 2, 3, 4, 5]
    assert [int(r) - 6 for r in bound.fills.row] == [1, 4, 5]


def test_a_missing_bar_moves_no_price() -> None:
    assert still_bars(np.array([[NAN], [5.0], [NAN], [5.0], [6.0]]))[:, 0].tolist() == [0, 0, 1, 2, 0]


def test_settings_pass_every_friction_on() -> None:
    chosen = TradingSettings(
        commission_share_usd=0.01, commission_trade_usd=2.0, commission_minimum_usd=3.0, permanent_impact_gamma=0.3,
        funding_bps_year=10.0, max_participation=0.1, participation_of="average", remainder="stays", max_stale_bars=5,
    )  # fmt: skip
    assert chosen.costs == Costs(4.0, 1.0, 0.5, 50.0, 0.01, 2.0, 3.0, 0.3, 10.0)
    assert chosen.liquidity == Liquidity(0.1, "average", "stays", 5)
    assert TradingSettings().liquidity == Liquidity() and TradingSettings().costs == Costs()
