"""Every (state, event) pair of an order, and what is refused before it leaves or at the exchange."""

from __future__ import annotations

import itertools

import pytest

from modules.engine.exchange.orders import NEXT, Event, Reason, State, TimeInForce, follow, is_live
from modules.engine.exchange.view import GTC, IOC, LIMIT, MARKET, STOP
from tests.modules.engine.exchange.scenes import FREE, Act, play, quotes

pytestmark = pytest.mark.slow

# What follows each event in each state; every pair that is not here cannot happen.
ALLOWED = {
    ("NONE", "SEND"): "SENT",
    ("FILLED", "SEND"): "SENT",
    ("CANCELLED", "SEND"): "SENT",
    ("REJECTED", "SEND"): "SENT",
    ("EXPIRED", "SEND"): "SENT",
    ("SENT", "ACCEPT"): "WORKING",
    ("SENT", "ACCEPT_STOP"): "WAITING",
    ("SENT", "REJECT"): "REJECTED",
    ("WAITING", "TRIGGER"): "WORKING",
    ("WORKING", "FILL_PART"): "PARTLY_FILLED",
    ("WORKING", "FILL_LAST"): "FILLED",
    ("PARTLY_FILLED", "FILL_PART"): "PARTLY_FILLED",
    ("PARTLY_FILLED", "FILL_LAST"): "FILLED",
    ("WAITING", "CANCEL"): "CANCELLED",
    ("WORKING", "CANCEL"): "CANCELLED",
    ("PARTLY_FILLED", "CANCEL"): "CANCELLED",
    ("WAITING", "EXPIRE"): "EXPIRED",
    ("WORKING", "EXPIRE"): "EXPIRED",
    ("PARTLY_FILLED", "EXPIRE"): "EXPIRED",
    ("WAITING", "REPLACE"): "WAITING",
    ("WORKING", "REPLACE"): "WORKING",
    ("PARTLY_FILLED", "REPLACE"): "PARTLY_FILLED",
} | {
    (state, event): state
    for state in ("WAITING", "WORKING", "PARTLY_FILLED", "FILLED", "CANCELLED", "REJECTED", "EXPIRED")
    for event in ("CANCEL_REFUSED", "REPLACE_REFUSED")
}  # fmt: skip


def test_every_pair_of_state_and_event() -> None:
    for state, event in itertools.product(State, Event):
        expected = ALLOWED.get((state.name, event.name))
        assert NEXT[state, event] == (-1 if expected is None else State[expected]), (state, event)
        assert follow(int(state), int(event)) == NEXT[state, event]


def test_live_states() -> None:
    assert [s.name for s in State if is_live(int(s))] == ["SENT", "WAITING", "WORKING", "PARTLY_FILLED"]


FLAT = (99.0, 10.0, 101.0, 10.0)
MANY = FREE.model_copy(update={"live_orders": 4})
TIGHT = FREE.model_copy(update={"max_instrument_nav": 0.01})


def ask(lots: int, price: int = 9900, kind: int = LIMIT, tif: int = GTC, **more: int) -> Act:
    return lambda s: s.order.__setitem__("it", s.submit(more.pop("symbol", 0), lots, price, kind, tif, **more))  # type: ignore[arg-type]


def twice(client: int) -> Act:
    return lambda s: [s.submit(0, 1, 9900, client=client) for _ in range(2)]


def five_times() -> Act:
    return lambda s: [s.submit(0, 1, 9900) for _ in range(5)]


