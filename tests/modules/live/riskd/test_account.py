"""What the venue says moves the account, whatever the order, and what it has is compared with what is known.

1. The same news in any order, any of them twice, end in the same positions, cash and open lots.
2. A busted or corrected execution leaves what the final figures say; what was taken back does not work again.
3. Fills after the end, in excess, or of orders nobody here knows move the account; the last is doubted.
4. What the venue lacks is believed in the final look only; what it has is believed at once.
5. Money is exact: cash is what the values and fees of standing executions say.
"""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.live.messages import (
    Acknowledged,
    Ask,
    Busted,
    BuyingPower,
    Cancelled,
    Corrected,
    Filled,
    Lost,
    Marked,
    Moved,
    OpenAtVenue,
    RefusedByVenue,
    Report,
    Restated,
    Trading,
    VenueNews,
)
from modules.live.risk.core import Instrument, RiskCore
from modules.live.risk.limits import LiveLimits
from modules.live.riskd.account import Account, intent_of

CASH = 10**12
LIMITS = LiveLimits(strategies={"alpha": 1e6, "beta": 1e6})


def account() -> Account:
    core = RiskCore(
        LIMITS,
        [Instrument(s, "t", sigma_day=0.01, adv_lots=10**7, located_lots=10**6) for s in ("AAA", "BBB")],
        cash_micros=CASH,
        mode="paper",
        build="b1",
    )
    for symbol in ("AAA", "BBB"):
        core.mark(symbol, 100.0, 1)
    return Account(core)


def let_out(made: Account, client_id: str, lots: int, symbol: str = "AAA", strategy: str = "alpha") -> Ask:
    ask = Ask(client_id, strategy, symbol, lots, "sim", "paper", "b1", 1)
    ruling = made.core.ask(intent_of(ask, made.core, 1))
    assert ruling.goes_out and ruling.allowed_lots == lots, ruling
    made.sent(ask, lots)
    return ask


def fill(client_id: str, exec_id: str, lots: int, price: float = 100.0, fee: int = 7, symbol: str = "AAA") -> Filled:
    return Filled(client_id, exec_id, symbol, lots, price, round(lots * price * 1e6), fee, 2)


def figures(made: Account) -> tuple[object, ...]:
    opened = {i: o.left for i, o in made.core.open_orders.items()}
    return made.core.positions, made.core.cash_micros, opened, made.core.strategies_worth()


STORY: tuple[VenueNews, ...] = (
    Acknowledged("c1", "v1", 2),
    fill("c1", "x1", 30, 100.5),
    fill("c1", "x2", 20, 101.25),
    Corrected("c1", "x2", "AAA", 15, 101.0, 15 * 101 * 10**6, 3, 3),
    Busted("c1", "x1", 4),
    Cancelled("c1", 5),
)


def test_1_2_any_order_twice() -> None:
    wanted = None
    for order in list(itertools.permutations(range(len(STORY))))[::4]:
        made = account()
        let_out(made, "c1", 100)
        for i in order:
            made.hear(STORY[i])
            made.hear(STORY[i])
        if wanted is None:
            wanted = figures(made)
            assert wanted[:3] == ({"AAA": 15}, CASH - 15 * 101 * 10**6 - 3, {})
        # a correction that overtakes its fill takes fewer lots from what is open, never more
        assert figures(made) == wanted, order


def test_2_what_was_taken_back_does_not_work_again() -> None:
    made = account()
    let_out(made, "c1", 100)
    made.hear(fill("c1", "x1", 60))
    made.hear(Busted("c1", "x1", 3))
    assert figures(made)[:3] == ({}, CASH, {"c1": 40})
    made.hear(fill("c1", "x1", 60))  # repeated after it was taken back
    assert figures(made)[:3] == ({}, CASH, {"c1": 40})


LATE = [
    ("after its cancel", [Cancelled("c1", 2), fill("c1", "x1", 40)], {"AAA": 40}, 0),
    ("after it was refused", [RefusedByVenue("c1", "no", 2), fill("c1", "x1", 40)], {"AAA": 40}, 0),
    ("in excess", [fill("c1", "x1", 90), fill("c1", "x2", 40)], {"AAA": 130}, 0),
    ("of the other side", [fill("c1", "x1", -10)], {"AAA": -10}, 0),
    ("of a stranger", [fill("zzz", "x1", 5)], {"AAA": 5}, 1),
    ("of a stranger, twice", [fill("zzz", "x1", 5), fill("zzz", "x1", 5)], {"AAA": 5}, 1),
    ("in what is no instrument", [fill("c1", "x1", 5, symbol="ZZZ")], {}, 2),
    ("a bust of a stranger", [Busted("zzz", "x1", 2)], {}, 1),
    ("lost", [Lost("c1", "why", 2)], {}, 1),
]


