"""Order management against a venue that keeps the truth, with every message lost, late, twice or out of order.

1. No order is sent twice, whatever happens to the asking, the answer or the process (the venue asserts it).
2. Once the venue was asked, the book's positions, money and open orders are the venue's.
3. What the journal holds folds to the same book, at every restart.
4. What nobody heard of is told to the listeners once the venue was asked: an account kept from news alone is right.
"""

from __future__ import annotations

import random
from pathlib import Path
from types import SimpleNamespace

import pytest

from modules.live.desk.acceptance import Acceptance
from modules.live.messages import Cancel, CancelAll, Connection, Filled, Lost, RefusedByVenue, Report, Ruled
from modules.live.orders.ids import client_id
from modules.live.orders.order import OrderError, Ticket
from modules.live.orders.states import State
from tests.modules.live.desk.day import Day, ticket
from tests.modules.live.desk.faulty import AtVenue, Truth


def restart(day: Day) -> None:
    """The process ends, and comes back."""
    day.desk.close()
    day.journal.close()
    before = dict(day.desk.book.orders)
    day.open()
    assert day.desk.book.orders.keys() == before.keys()
    for i, order in day.desk.book.orders.items():
        assert order.fills == before[i].fills and order.lots == before[i].lots
        assert order.is_open == before[i].is_open
    assert day.desk.cancel_only is not None and len(list(day.desk.book.unknown())) == len(list(day.desk.book.open()))


@pytest.mark.parametrize("seed", range(8))
def test_whatever_is_lost_on_the_way(tmp_path: Path, seed: int) -> None:
    day = Day(tmp_path, Truth(), random.Random(seed))
    for _ in range(8):
        for _ in range(50):
            day.step()
        restart(day)
    day.settle()
    day.check()
    assert day.account.positions == day.truth.positions
    assert day.counts["sent"] > 5 and day.counts["held"] > 5 and day.counts["agreed"] > 5
    day.journal.close()


def quiet(folder: Path) -> Day:
    """A desk that may send, and nothing goes wrong."""
    day = Day(folder, Truth(is_calm=True), random.Random(1), faults=0.0)
    assert not day.desk.recover() and day.desk.cancel_only is None
    return day


def test_ids_are_used_once_and_by_their_account(tmp_path: Path) -> None:
    day = Day(tmp_path, Truth(), random.Random(0), faults=0.0)
    assert day.desk.submit(ticket(0)).status == "held" and not day.desk.book.orders, "before the venue was asked"
    assert not day.desk.recover() and day.desk.cancel_only is None
    for wrong in ("o1", client_id("other", "alpha", 1, "AAA")):
        with pytest.raises(OrderError, match="not of account main"):
            day.desk.submit(Ticket(wrong, "alpha", "AAA", 1, "sim"))
    first = day.desk.submit(ticket(1, 3))
    assert first.is_new and not day.desk.submit(ticket(1, 3)).is_new
    with pytest.raises(OrderError, match="names another order"):
        day.desk.submit(ticket(1, 4))


RULINGS = [
    ("of another order", Ruled("x", 0, 0, 10, None, None, 1)),
    ("more than was asked for", Ruled("", 0, 0, 11, None, None, 1)),
    ("the other side", Ruled("", 1, 0, -5, None, None, 1)),
    ("a refusal with lots", Ruled("", 2, 23, 10, None, None, 1)),
    ("an answer that there is not", Ruled("", 7, 23, 0, None, None, 1)),
]


@pytest.mark.parametrize(("name", "said"), RULINGS, ids=[r[0] for r in RULINGS])
def test_what_is_no_ruling_leaves_the_outcome_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, said: Ruled
) -> None:
    day, made = quiet(tmp_path), ticket(1)
    garbage = Ruled(said.client_id or made.client_id, said.answer, said.rule, said.allowed, None, None, 1)
    truly = day.truth.submit
    monkeypatch.setattr(Truth, "submit", lambda self, ask, chance: (truly(ask, chance), garbage)[1])
    outcome = day.desk.submit(made)
    assert outcome.status == "unknown" and day.desk.cancel_only is not None
    assert day.desk.book.orders[made.client_id].state is State.UNKNOWN
    assert day.desk.submit(ticket(2)).status == "held"
    day.settle()
    day.check()


def test_a_duplicate_is_no_refusal(tmp_path: Path) -> None:
    day, made = quiet(tmp_path), ticket(1)
    day.truth.seen.add(made.client_id)
    day.truth.orders[made.client_id] = AtVenue("AAA", 10)  # sent by a life of which the journal knows nothing
    assert day.desk.submit(made).status == "unknown", "the risk core let it out before"
    assert day.desk.cancel_only is not None
    day.settle()
    day.check()
    assert day.desk.book.orders[made.client_id].is_open


