"""Invariants of the risk decision, over random orders tuned to meet the limits.

1. What is allowed never exceeds what was asked, and has its sign (FLATTEN apart, which closes the whole position).
2. If an order opens anything, the position after it is within the instrument limit and its sector within the sector
   limit, to the micro, and its risk within the trade limit.
3. A reduction is never refused while there is a price and no daily loss.
4. Tighter limits never allow more.
5. REDUCE is maximal: one lot more would break the limit that it names.
6. At the daily loss limit, nothing but closing is ever allowed.
"""

from __future__ import annotations

import math

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from modules.engine.accounting import micros
from modules.engine.limits import RiskLimits
from modules.engine.risk import Decision, OrderRequest, Rule, Ruling, rule_on

M = 1_000_000


@st.composite
def requests(draw: st.DrawFn) -> OrderRequest:
    nav = draw(st.integers(1_000, 50_000_000)) * M
    price = draw(st.floats(0.01, 5_000.0))
    lot = draw(st.sampled_from([1.0, 0.01, 0.0001, 100.0]))
    full = max(1, int(0.05 * nav / (lot * price * M)))  # lots at the instrument limit
    lots = draw(st.integers(-full - full // 2, full + full // 2))
    asked = draw(st.integers(-3 * full, 3 * full).filter(bool))
    others = int(nav * draw(st.sampled_from([0.0, 0.1, 0.2, 0.22, 0.24, 0.25, 0.4])))
    sigma = draw(st.sampled_from([0.0, 0.01, 0.03, 0.1, 0.3, math.nan]))
    loss = draw(st.sampled_from([0.0, 0.0, 0.0, 0.02, 0.05]))
    return OrderRequest(price, nav, lots, asked, lot, others, sigma, loss)


def limits() -> st.SearchStrategy[RiskLimits]:
    return st.builds(
        RiskLimits,
        max_instrument_nav=st.sampled_from([0.05, 0.02, 0.001]),
        max_sector_nav=st.sampled_from([0.25, 0.22, 0.1]),
        max_daily_loss=st.sampled_from([0.05, 0.02]),
        max_trade_risk=st.sampled_from([0.01, 0.002]),
    )


def worth(request: OrderRequest, lots: int) -> int:
    return abs(micros(lots, request.lot_size, request.price)) if lots else 0


def keeps(request: OrderRequest, in_force: RiskLimits, allowed: int) -> dict[Rule, bool]:
    """Which limits hold after `allowed` lots."""
    after = worth(request, request.lots + allowed)
    risk = 2.0 * request.sigma_day * worth(request, allowed)
    return {
        Rule.INSTRUMENT_NAV: after <= math.floor(in_force.max_instrument_nav * request.nav_micros),
        Rule.SECTOR_NAV: after + request.sector_others_micros
        <= math.floor(in_force.max_sector_nav * request.nav_micros),
        Rule.TRADE_RISK: risk <= in_force.max_trade_risk * request.nav_micros * (1 + 1e-9),
        Rule.SIGMA_UNKNOWN: not math.isnan(request.sigma_day),
    }


def opens(request: OrderRequest, allowed: int) -> bool:
    after = request.lots + allowed
    return abs(after) > abs(request.lots) or after * request.lots < 0


def decided(request: OrderRequest, in_force: RiskLimits) -> Ruling:
    ruling = rule_on(request, in_force)
    event(f"{ruling.decision.name} {ruling.rule.name}")
    return ruling


@settings(max_examples=600, deadline=None)
@given(requests(), limits())
def test_limits_hold_after_whatever_is_allowed(request: OrderRequest, in_force: RiskLimits) -> None:
    ruling = decided(request, in_force)
    if ruling.decision is Decision.FLATTEN:
        assert ruling.allowed_lots == -request.lots
        assert request.daily_loss >= in_force.max_daily_loss
        return
    assert abs(ruling.allowed_lots) <= abs(request.asked_lots)
    assert ruling.allowed_lots * request.asked_lots >= 0
    assert (ruling.decision is Decision.APPROVE) == (ruling.allowed_lots == request.asked_lots)
    assert (ruling.decision is Decision.REJECT) == (ruling.allowed_lots == 0)
    if opens(request, ruling.allowed_lots):
        assert all(keeps(request, in_force, ruling.allowed_lots).values())


@settings(max_examples=400, deadline=None)
@given(requests(), limits())
def test_reductions_are_never_refused(request: OrderRequest, in_force: RiskLimits) -> None:
    assume(request.lots != 0 and request.daily_loss < in_force.max_daily_loss)
    part = (
        -request.lots if abs(request.asked_lots) > abs(request.lots) else -abs(request.asked_lots) * sign(request.lots)
    )
    smaller = OrderRequest(
        request.price,
        request.nav_micros,
        request.lots,
        part,
        request.lot_size,
        request.sector_others_micros,
        request.sigma_day,
    )
    assert rule_on(smaller, in_force).decision is Decision.APPROVE


@settings(max_examples=400, deadline=None)
@given(requests(), limits())
def test_tighter_limits_never_allow_more(request: OrderRequest, in_force: RiskLimits) -> None:
    assume(request.daily_loss < in_force.max_daily_loss)
    loose, tight = rule_on(request, RiskLimits()), rule_on(request, in_force)
    assert abs(tight.allowed_lots) <= abs(loose.allowed_lots)


@settings(max_examples=400, deadline=None)
@given(requests(), limits())
def test_a_reduction_is_maximal(request: OrderRequest, in_force: RiskLimits) -> None:
    ruling = decided(request, in_force)
    assume(ruling.decision in (Decision.REDUCE, Decision.REJECT))
    step = sign(request.asked_lots)
    if ruling.rule is Rule.TRADE_RISK:  # the limit is met in floats, so allow a lot of rounding
        step *= 2
    assert ruling.limit is not None
    broken = keeps(request, in_force, ruling.allowed_lots + step)
    assert not broken[ruling.rule]


def sign(value: int) -> int:
    return (value > 0) - (value < 0)