@pytest.mark.parametrize(("name", "news", "positions", "doubts"), LATE, ids=[r[0] for r in LATE])
def test_3_facts(name: str, news: list[VenueNews], positions: dict[str, int], doubts: int) -> None:
    made = account()
    let_out(made, "c1", 100)
    for one in news:
        made.hear(one)
    assert made.core.positions == positions
    assert len(made.doubts) == doubts
    money = {(n.client_id, n.exec_id): n for n in news if isinstance(n, Filled)}
    assert made.core.cash_micros == CASH - sum(n.value_micros + n.fee_micros for n in money.values())


def report(*orders: OpenAtVenue, positions: dict[str, int] | None = None, complete: bool = True) -> Report:
    return Report("sim", orders, positions or {}, CASH, complete, 9)


def test_4_what_the_venue_lacks() -> None:
    made = account()
    let_out(made, "c1", 100)
    assert made.compare(report(), is_final=False) == ["c1 is open here and unknown to the venue"]
    assert list(made.core.open_orders) == ["c1"]
    assert made.compare(report(), is_final=True) == []
    assert not made.core.open_orders
    made.hear(fill("c1", "x1", 100))  # it had been on its way after all
    assert made.core.positions == {"AAA": 100}


def test_4_an_execution_that_the_venue_lacks() -> None:
    made = account()
    let_out(made, "c1", 100)
    made.hear(fill("c1", "x1", 40))
    told = OpenAtVenue("c1", "AAA", 100)
    assert any("x1" in why for why in made.compare(report(told, positions={"AAA": 40}), is_final=False))
    assert made.core.positions == {"AAA": 40}
    assert made.compare(report(told), is_final=True) == []
    assert made.core.positions == {}


def test_4_what_the_venue_has() -> None:
    made = account()
    let_out(made, "c1", 100)
    told = (
        OpenAtVenue("c1", "AAA", 100, (fill("c1", "x1", 40),)),
        OpenAtVenue("zzz", "BBB", -50, (fill("zzz", "y1", -20, symbol="BBB"),)),
        OpenAtVenue("old", "AAA", 10, (), "cancelled"),
    )
    assert made.compare(report(*told, positions={"AAA": 40, "BBB": -20}), is_final=False) == []
    assert figures(made)[:3] == ({"AAA": 40, "BBB": -20}, CASH - 20 * 100 * 10**6 - 14, {"c1": 60, "zzz": -30})
    made.hear(fill("zzz", "y1", -20, symbol="BBB"))  # the news that the report overtook
    assert made.core.positions == {"AAA": 40, "BBB": -20}
    assert made.compare(report(*told, positions={"AAA": 41, "BBB": -20}), is_final=True) == [
        "position AAA: here 40 lots, at the venue 41"
    ]
    assert made.compare(report(complete=False), is_final=True) == ["the venue told only a part of what it has"]


def test_4_an_order_that_the_venue_still_has() -> None:
    made = account()
    let_out(made, "c1", 100)
    made.hear(Cancelled("c1", 2))
    told = OpenAtVenue("c1", "AAA", 100)
    assert made.compare(report(told), is_final=False) == ["c1 has ended here and is open at the venue"]
    assert made.compare(report(told), is_final=True) == []
    assert {i: o.left for i, o in made.core.open_orders.items()} == {"c1": 100}


def test_taking_over_an_account() -> None:
    made = account()
    made.take_over(report(OpenAtVenue("zzz", "BBB", 7), positions={"AAA": -5, "QQQ": 3}))
    assert made.core.positions == {"AAA": -5}
    assert list(made.core.open_orders) == ["zzz"]
    made.hear(Moved("borrow", "AAA", -50, 9))  # of the report's moment: in its cash already
    assert made.core.cash_micros == CASH
    made.hear(Moved("borrow", "AAA", -50, 10))
    assert made.core.cash_micros == CASH - 50


def test_a_deposit_is_no_gain() -> None:
    made = account()
    made.hear(Moved("deposit", None, -(10**11), 5))
    assert made.core.nav_micros == CASH - 10**11
    assert made.core.day.least_micros == made.core.day.first_micros == CASH - 10**11
    made.hear(Moved("funding", "AAA", -(10**6), 6))
    assert made.core.day.least_micros == CASH - 10**11 - 10**6


