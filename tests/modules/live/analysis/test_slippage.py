"""What trading cost beside the engine's own model of it."""

from __future__ import annotations

import math
import random

import pytest

from modules.engine.settings import Costs
from modules.live.analysis.slippage import Decided, Slip, model_bps, slippage, slips
from modules.live.messages import Filled

COSTS = Costs(half_spread_bps=4.0, commission_bps=1.0, impact_k=0.5)
M = 1_000_000


def filled(client_id: str, exec_id: str, lots: int, price: float, fee: float) -> Filled:
    return Filled(client_id, exec_id, "A.X", lots, price, round(lots * price * M), round(fee * M), 1)


MODEL = [
    # costs, shares, price, sigma, adv, bps
    (COSTS, 100.0, 10.0, math.nan, 1e6, 5.0),
    (COSTS, 100.0, 10.0, 0.02, math.nan, 5.0),
    (COSTS, 10_000.0, 10.0, 0.02, 1e6, 5.0 + 0.5 * 0.02 * 0.1 * 1e4),
    (Costs(half_spread_bps=4.0, commission_bps=0.0, commission_trade_usd=2.0), 100.0, 10.0, math.nan, 1.0, 4.0 + 20.0),
    (Costs(half_spread_bps=4.0, commission_bps=0.0, commission_share_usd=0.01), 100.0, 10.0, math.nan, 1.0, 4.0 + 10.0),
    (
        Costs(half_spread_bps=4.0, commission_bps=1.0, commission_minimum_usd=1.0),
        100.0,
        10.0,
        math.nan,
        1.0,
        4.0 + 10.0,
    ),
    (Costs.none(), 1e5, 10.0, 0.02, 1e6, 0.0),
]


@pytest.mark.parametrize(("costs", "shares", "price", "sigma", "adv", "bps"), MODEL)
def test_the_models_cost(costs: Costs, shares: float, price: float, sigma: float, adv: float, bps: float) -> None:
    assert model_bps(costs, shares, price, sigma, adv) == pytest.approx(bps)


def test_an_order_by_hand() -> None:
    decided = [
        Decided("buy", "A.X", 100.0, 10.0, math.nan, math.nan),
        Decided("sell", "A.X", -50.0, 10.0, math.nan, math.nan),
        Decided("never", "A.X", 10.0, 10.0, math.nan, math.nan),
    ]
    told = [
        filled("buy", "1", 600, 10.01, 0.05),
        filled("buy", "2", 200, 10.03, 0.03),
        filled("sell", "3", -500, 10.02, 0.05),
    ]
    first, second = slips(decided, told, {"A.X": 0.1}, COSTS)
    assert (first.client_id, first.value) == ("buy", 800.0)
    assert first.paid_bps == pytest.approx((60 * 0.01 + 20 * 0.03) / 800.0 * 1e4)
    assert first.fee_bps == pytest.approx(1.0) and first.model_bps == pytest.approx(5.0)
    assert second.paid_bps == pytest.approx(-20.0), "sold above the price decided on: earned"
    assert second.over_bps == pytest.approx(-20.0 + 1.0 - 5.0)


def orders(seed: int, off_bps: float, count: int = 400) -> list[Slip]:
    rng = random.Random(seed)
    return [
        Slip(f"c{k}", "A.X", rng.uniform(100.0, 10_000.0), rng.gauss(4.0 + off_bps, 10.0), 1.0, 5.0)
        for k in range(count)
    ]


VERDICTS = [(0.0, 400, "right"), (5.0, 400, "too kind"), (-5.0, 400, "too harsh"), (50.0, 19, "unknown")]


@pytest.mark.parametrize(("off", "count", "verdict"), VERDICTS)
def test_the_model_is_judged(off: float, count: int, verdict: str) -> None:
    found = slippage(orders(1, off, count))
    assert found.verdict == verdict and found.orders == count
    assert found.over_bps == pytest.approx(found.paid_bps + found.fee_bps - found.model_bps)
    assert list(found.worst) == sorted(found.worst, key=lambda s: -s.over_bps * s.value) and len(found.worst) == 10


def test_a_right_model_is_seldom_called_wrong() -> None:
    wrong = sum(slippage(orders(seed, 0.0, 100)).verdict != "right" for seed in range(500))
    assert wrong <= 20  # of 500 at 1 %, with room for chance


def test_nothing_was_traded() -> None:
    found = slippage([])
    assert found.orders == 0 and found.verdict == "unknown" and math.isnan(found.over_bps)
