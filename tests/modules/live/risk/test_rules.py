"""Each control of the risk core, a row a case: what is spoilt, the answer, the rule, and the lots that may go out.

1. Every rule speaks in some row.
2. Where two would speak, the one that comes first in `rules.py` is named.
3. What reduces a position passes whatever the account looks like, but not what is malformed, unknown or killed.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec
import pytest

from modules.live.risk.core import RiskCore, RiskCoreError
from modules.live.risk.rules import Answer, Rule
from tests.modules.live.risk.desk import MICROS, NOW, core, hold, instrument, order

A, RD, RJ, F = Answer.APPROVE, Answer.REDUCE, Answer.REJECT, Answer.FLATTEN
Made = Callable[[], tuple[RiskCore, object]]


def at_loss(price: float, lots: int = 400, **limits: object) -> RiskCore:
    made = core(**limits)
    hold(made, lots)
    made.mark("AAA", price, NOW)
    return made


def killed() -> RiskCore:
    made = core()
    hold(made, 100)
    made.kill(True)
    return made


def closed() -> RiskCore:
    made = core()
    made.trading("AAA", False)
    return made


def busy(count: int, **limits: object) -> RiskCore:
    made = core(**limits)
    for _ in range(count):
        made.ask(order(1))
    return made


def resting(lots: int, price: float) -> RiskCore:
    made = core()
    made.ask(order(lots, order_type="limit", limit_price=price))
    return made


def two(**changed: object) -> RiskCore:
    """Two instruments, the first held at 400 lots of 100: 4 % of NAV."""
    made = core(instrument(), instrument("BBB", **changed))
    hold(made, 400)
    return made


def many(**limits: object) -> RiskCore:
    """Nine names of as many sectors, each held at 4 % of NAV."""
    names = [instrument(f"N{i}", sector=f"s{i}") for i in range(9)]
    made = core(instrument(sector="own"), *names, messages_a_second=1000, repeats_a_minute=120, **limits)
    for i in range(9):
        hold(made, 400, f"N{i}", strategy="alpha" if i < 5 else "beta")
    return made


def repeated() -> RiskCore:
    made = core()
    made.ask(order(10, client_id="again"))
    return made


def drawn_down() -> RiskCore:
    """Up first, so that the fall from the peak is larger than the day's loss."""
    made = core(max_daily_loss=0.05, max_drawdown=0.01)
    hold(made, 400)
    made.mark("AAA", 150.0, NOW)
    made.mark("AAA", 110.0, NOW)
    return made


def short_of(cash: int) -> RiskCore:
    made = core()
    made.buying_power(cash * MICROS)
    return made


def recovered() -> RiskCore:
    made = at_loss(70.0, max_daily_loss=0.01)
    made.mark("AAA", 100.0, NOW)
    return made


def unpriced() -> RiskCore:
    made = core()
    return RiskCore(made.limits, made.instruments, cash_micros=made.nav_micros, mode="paper", build="b1")


def poor() -> RiskCore:
    made = at_loss(100.0)
    made.buying_power(0)
    return made


def selling() -> RiskCore:
    """All that is held is for sale already."""
    made = at_loss(100.0)
    assert made.ask(order(-400)).allowed_lots == -400
    return made


def short_already() -> RiskCore:
    made = core(instrument(located_lots=100))
    hold(made, -60)
    return made