REFUSALS = [
    ("no lots", ask(0), Reason.BAD_QUANTITY),
    ("no price", ask(5, 0), Reason.BAD_PRICE),
    ("a price below 0", ask(5, -5), Reason.BAD_PRICE),
    ("no stop", ask(5, 0, STOP), Reason.BAD_STOP),
    ("no such type", ask(5, kind=9), Reason.BAD_TERMS),
    ("no such time in force", ask(5, tif=len(TimeInForce)), Reason.BAD_TERMS),
    ("post-only that may not rest", ask(5, tif=IOC, post_only=1), Reason.BAD_TERMS),
    ("post-only without a price", ask(5, kind=MARKET, post_only=1), Reason.BAD_TERMS),
    ("a client id that is at work", twice(7), Reason.DUPLICATE_CLIENT_ID),
    ("more live orders than there is room for", five_times(), Reason.TOO_MANY_ORDERS),
    ("post-only that would take", ask(5, 10100, post_only=1), Reason.POST_ONLY_WOULD_TAKE),
    ("cancel of an order that was never sent", lambda s: s.cancel(77), Reason.UNKNOWN_ORDER),
    ("replace of an order that was never sent", lambda s: s.replace(77, 9900, 1), Reason.UNKNOWN_ORDER),
    ("an order of a symbol that is not there", ask(5, symbol=9), Reason.UNKNOWN_SYMBOL),
]  # fmt: skip


@pytest.mark.parametrize(("name", "act", "reason"), REFUSALS, ids=[x[0] for x in REFUSALS])
def test_refusals(name: str, act: Act, reason: Reason) -> None:
    script, run = play(quotes(*[FLAT] * 4), {0: act}, MANY)
    assert [r for _, _, r in script.told if r] == [int(reason)]
    assert run.positions() == {"A": 0, "B": 0}


def test_risk_reduces_and_rejects_and_names_the_rule() -> None:
    # 1 % of 1,000,000 at a mark of 100 is 100 lots, of which the first order leaves 40
    def act(s: object) -> None:
        for lots in (60, 60, 60):
            s.submit(0, lots, 9900)  # type: ignore[attr-defined]

    script, run = play(quotes(*[FLAT] * 3), {0: act}, TIGHT)
    table = run.orders()
    assert table["allowed_lots"].to_list() == [60, 40, 0]
    assert [str(x) for x in table["decision"]] == ["APPROVE", "REDUCE", "REJECT"]
    assert table["rule"].to_list() == ["within_limits", "instrument_nav", "instrument_nav"]
    assert [r for _, _, r in script.told if r] == [int(Reason.RISK)]


def test_cancel_of_a_filled_order_comes_too_late() -> None:
    acts: dict[int, Act] = {0: ask(5, 10100), 2: lambda s: s.cancel(s.order["it"])}
    script, _ = play(quotes(*[FLAT] * 4), acts)
    assert [r for _, _, r in script.told if r] == [int(Reason.TOO_LATE)]


def test_a_cancel_that_crosses_a_fill_is_refused_by_the_exchange() -> None:
    slow = FREE.model_copy(update={"answer_median_us": 1.5e6})
    acts: dict[int, Act] = {0: ask(5, 10100), 1: lambda s: s.cancel(s.order["it"])}
    script, run = play(quotes(*[FLAT] * 6), acts, slow)
    assert int(Event.CANCEL_REFUSED) in [e for _, e, _ in script.told]
    assert run.positions()["A"] == 5


def test_the_day_s_loss_closes_everything() -> None:
    wide = (99.0, 1000.0, 101.0, 1000.0)
    crash = (80.0, 1000.0, 80.02, 1000.0)
    limits = FREE.model_copy(update={"max_daily_loss": 0.005})
    acts: dict[int, Act] = {
        0: ask(400, 10100),
        1: ask(1, 7000),
        3: lambda s: s.submit(0, 10, 8100),
    }
    _, run = play(quotes(wide, wide, crash, crash, crash, crash), acts, limits)
    table = run.orders()
    assert run.positions()["A"] == 0
    assert table.filter(table["client_id"] == -1)["asked_lots"].to_list() == [-400]
    assert table["state"].to_list()[:2] == ["filled", "cancelled"]
    assert table["rule"][-1] == "daily_loss" and table["allowed_lots"][-1] == 0
