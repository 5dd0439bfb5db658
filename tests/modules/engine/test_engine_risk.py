"""The risk decision as a table: a row an order, and what must come of it."""

from __future__ import annotations

import math

import pytest
from pydantic import ValidationError

from modules.engine.limits import (
    HARD_MAX_DAILY_LOSS,
    HARD_MAX_INSTRUMENT_NAV,
    HARD_MAX_SECTOR_NAV,
    HARD_MAX_TRADE_RISK,
    RiskLimits,
)
from modules.engine.risk import Decision, OrderRequest, Rule, rule_on

M = 1_000_000
NAV = 1_000_000 * M  # one million of the currency; at price 100 the instrument limit is 500 shares


def ask(asked: int, lots: int = 0, **changes: float) -> OrderRequest:
    known = {"price": 100.0, "nav_micros": NAV, "sigma_day": 0.01, "lots": lots, "asked_lots": asked}
    return OrderRequest(**(known | changes))  # type: ignore[arg-type]


A, R, J, F = Decision.APPROVE, Decision.REDUCE, Decision.REJECT, Decision.FLATTEN
NAN, INF = math.nan, math.inf

CASES = [
    # what it is, order, decision, rule, allowed
    ("well inside", ask(100), A, Rule.WITHIN_LIMITS, 100),
    ("short, well inside", ask(-100), A, Rule.WITHIN_LIMITS, -100),
    ("exactly the instrument limit", ask(500), A, Rule.WITHIN_LIMITS, 500),
    ("one lot above it", ask(501), R, Rule.INSTRUMENT_NAV, 500),
    ("one lot above it, short", ask(-501), R, Rule.INSTRUMENT_NAV, -500),
    ("adding to a full position", ask(1, lots=500), J, Rule.INSTRUMENT_NAV, 0),
    ("adding to a short that drifted over", ask(-10, lots=-600), J, Rule.INSTRUMENT_NAV, 0),
    ("filling what room is left", ask(300, lots=300), R, Rule.INSTRUMENT_NAV, 200),
    ("reducing a position above the limit", ask(-50, lots=900), A, Rule.REDUCES_EXPOSURE, -50),
    ("closing a position above the limit", ask(-900, lots=900), A, Rule.REDUCES_EXPOSURE, -900),
    ("crossing zero inside the limit", ask(-700, lots=400), A, Rule.WITHIN_LIMITS, -700),
    ("crossing zero beyond the limit", ask(-1000, lots=400), R, Rule.INSTRUMENT_NAV, -900),
    ("crossing from above the limit", ask(1500, lots=-900), R, Rule.INSTRUMENT_NAV, 1400),
    ("sector full to the micro", ask(1, sector_others_micros=250_000 * M), J, Rule.SECTOR_NAV, 0),
    ("sector leaves 100 lots", ask(500, sector_others_micros=240_000 * M), R, Rule.SECTOR_NAV, 100),
    (
        "sector over its limit, order reduces",
        ask(-1, lots=9, sector_others_micros=400_000 * M),
        A,
        Rule.REDUCES_EXPOSURE,
        -1,
    ),
    ("sector full, order crosses", ask(-20, lots=5, sector_others_micros=250_000 * M), R, Rule.SECTOR_NAV, -5),
    ("trade risk: 2 x 20 % x notional", ask(400, sigma_day=0.2), R, Rule.TRADE_RISK, 250),
    ("trade risk counts the closing part", ask(-450, lots=200, sigma_day=0.2), R, Rule.TRADE_RISK, -250),
    ("trade risk never stops the closing part", ask(-450, lots=400, sigma_day=0.2), R, Rule.TRADE_RISK, -400),
    ("trade risk within, exactly", ask(250, sigma_day=0.2), A, Rule.WITHIN_LIMITS, 250),
    ("volatility 0 is no risk", ask(500, sigma_day=0.0), A, Rule.WITHIN_LIMITS, 500),
    ("volatility unknown", ask(1, sigma_day=NAN), J, Rule.SIGMA_UNKNOWN, 0),
    ("volatility unknown, order reduces", ask(-1, lots=2, sigma_day=NAN), A, Rule.REDUCES_EXPOSURE, -1),
    ("volatility unknown, order crosses", ask(-5, lots=2, sigma_day=NAN), R, Rule.SIGMA_UNKNOWN, -2),
    ("price missing", ask(1, price=NAN), J, Rule.PRICE_NOT_FINITE, 0),
    ("price infinite", ask(1, price=INF), J, Rule.PRICE_NOT_FINITE, 0),
    ("price zero", ask(1, price=0.0), J, Rule.PRICE_NOT_FINITE, 0),
    ("price negative", ask(1, price=-3.0), J, Rule.PRICE_NOT_FINITE, 0),
    ("price missing, order reduces", ask(-1, lots=2, price=NAN), J, Rule.PRICE_NOT_FINITE, 0),
    ("NAV zero", ask(1, nav_micros=0), J, Rule.NAV_NOT_POSITIVE, 0),
    ("NAV negative", ask(1, nav_micros=-NAV), J, Rule.NAV_NOT_POSITIVE, 0),
    ("NAV negative, order reduces", ask(-1, lots=2, nav_micros=-NAV), A, Rule.REDUCES_EXPOSURE, -1),
    ("NAV negative, order crosses", ask(-9, lots=2, nav_micros=-NAV), R, Rule.NAV_NOT_POSITIVE, -2),
    ("daily loss at its limit", ask(100, lots=70, daily_loss=0.05), F, Rule.DAILY_LOSS, -70),
    ("daily loss just below", ask(100, lots=70, daily_loss=0.0499), A, Rule.WITHIN_LIMITS, 100),
    ("daily loss, nothing held", ask(100, daily_loss=0.2), F, Rule.DAILY_LOSS, 0),
    ("daily loss, a short without a price", ask(0, lots=-30, daily_loss=0.2, price=NAN), F, Rule.DAILY_LOSS, 30),
    ("the tightest limit is named", ask(900, sector_others_micros=240_000 * M), R, Rule.SECTOR_NAV, 100),
    ("a tie goes to the instrument", ask(900, sector_others_micros=200_000 * M), R, Rule.INSTRUMENT_NAV, 500),
    (
        "a quotient that rounds down past a lot that fits",
        ask(10**7, price=0.010000000000000002, nav_micros=20_000 * M),
        R,
        Rule.INSTRUMENT_NAV,
        100_000,
    ),
    ("lots of a ten-thousandth share", ask(5_000_001, lot_size=0.0001), R, Rule.INSTRUMENT_NAV, 5_000_000),
]