ROWS = [
    # name, core, order, answer, rule, lots
    ("an ordinary order", core, {}, A, Rule.WITHIN_LIMITS, 100),
    ("a closing order", lambda: at_loss(100.0), {"lots": -400}, A, Rule.REDUCES_EXPOSURE, -400),
    ("killed", killed, {}, RJ, Rule.KILLED, 0),
    ("killed, though it closes", killed, {"lots": -100}, RJ, Rule.KILLED, 0),
    ("the day's loss", lambda: at_loss(70.0, max_daily_loss=0.01), {}, F, Rule.DAILY_LOSS, -400),
    ("the day's loss, recovered", recovered, {}, F, Rule.DAILY_LOSS, -400),
    ("a fall from the peak", drawn_down, {}, F, Rule.DRAWDOWN, -400),
    ("live on paper", core, {"mode": "live"}, RJ, Rule.MODE, 0),
    ("another build", core, {"build": "b2"}, RJ, Rule.BUILD, 0),
    ("an unknown strategy", core, {"strategy": "gamma"}, RJ, Rule.STRATEGY, 0),
    ("an unknown venue", core, {"venue": "ib"}, RJ, Rule.VENUE, 0),
    ("an unknown instrument", core, {"symbol": "ZZZ"}, RJ, Rule.INSTRUMENT, 0),
    ("a restricted one", lambda: core(restricted=["AAA"]), {}, RJ, Rule.RESTRICTED, 0),
    ("a restricted one, though held short of the sale", lambda: core(restricted=["AAA"]), {"lots": -1}, RJ,
     Rule.RESTRICTED, 0),
    ("a closed market", closed, {}, RJ, Rule.MARKET_STATE, 0),
    ("a stop order", core, {"order_type": "stop"}, RJ, Rule.ORDER_TYPE, 0),
    ("an order type of no name", core, {"order_type": "pegged"}, RJ, Rule.ORDER_TYPE, 0),
    ("good till cancelled", core, {"time_in_force": "gtc"}, RJ, Rule.TIME_IN_FORCE, 0),
    ("no lots", core, {"lots": 0}, RJ, Rule.QUANTITY, 0),
    ("more lots than are exact", core, {"lots": 2**60}, RJ, Rule.QUANTITY, 0),
    ("a limit without a price", core, {"order_type": "limit"}, RJ, Rule.LIMIT_PRICE, 0),
    ("a limit of 0", core, {"order_type": "limit", "limit_price": 0.0}, RJ, Rule.LIMIT_PRICE, 0),
    ("a limit of infinity", core, {"order_type": "limit", "limit_price": math.inf}, RJ, Rule.LIMIT_PRICE, 0),
    ("a limit below 0", core, {"order_type": "limit", "limit_price": -1.0}, RJ, Rule.LIMIT_PRICE, 0),
    ("a limit off the tick", core, {"order_type": "limit", "limit_price": 100.005}, RJ, Rule.TICK, 0),
    ("a limit on the tick", core, {"order_type": "limit", "limit_price": 100.01}, A, Rule.WITHIN_LIMITS, 100),
    ("more than its parent", core, {"parent_left": 99}, RJ, Rule.PARENT, 0),
    ("as much as its parent", core, {"parent_left": 100}, A, Rule.WITHIN_LIMITS, 100),
    ("too many messages", lambda: busy(2, messages_a_second=2), {}, RJ, Rule.MESSAGE_RATE, 0),
    ("a second later", lambda: busy(2, messages_a_second=2), {"now_ns": NOW + 10**9}, A, Rule.WITHIN_LIMITS, 100),
    ("a client id again", repeated, {"client_id": "again"}, RJ, Rule.DUPLICATE, 0),
    ("the same side again and again", lambda: busy(3, repeats_a_minute=3), {}, RJ, Rule.REPEATED, 0),
    ("the other side", lambda: busy(3, repeats_a_minute=3), {"lots": -1}, A, Rule.WITHIN_LIMITS, -1),
    ("no price yet", unpriced, {}, RJ, Rule.REFERENCE_PRICE, 0),
    ("an old price", core, {"now_ns": NOW + 5_000_000_001}, RJ, Rule.STALE_PRICE, 0),
    ("an old price, and it closes", lambda: at_loss(100.0), {"lots": -400, "now_ns": NOW + 10**10}, A,
     Rule.REDUCES_EXPOSURE, -400),
    ("an old price, and it closes more than is held", lambda: at_loss(100.0), {"lots": -401, "now_ns": NOW + 10**10},
     RD, Rule.STALE_PRICE, -400),
    ("an old price, and what closes is on its way", selling, {"lots": -1, "now_ns": NOW + 10**10}, RJ,
     Rule.STALE_PRICE, 0),
    ("an old price, and a limit far from it", lambda: at_loss(100.0),
     {"lots": -4, "now_ns": NOW + 10**10, "order_type": "limit", "limit_price": 90.0}, RJ, Rule.COLLAR, 0),
    ("a price just young enough", core, {"now_ns": NOW + 5_000_000_000}, A, Rule.WITHIN_LIMITS, 100),
    ("a price from the future", core, {"now_ns": NOW - 5_000_000_001}, RJ, Rule.STALE_PRICE, 0),
    ("beyond the collar", core, {"order_type": "limit", "limit_price": 103.01}, RJ, Rule.COLLAR, 0),
    ("below the collar", core, {"order_type": "limit", "limit_price": 96.99, "lots": -1}, RJ, Rule.COLLAR, 0),
    ("at the collar", core, {"order_type": "limit", "limit_price": 102.99}, A, Rule.WITHIN_LIMITS, 100),
    ("meeting our own offer", lambda: resting(-100, 101.0), {"order_type": "limit", "limit_price": 101.0}, RJ,
     Rule.SELF_MATCH, 0),
    ("below our own offer", lambda: resting(-100, 101.0), {"order_type": "limit", "limit_price": 100.99}, A,
     Rule.WITHIN_LIMITS, 100),
    ("meeting our own bid", lambda: resting(100, 99.0), {"lots": -5}, RJ, Rule.SELF_MATCH, 0),
    ("nothing left", lambda: core(cash=0), {}, RJ, Rule.NAV_NOT_POSITIVE, 0),
    ("too many lots", lambda: core(max_order_lots=99), {}, RJ, Rule.ORDER_LOTS, 0),
    ("too large a value", lambda: core(max_order_nav=0.009), {}, RJ, Rule.ORDER_VALUE, 0),
    ("an instrument's share", lambda: at_loss(100.0), {"lots": 200}, RD, Rule.INSTRUMENT_NAV, 100),
    ("an instrument's share, with open orders", lambda: with_open(400), {"lots": 200}, RD, Rule.INSTRUMENT_NAV, 100),
    ("an instrument's share, full", lambda: at_loss(100.0, 500), {"lots": 200}, RJ, Rule.INSTRUMENT_NAV, 0),
    ("a sector's share", lambda: two_limits(max_sector_nav=0.06), {"symbol": "BBB", "lots": 400}, RD,
     Rule.SECTOR_NAV, 200),
    ("risk of a trade", lambda: core(instrument(sigma_day=0.2)), {"lots": 300}, RD, Rule.TRADE_RISK, 250),
    ("volatility unknown", lambda: core(instrument(sigma_day=math.nan)), {}, RJ, Rule.SIGMA_UNKNOWN, 0),
    ("longer than the instrument allows", lambda: core(instrument(max_long_lots=60)), {}, RD, Rule.LONG_LOTS, 60),
    ("shorter than the instrument allows", lambda: core(instrument(max_short_lots=60)), {"lots": -100}, RD,
     Rule.SHORT_LOTS, -60),
    ("without a locate", lambda: core(instrument(located_lots=0)), {"lots": -100}, RJ, Rule.LOCATE, 0),
    ("beyond the locate, from a long", lambda: located(70), {"lots": -500}, RD, Rule.LOCATE, -470),
    ("beyond the locate, short already", short_already, {"lots": -60}, RD, Rule.LOCATE, -40),
    ("gross", lambda: two_limits(max_gross_usd=60_000.0), {"symbol": "BBB", "lots": 400}, RD, Rule.GROSS, 200),
    ("leverage", lambda: two_limits(max_leverage=0.06), {"symbol": "BBB", "lots": 400}, RD, Rule.LEVERAGE, 200),
    ("net", lambda: two_limits(max_net_nav=0.06), {"symbol": "BBB", "lots": 400}, RD, Rule.NET, 200),
    ("net the other way", lambda: two_limits(max_net_nav=0.06), {"symbol": "BBB", "lots": -400}, A,
     Rule.WITHIN_LIMITS, -400),
    ("beta", lambda: two_limits(max_beta_nav=0.06, beta=2.0), {"symbol": "BBB", "lots": 400}, RD, Rule.BETA, 100),
    ("beta below 0 sold", lambda: two_limits(max_beta_nav=0.06, beta=-2.0), {"symbol": "BBB", "lots": -400}, RD,
     Rule.BETA, -100),
    ("concentration", lambda: two_limits(max_concentration=0.0025), {"symbol": "BBB", "lots": 400}, RD,
     Rule.CONCENTRATION, 300),
    ("a share of volume", lambda: core(instrument(adv_lots=1_000)), {}, RD, Rule.PARTICIPATION, 50),
    ("no volume known", lambda: core(instrument(adv_lots=0)), {}, RJ, Rule.PARTICIPATION, 0),
    ("a strategy's capital", lambda: capital(alpha=60_000.0), {"symbol": "BBB", "lots": 400}, RD,
     Rule.STRATEGY_CAPITAL, 200),
    ("another strategy's capital", lambda: capital(alpha=60_000.0),
     {"symbol": "BBB", "lots": 400, "strategy": "beta"}, A, Rule.WITHIN_LIMITS, 400),
    ("the capital of all", lambda: capital(alpha=50_000.0, beta=50_000.0, together=60_000.0),
     {"symbol": "BBB", "lots": 400, "strategy": "beta"}, RD, Rule.TOTAL_CAPITAL, 200),
    ("buying power", lambda: short_of(5_000), {}, RD, Rule.BUYING_POWER, 50),
    ("a closing order without buying power", poor, {"lots": -400}, A, Rule.REDUCES_EXPOSURE, -400),
    ("crossing zero without buying power", poor, {"lots": -450}, RD, Rule.BUYING_POWER, -400),
]  # fmt: skip