def test_orders_of_ours_that_the_book_does_not_know_are_adopted(tmp_path: Path) -> None:
    day, made, closing = quiet(tmp_path), ticket(1), ticket(2, -4)
    day.truth.orders[made.client_id] = AtVenue("AAA", 6)  # the risk core had let out 6 of 10
    day.truth.trade(made.client_id, 4)
    day.desk.poll(0.0)
    assert day.desk.book.positions == {"AAA": 4} and day.desk.cancel_only is not None, "the fill counts at once"
    day.truth.orders[closing.client_id] = AtVenue("AAA", -4)
    day.truth.trade(closing.client_id, 4)
    day.truth.outbox.clear()  # nobody hears of this one before the venue is asked
    day.settle()
    day.check()
    assert {o.adopted for o in day.desk.book.orders.values()} == {True}
    again = day.desk.submit(made)
    assert not again.is_new and again.status == "sent", "decided again, it is found and not sent"
    adopted = day.desk.book.orders[made.client_id]
    assert (adopted.ticket, adopted.lots, adopted.left, adopted.adopted) == (made, 6, 2, False)
    with pytest.raises(OrderError, match="names 3 lots"):
        day.desk.submit(ticket(2, 3))
    restart(day)
    assert day.desk.book.orders[made.client_id].ticket == made and day.desk.book.positions == {}


def test_strangers_keep_the_desk_cancel_only(tmp_path: Path) -> None:
    day = quiet(tmp_path)
    day.truth.orders["by-hand"] = AtVenue("AAA", 6)
    day.truth.trade("by-hand", 6)
    day.desk.poll(0.0)
    assert "not of account main" in str(day.desk.cancel_only)
    whats = {b.what for b in day.desk.recover()}
    assert whats == {"stranger", "position"} and not day.desk.book.orders


def test_strangers_at_the_beginning_are_a_break_until_a_human_accepts_them(tmp_path: Path) -> None:
    day = Day(tmp_path, Truth(is_calm=True), random.Random(1), faults=0.0)
    day.truth.orders["by-hand"] = AtVenue("AAA", 6)
    day.truth.trade("by-hand", 6)
    assert {b.what for b in day.desk.recover()} == {"stranger"} and day.desk.cancel_only is not None
    day.desk.accepted = lambda: Acceptance("mary", "mine", 2 * 10**18)
    assert not day.desk.recover() and day.desk.book.positions == {"AAA": 6}


def test_news_that_contradict_what_was_said_are_asked_about(tmp_path: Path) -> None:
    day, made = quiet(tmp_path), ticket(1)
    day.desk.submit(made)
    day.desk.poll(0.0)
    day.truth.outbox.append(RefusedByVenue(made.client_id, "never heard of it", 1))
    day.desk.poll(0.0)
    assert "contradict" in str(day.desk.cancel_only)
    assert {b.what for b in day.desk.recover()} == {"ended otherwise"}, "the venue has it open"


def test_a_venue_whose_lists_lag_is_asked_again(tmp_path: Path) -> None:
    """What its first report lacks is neither taken back nor refused, nor told so to anybody."""
    day, heard = quiet(tmp_path), []
    day.desk.listeners.append(heard.append)
    filling, resting, lost = ticket(1), ticket(2), ticket(3)
    for made in (filling, resting, lost):
        day.desk.submit(made)
    day.truth.trade(filling.client_id, 10)
    day.truth.trade(resting.client_id, 4)
    day.desk.poll(0.0)
    day.truth.outbox.append(Lost(lost.client_id, "no answer", 1))
    day.desk.poll(0.0)
    assert "nobody can say" in str(day.desk.cancel_only), "an unknown outcome is asked for before anything goes out"
    del heard[:]
    truly, asked = day.truth.report, []

    def lagging() -> Report:
        asked.append(1)
        whole = truly()
        return whole if len(asked) > 1 else Report("sim", whole.orders[1:2], {"AAA": 4}, 0, True, whole.ts_ns)

    day.truth.report = lagging  # type: ignore[method-assign]
    assert not day.desk.recover() and len(asked) == 2 and not heard
    day.check()
    states = [day.desk.book.orders[t.client_id].state for t in (filling, resting, lost)]
    assert states == [State.FILLED, State.WORKING, State.WORKING]
    assert not any(o.voided for o in day.desk.book.orders.values())