@pytest.mark.parametrize(("order", "decision", "rule", "allowed"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_decision_table(order: OrderRequest, decision: Decision, rule: Rule, allowed: int) -> None:
    ruling = rule_on(order, RiskLimits())
    assert (ruling.decision, ruling.rule, ruling.allowed_lots) == (decision, rule, allowed)


def test_a_limit_that_speaks_gives_limit_and_value() -> None:
    ruling = rule_on(ask(800), RiskLimits())
    assert ruling.limit == HARD_MAX_INSTRUMENT_NAV
    assert ruling.value == pytest.approx(0.08)
    sector = rule_on(ask(500, sector_others_micros=240_000 * M), RiskLimits())
    assert sector.limit == HARD_MAX_SECTOR_NAV
    assert sector.value == pytest.approx(0.29)
    trade = rule_on(ask(400, sigma_day=0.2), RiskLimits())
    assert trade.limit == HARD_MAX_TRADE_RISK
    assert trade.value == pytest.approx(0.016)
    assert rule_on(ask(100), RiskLimits()).value is None


def test_the_hard_limits_are_those_of_the_design() -> None:
    hard = (HARD_MAX_INSTRUMENT_NAV, HARD_MAX_SECTOR_NAV, HARD_MAX_DAILY_LOSS, HARD_MAX_TRADE_RISK)
    assert hard == (0.05, 0.25, 0.05, 0.01)


LOOSER = [
    ("max_instrument_nav", 0.0501, "HARD_MAX_INSTRUMENT_NAV"),
    ("max_sector_nav", 0.3, "HARD_MAX_SECTOR_NAV"),
    ("max_daily_loss", 1, "HARD_MAX_DAILY_LOSS"),
    ("max_trade_risk", 0.02, "HARD_MAX_TRADE_RISK"),
    ("max_trade_risk", math.nan, "HARD_MAX_TRADE_RISK"),
]


@pytest.mark.parametrize(("name", "value", "constant"), LOOSER)
def test_looser_limits_are_refused_naming_the_constant(name: str, value: float, constant: str) -> None:
    with pytest.raises(ValidationError, match=constant):
        RiskLimits.model_validate({name: value})


@pytest.mark.parametrize("value", [0.0, -0.01, "off", None, "0.9", True])
def test_limits_cannot_be_switched_off(value: object) -> None:
    with pytest.raises(ValidationError):
        RiskLimits.model_validate({"max_instrument_nav": value})


def test_tighter_limits_bind_first() -> None:
    tight = RiskLimits(max_instrument_nav=0.01)
    assert rule_on(ask(500), tight).allowed_lots == 100