def with_open(lots: int) -> RiskCore:
    made = core()
    assert made.ask(order(lots)).goes_out
    return made


def located(lots: int) -> RiskCore:
    made = core(instrument(located_lots=lots))
    hold(made, 400)
    return made


def two_limits(beta: float = 1.0, **changed: object) -> RiskCore:
    made = core(instrument(), instrument("BBB", beta=beta), **changed)
    hold(made, 400)
    return made


def capital(*, alpha: float, beta: float = 100_000.0, together: float = 5_000_000.0) -> RiskCore:
    return two_limits(strategies={"alpha": alpha, "beta": beta}, total_capital_usd=together)


@pytest.mark.parametrize(("name", "make", "changed", "answer", "rule", "lots"), ROWS, ids=[r[0] for r in ROWS])
def test_controls(
    name: str, make: Callable[[], RiskCore], changed: dict[str, object], answer: Answer, rule: Rule, lots: int
) -> None:
    made = make()
    asked = msgspec.structs.replace(order(), **changed)
    ruling = made.ask(asked)
    assert (ruling.answer, ruling.rule, ruling.allowed_lots) == (answer, rule, lots), ruling
    assert ruling.goes_out == (asked.client_id in made.open_orders and asked.client_id != "again")


BY_THE_PROCESS = {Rule.CANCEL_ONLY, Rule.DEADLINE}
"""Said where the clock and the venue are known (`tests/modules/live/riskd/`)."""