def test_what_the_account_held_before_is_the_beginning(tmp_path: Path) -> None:
    day = Day(tmp_path, Truth(is_calm=True), random.Random(1), faults=0.0)
    day.truth.orders["long-ago"] = AtVenue("BBB", 30, [Filled("long-ago", "e", "BBB", 30, 1.0, 30, 0, 1)], "filled")
    truly = day.truth.report
    first = [25, 26]  # a venue that is still counting

    def report() -> Report:
        lots = first.pop(0) if first else day.truth.positions["BBB"]
        return Report("sim", truly().orders[1:], {"BBB": lots}, 0, True, 1)

    day.truth.report = report  # type: ignore[method-assign]
    assert {b.what for b in day.desk.recover()} == {"position"}, "not before it said the same twice"
    assert not day.desk.recover() and day.desk.book.positions == {"BBB": 30}
    restart(day)
    assert not day.desk.recover() and day.desk.book.positions == {"BBB": 30}, "once"
    day.truth.orders["later"] = AtVenue("BBB", 1, [Filled("later", "f", "BBB", 1, 1.0, 1, 0, 1)], "filled")
    assert {b.what for b in day.desk.recover()} == {"position", "stranger"}, "later it is a break"


def test_a_human_accepts_what_the_venue_has(tmp_path: Path) -> None:
    day = quiet(tmp_path)
    day.truth.orders["by-hand"] = AtVenue("AAA", 6)
    day.truth.trade("by-hand", 2)
    word = [Acceptance("mary", "before this day", 1)]
    day.desk.accepted = lambda: word[-1]
    assert day.desk.recover(), "a word from before the journal began is none"
    word.append(Acceptance("mary", "traded by hand", 2 * 10**18))
    assert {b.what for b in day.desk.recover()} == {"stranger"}, "what is open stays a break"
    day.truth.trade("by-hand", 4)
    assert day.desk.recover(), "each break wants a word of its own"
    word.append(Acceptance("mary", "it is done", 3 * 10**18))
    assert not day.desk.recover() and day.desk.book.positions == {"AAA": 6}
    restart(day)
    assert not day.desk.recover() and day.desk.book.positions == {"AAA": 6}


def test_a_venue_that_has_it_otherwise_is_asked_less_and_less(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    day = quiet(tmp_path)
    day.truth.orders["by-hand"] = AtVenue("AAA", 6)
    day.desk.retry_s = 1.0
    day.desk.admission.lost("as asked")
    truly, now, asked = day.truth.report, 100, list[int]()

    def report() -> Report:
        asked.append(now)
        return truly()

    day.truth.report = report  # type: ignore[method-assign]
    monkeypatch.setattr("modules.live.desk.desk.time", SimpleNamespace(monotonic=lambda: float(now)))
    for now in range(100, 140):  # noqa: B007 - it is the clock
        day.desk.tend()
    assert sorted(set(asked)) == [100, 102, 106, 114, 122, 130, 138]
    del day.truth.orders["by-hand"]
    for now in range(140, 147):  # noqa: B007
        day.desk.tend()
    assert day.desk.cancel_only is None and max(asked) == 146


def test_cancels_are_recorded_and_go_out(tmp_path: Path) -> None:
    day, one, other = quiet(tmp_path), ticket(1), ticket(2)
    for made in (one, other):
        day.desk.submit(made)
    day.desk.cancel(one.client_id)
    assert day.desk.book.orders[one.client_id].state is State.CANCELLING
    day.desk.cancel_all("mary", "enough")
    assert day.desk.book.orders[other.client_id].state is State.CANCELLING
    assert day.journal.took[-2:] == [Cancel(one.client_id), CancelAll("mary", "enough")]
    assert {o.ended for o in day.truth.orders.values()} == {"cancelled"}
    day.settle()
    day.check()
    day.desk.close()
    with pytest.raises(ConnectionError, match="no connection"):
        day.desk.cancel(one.client_id)


@pytest.mark.parametrize("is_up", [False, True])
def test_a_connection_that_went_or_came_back_says_nothing_of_orders(tmp_path: Path, is_up: bool) -> None:
    day = quiet(tmp_path)
    day.truth.outbox.append(Connection("sim", is_up, "cable", 1))
    day.desk.poll(0.0)
    assert "connection to sim" in str(day.desk.cancel_only)
    assert day.desk.submit(ticket(1)).status == "held"
    day.desk.tend()
    assert day.desk.cancel_only is None


def test_executions_that_cannot_be_are_loud(tmp_path: Path) -> None:
    day, made = quiet(tmp_path), ticket(1)
    day.desk.submit(made)
    day.truth.outbox.append(Filled(made.client_id, "e", "BBB", 10, 1.0, 10_000_000, 0, 1))
    day.truth.outbox.append(Filled(made.client_id, "f", "AAA", -10, 1.0, -10_000_000, 0, 1))
    day.desk.poll(0.0)
    assert "cannot be of order" in str(day.desk.cancel_only) and day.desk.book.positions == {}
    day.truth.outbox.append(Filled(made.client_id, "g", "AAA", 4, float("nan"), 40_000_000, 0, 1))
    (told,) = day.desk.poll(0.0)
    assert isinstance(told, Filled) and told.price == 10.0, "its lots count, whatever price it names"
    assert day.desk.book.positions == {"AAA": 4}