def test_a_split_moves_no_money() -> None:
    made = account()
    let_out(made, "c1", 100)
    let_out(made, "c2", -31, strategy="beta")
    made.hear(fill("c1", "x1", 61, fee=0))
    made.hear(Restated("AAA", 122, 2, 1, 5))
    assert figures(made)[:3] == ({"AAA": 122}, CASH - 6_100 * 10**6, {"c1": 78, "c2": -62})
    assert (made.core.nav_micros, made.core.day.deepest_micros) == (CASH, 0)
    made.hear(Marked("AAA", 50.0, 6))
    assert made.core.nav_micros == CASH
    made.hear(Restated("AAA", 0, 0, 1, 7))
    assert (made.core.positions, dict(made.core.open_orders)) == ({}, {})


def test_closing_the_account_closes_what_strategies_hold() -> None:
    made = account()
    for number, (strategy, lots) in enumerate([("alpha", 300), ("beta", -100)]):
        let_out(made, f"c{number}", lots, strategy=strategy)
        made.hear(fill(f"c{number}", f"x{number}", lots))
    assert made.core.strategies_worth() == {"alpha": 30_000 * 10**6, "beta": 10_000 * 10**6}
    closing = Ask("f1", "flatten", "AAA", -200, "sim", "paper", "b1", 1)
    made.resumed(closing, -200, 1)
    made.hear(fill("f1", "y1", -150))
    made.hear(fill("f1", "y2", -50))
    assert made.core.positions == {}
    assert made.core.strategies_worth() == {"alpha": 0, "beta": 0}


EXECUTIONS = st.lists(
    st.tuples(st.sampled_from(["f", "c", "b"]), st.integers(0, 3), st.integers(1, 40), st.integers(99, 101)),
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(EXECUTIONS)
def test_5_money_is_what_stands(steps: list[tuple[str, int, int, int]]) -> None:
    made = account()
    let_out(made, "c1", 200)
    standing: dict[int, tuple[int, int]] = {}
    firm, voided = set(), set()
    for kind, number, lots, price in steps:
        exec_id, value = f"x{number}", lots * price * 10**6
        if kind == "b":
            made.hear(Busted("c1", exec_id, 3))
            voided.add(number)
        elif kind == "c":
            made.hear(Corrected("c1", exec_id, "AAA", lots, float(price), value, 1, 3))
            standing[number] = (lots, value + 1)
            firm.add(number)
        else:
            made.hear(Filled("c1", exec_id, "AAA", lots, float(price), value, 1, 3))
            standing.setdefault(number, (lots, value + 1))
    kept = [v for n, v in standing.items() if n not in voided]
    assert made.core.positions.get("AAA", 0) == sum(lots for lots, _ in kept)
    assert made.core.cash_micros == CASH - sum(paid for _, paid in kept)
    open_ = made.core.open_orders.get("c1")
    assert (open_.left if open_ else 0) >= 0


WILD = st.one_of(st.integers(-200, 200), st.integers(-(2**63), 2**64 - 1))
PRICES = st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.floats(1.0, 200.0))
IDS = st.sampled_from(["c1", "c2", "zzz", ""])
SYMBOLS = st.sampled_from(["AAA", "BBB", "ZZZ"])
ANYTHING = st.one_of(
    st.builds(Filled, IDS, st.sampled_from("xyz"), SYMBOLS, WILD, PRICES, WILD, WILD, WILD),
    st.builds(Corrected, IDS, st.sampled_from("xyz"), SYMBOLS, WILD, PRICES, WILD, WILD, WILD),
    st.builds(Busted, IDS, st.sampled_from("xyz"), WILD),
    st.builds(Cancelled, IDS, WILD),
    st.builds(Marked, SYMBOLS, PRICES, WILD),
    st.builds(Moved, st.sampled_from(["deposit", "borrow"]), st.none() | SYMBOLS, WILD, WILD),
    st.builds(Restated, SYMBOLS, WILD, WILD, WILD, WILD),
    st.builds(BuyingPower, WILD, WILD),
    st.builds(Trading, SYMBOLS, st.booleans(), WILD),
    st.builds(Lost, IDS, st.text(max_size=3), WILD),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(ANYTHING, max_size=8), st.dictionaries(SYMBOLS, WILD, max_size=3), WILD)
def test_3_nothing_that_a_venue_says_breaks_it(news: list[VenueNews], positions: dict[str, int], cash: int) -> None:
    made = account()
    let_out(made, "c1", 100)
    let_out(made, "c2", -100, "BBB")
    for one in news:
        made.hear(one)
        made.core.look(intent_of(Ask("n", "alpha", "AAA", 1, "sim", "paper", "b1", 1), made.core, 1))
    for is_final in (False, True):
        made.compare(Report("sim", (), positions, cash, True, 1), is_final=is_final)