def test_every_rule_speaks() -> None:
    assert {row[4] for row in ROWS} | BY_THE_PROCESS == set(Rule)


PRECEDENCE = [
    (killed, {"mode": "live"}, Rule.KILLED),
    (lambda: at_loss(70.0, max_daily_loss=0.01), {"mode": "live", "symbol": "ZZZ"}, Rule.DAILY_LOSS),
    (core, {"mode": "live", "build": "x", "symbol": "ZZZ"}, Rule.MODE),
    (core, {"build": "x", "strategy": "gamma"}, Rule.BUILD),
    (core, {"strategy": "gamma", "venue": "ib"}, Rule.STRATEGY),
    (core, {"venue": "ib", "symbol": "ZZZ"}, Rule.VENUE),
    (core, {"symbol": "ZZZ", "lots": 0}, Rule.INSTRUMENT),
    (closed, {"order_type": "stop", "lots": 0}, Rule.MARKET_STATE),
    (core, {"order_type": "stop", "time_in_force": "gtc"}, Rule.ORDER_TYPE),
    (core, {"time_in_force": "gtc", "lots": 0}, Rule.TIME_IN_FORCE),
    (lambda: busy(2, messages_a_second=2, repeats_a_minute=2), {}, Rule.MESSAGE_RATE),
    (core, {"now_ns": NOW + 10**10, "order_type": "limit", "limit_price": 150.0}, Rule.STALE_PRICE),
    (lambda: at_loss(100.0, max_order_lots=400), {"now_ns": NOW + 10**10, "lots": -900}, Rule.STALE_PRICE),
    (lambda: core(max_order_lots=50, max_order_nav=0.001), {}, Rule.ORDER_LOTS),
]


@pytest.mark.parametrize(("make", "changed", "rule"), PRECEDENCE, ids=[r[2].name for r in PRECEDENCE])
def test_the_first_rule_is_named(make: Callable[[], RiskCore], changed: dict[str, object], rule: Rule) -> None:
    assert make().look(msgspec.structs.replace(order(), **changed)).rule is rule


def test_looking_counts_nothing() -> None:
    made = core()
    before = (made._ints.copy(), made._floats.copy(), made._strategies.copy())
    for _ in range(500):
        made.look(order())
    assert made.look(order()).goes_out
    assert (before[0][0] == made._ints[0]).all() and (before[0][2:] == made._ints[2:]).all()
    assert (before[2] == made._strategies).all()


NEWS = [
    ("a fill of an unknown order", lambda c: c.filled("none", 1, 100.0), "is not open"),
    ("a fill of nothing", lambda c: c.filled("o", 0, 100.0), "excess or wrong side"),
    ("a fill of more than is left", lambda c: c.filled("o", 101, 100.0), "excess or wrong side"),
    ("a fill on the other side", lambda c: c.filled("o", -1, 100.0), "excess or wrong side"),
    ("an unknown order done", lambda c: c.done("none"), "is not open"),
    ("no price", lambda c: c.mark("AAA", math.nan, NOW), "finite and above 0"),
    ("a price below 0", lambda c: c.mark("AAA", -1.0, NOW), "finite and above 0"),
    ("a price from before", lambda c: c.mark("AAA", 1.0, NOW - 1), "order of time"),
    ("a price of an unknown instrument", lambda c: c.mark("ZZZ", 1.0, NOW), "no instrument"),
    ("a price beyond what is exact", lambda c: c.mark("AAA", 1e14, NOW), "micro-units"),
]


@pytest.mark.parametrize(("name", "news", "said"), NEWS, ids=[r[0] for r in NEWS])
def test_news_that_does_not_fit_changes_nothing(name: str, news: Callable[[RiskCore], None], said: str) -> None:
    made = core()
    made.ask(order(100, client_id="o"))
    made.filled("o", 1, 100.0)
    before = (made._ints.copy(), made.nav_micros)
    with pytest.raises(RiskCoreError, match=said):
        news(made)
    assert (made._ints[[0, 2]] == before[0][[0, 2]]).all() and made.nav_micros == before[1]


def test_what_comes_back_from_the_venue_is_no_longer_open() -> None:
    made = core()
    made.ask(order(400, client_id="o"))
    assert made.look(order(400)).allowed_lots == 100
    made.filled("o", 150, 100.0, fee_micros=7)
    assert made.positions == {"AAA": 150} and made.nav_micros == 1_000_000 * MICROS - 7
    made.done("o")
    assert made.look(order(400)).allowed_lots == 349 and not made.open_orders, "a fee of 7 micros costs a lot"
    made.new_day()
    assert made.look(order(1, client_id="o")).goes_out, "ids may come again"
