"""What holds of every algorithm, whatever a venue answers.

1. Filled and open lots together are never above the parent's; no child is above the lots its parent had left.
2. No child before the begin, at or after the end, or after it was stopped.
3. At no time is more out than the schedule wants by then.
4. No child is priced beyond the parent's limit; none is of the other side.
5. Where everything fills and the rest is crossed, exactly the order's lots are filled; where the rest is left, no more.
6. What the algorithm believes to be filled is what the venue filled, once all news are in, and then it is done.
7. An order of which nobody knows is not sent again while nobody knows.
8. Equal news in equal order: equal orders, to the last field.
"""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.live.algorithms.algorithm import Algorithm, Standing
from modules.live.algorithms.heard import Send, Shown
from modules.live.algorithms.kinds import Scheduled
from modules.live.algorithms.parent import Parent
from modules.live.algorithms.settings import Ice, Pov, Shortfall, Twap, Vwap, build
from modules.live.algorithms.volume import VolumeCurve
from modules.live.messages import Acknowledged, Cancelled, Lost, Ruled
from modules.live.orders.states import State
from modules.live.risk.rules import Answer, Rule
from tests.modules.live.algorithms.world import SECOND, TICK, World

CURVE = VolumeCurve((0.4, 0.1, 0.1, 0.4), 60 * SECOND, 5)
BEGIN, END = 100 * SECOND, 220 * SECOND
SETTINGS = (
    Twap(slice_s=10),
    Twap(slice_s=7, style="make"),
    Twap(slice_s=10, style="market"),
    Vwap(slice_s=10),
    Vwap(slice_s=9, style="make", least_lots=3, most_lots=20),
    Shortfall(slice_s=10, price=10.0, sigma_day=0.02, adv_lots=1e6, spread=0.01, risk_aversion=1e-2),
    Pov(slice_s=10, rate=0.2),
    Pov(slice_s=10, rate=0.2, style="make", counts_own=False),
    Ice(slice_s=10, display_lots=9),
)
chances = st.sampled_from([0.0, 0.1, 0.4])


def parent(lots: int, *, limit: int | None = None, residual: str = "cross") -> Parent:
    """An order over two minutes."""
    return Parent("p", "a", "s", "A.XNAS", lots, BEGIN, END, ("sim",), limit, TICK, residual)  # type: ignore[arg-type]


def made(lots: int, chosen: int, *, limit: int | None = None, residual: str = "cross") -> Algorithm:
    """One of the algorithms above."""
    asked = SETTINGS[chosen]
    if isinstance(asked, Ice) and limit is None:
        limit = 1_000 * TICK
    return build(parent(lots, limit=limit, residual=residual), asked, curve=(CURVE, 60 * SECOND))


KINDS = ("cut", "refuse", "lose", "part", "twice", "bust", "rest")
worlds = st.fixed_dictionaries({**dict.fromkeys(KINDS, chances), "seed": st.integers(0, 9_999)})


anything = given(
    st.integers(-300, 300).filter(bool), st.integers(0, len(SETTINGS) - 1), st.booleans(),
    st.sampled_from([None, 998 * TICK, 1_003 * TICK]), worlds,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@anything
def test_whatever_the_venue_answers(
    lots: int, chosen: int, leave: bool, limit: int | None, kind: dict[str, float]
) -> None:
    check(lots, chosen, leave, limit, kind)


@pytest.mark.slow
@settings(max_examples=1_500, deadline=None)
@anything
def test_whatever_the_venue_answers_for_long(
    lots: int, chosen: int, leave: bool, limit: int | None, kind: dict[str, float]
) -> None:
    check(lots, chosen, leave, limit, kind)


def check(lots: int, chosen: int, leave: bool, limit: int | None, kind: dict[str, float]) -> None:
    """One order in one world."""
    algorithm = made(lots, chosen, limit=limit, residual="leave" if leave else "cross")
    world = World(algorithm, **kind)  # type: ignore[arg-type]
    world.run(END + 30 * SECOND, SECOND)
    total, side = abs(lots), 1 if lots > 0 else -1
    assert world.most_at_risk <= total  # 1
    assert world.filled <= total
    for at, send in world.sends:
        assert BEGIN <= at < END  # 2
        assert 0 < side * send.ticket.lots <= send.parent_left <= total  # 1, 4
        price = send.ticket.limit_micros
        assert algorithm.parent.limit_micros is None or price is not None
        assert price is None or algorithm.parent.allows(price)  # 4
    assert algorithm.children.filled == world.filled  # 6
    assert algorithm.children.open_lots == 0
    assert algorithm.standing is Standing.DONE
    if algorithm.stopped:
        assert "refused 5 times" in algorithm.stopped


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 500), st.integers(0, len(SETTINGS) - 1), worlds)
def test_never_ahead_of_its_schedule(lots: int, chosen: int, kind: dict[str, float]) -> None:
    algorithm = made(lots, chosen)
    world = World(algorithm, **{**kind, "bust": 0.0})  # type: ignore[arg-type]
    world.now = BEGIN - 5 * SECOND
    while world.now < END + 10 * SECOND:
        world.step(SECOND)
        out = algorithm.children.filled + algorithm.children.open_lots
        if isinstance(algorithm, Scheduled) and not algorithm.crosses_the_rest:
            assert out <= algorithm.wanted()  # 3
        if algorithm.name == "pov" and not algorithm.crosses_the_rest:
            assert out <= 0.25 * algorithm.volume  # 3
        if algorithm.name == "iceberg":
            assert algorithm.children.open_lots <= (9 if not algorithm.crosses_the_rest else lots)


@pytest.mark.parametrize("chosen", range(len(SETTINGS)))
@pytest.mark.parametrize("lots", [1, -7, 250])
def test_all_of_it_is_done(chosen: int, lots: int) -> None:
    """5: the venue fills whatever crosses."""
    limit = 2_000 * TICK if lots > 0 else TICK
    algorithm = made(lots, chosen, limit=limit)
    world = World(algorithm, seed=chosen)
    world.run(END + 5 * SECOND, SECOND)
    assert world.filled == abs(lots) == algorithm.children.filled
    assert algorithm.standing is Standing.DONE
    assert all(at < END for at, _ in world.sends)


@pytest.mark.parametrize("chosen", range(len(SETTINGS)))
def test_equal_news_equal_orders(chosen: int) -> None:
    """8."""

    def orders() -> list[tuple[int, Send]]:
        world = World(made(120, chosen), seed=5, part=0.4, refuse=0.1, rest=0.2, lose=0.1)
        world.run(END, SECOND)
        return world.sends

    first = orders()
    assert first == orders()
    assert len(first) > 3


def shown(now: int, bid: int = 1_000 * TICK) -> Shown:
    """A touch with enough on both sides."""
    return Shown("sim", ((bid, 1_000),), ((bid + TICK, 1_000),), now)


def first_child(algorithm: Algorithm) -> Send:
    """The first order of a schedule."""
    out = algorithm.on(BEGIN, shown(BEGIN))
    assert len(out) == 1 and isinstance(out[0], Send)
    return out[0]


def test_what_may_be_at_the_venue_is_not_sent_again() -> None:
    """7: the lots of a lost order are missing until the venue says; then they are caught up."""
    algorithm = made(120, 0)
    child = first_child(algorithm).ticket
    assert child.lots == 10
    assert algorithm.on(BEGIN, Lost(child.client_id, "no answer", BEGIN)) == []
    later = [algorithm.on(BEGIN + k * SECOND, shown(BEGIN + k * SECOND)) for k in range(1, 10)]
    assert later == [[]] * 9
    (second,) = algorithm.on(BEGIN + 10 * SECOND, shown(BEGIN + 10 * SECOND))
    assert isinstance(second, Send) and second.ticket.lots == 10
    assert second.parent_left == 110
    assert algorithm.on(BEGIN + 11 * SECOND, Cancelled(child.client_id, 0))
    assert algorithm.children.book.orders[child.client_id].state is State.CANCELLED
    assert algorithm.children.open_lots == 20


def test_a_cut_order_is_made_up_later() -> None:
    algorithm = made(120, 0)
    child = first_child(algorithm).ticket
    assert algorithm.on(BEGIN, Ruled(child.client_id, Answer.REDUCE, Rule.PARTICIPATION, 4, 4.0, 10.0, BEGIN)) == []
    assert algorithm.children.open_lots == 4
    out = algorithm.on(BEGIN + SECOND, shown(BEGIN + SECOND))
    assert [a.ticket.lots for a in out if isinstance(a, Send)] == [6]


@pytest.mark.parametrize(
    ("answer", "rule", "stops"),
    [
        (Answer.REJECT, Rule.KILLED, True),
        (Answer.FLATTEN, Rule.DAILY_LOSS, True),
        (Answer.REJECT, Rule.DRAWDOWN, True),
        (Answer.REJECT, Rule.STALE_PRICE, False),
        (Answer.REJECT, Rule.MESSAGE_RATE, False),
    ],
)
def test_what_stops_an_order(answer: Answer, rule: Rule, stops: bool) -> None:
    algorithm = made(120, 0)
    child = first_child(algorithm).ticket
    algorithm.on(BEGIN, Ruled(child.client_id, answer, rule, 0, None, None, BEGIN))
    assert (algorithm.stopped is not None) is stops
    again = algorithm.on(BEGIN + 2 * SECOND, shown(BEGIN + 2 * SECOND))
    assert bool(again) is not stops


def test_refused_five_times_is_stopped() -> None:
    algorithm = made(120, 0)
    out = algorithm.on(BEGIN, shown(BEGIN))
    for k in range(1, 6):
        (send,) = out
        assert isinstance(send, Send)
        refused = Ruled(send.ticket.client_id, Answer.REJECT, Rule.COLLAR, 0, None, None, 0)
        assert algorithm.on(BEGIN + k * SECOND - 1, refused) == []
        out = algorithm.on(BEGIN + (k + 1) * SECOND, shown(BEGIN + (k + 1) * SECOND))
    assert out == []
    assert algorithm.stopped == "refused 5 times: the risk core: COLLAR"


def test_stopped_by_hand_withdraws_what_rests() -> None:
    algorithm = made(120, 1)
    child = first_child(algorithm).ticket
    assert child.time_in_force == "day"
    assert child.limit_micros == 1_000 * TICK
    algorithm.on(BEGIN, Ruled(child.client_id, Answer.APPROVE, Rule.WITHIN_LIMITS, child.lots, None, None, BEGIN))
    algorithm.on(BEGIN, Acknowledged(child.client_id, "v", BEGIN))
    (out,) = algorithm.stop("by hand")
    assert dataclasses.asdict(out) == {"client_id": child.client_id}
    assert algorithm.standing is Standing.CLOSING
    assert algorithm.on(BEGIN + SECOND - 1, shown(BEGIN)) == []
    algorithm.on(BEGIN + SECOND, Cancelled(child.client_id, BEGIN))
    assert algorithm.standing is Standing.DONE
    assert algorithm.on(BEGIN + 20 * SECOND, shown(BEGIN + 20 * SECOND)) == []


def test_what_rests_is_crossed_when_its_slice_is_over() -> None:
    algorithm = made(140, 1)
    child = first_child(algorithm).ticket
    algorithm.on(BEGIN, Ruled(child.client_id, Answer.APPROVE, Rule.WITHIN_LIMITS, child.lots, None, None, BEGIN))
    algorithm.on(BEGIN, Acknowledged(child.client_id, "v", BEGIN))
    late = BEGIN + 7 * SECOND
    out = algorithm.on(late, shown(late))
    kinds = [type(a).__name__ for a in out]
    assert kinds == ["Withdraw", "Send"]
    assert isinstance(out[1], Send) and out[1].ticket.time_in_force == "ioc"
    assert out[1].ticket.limit_micros == 1_001 * TICK


def test_an_impossible_fill_stops_it() -> None:
    from modules.live.messages import Filled

    algorithm = made(120, 0)
    child = first_child(algorithm).ticket
    algorithm.on(BEGIN, Filled(child.client_id, "e", child.symbol, -5, 10.0, -50_000_000, 0, BEGIN))
    assert algorithm.stopped is not None and "the sides must agree" in algorithm.stopped


def test_it_says_when_it_wants_to_be_called() -> None:
    algorithm = made(120, 0)
    assert algorithm.on(5 * SECOND) == []
    assert algorithm.wake_ns == BEGIN
    first_child(algorithm)
    assert algorithm.wake_ns == BEGIN + SECOND  # the pause after what crossed
    algorithm.on(BEGIN + 2 * SECOND)
    assert algorithm.wake_ns == BEGIN + 10 * SECOND


@pytest.mark.parametrize("chosen", range(len(SETTINGS)))
def test_the_window_is_kept_to_the_nanosecond(chosen: int) -> None:
    """2: the last moment before the end still sends what is left, the end itself does not."""
    limit = 2_000 * TICK
    assert made(50, chosen, limit=limit).on(BEGIN - 1, shown(BEGIN - 1)) == []
    last = made(50, chosen, limit=limit).on(END - 1, shown(END - 1))
    assert [a.ticket.lots for a in last if isinstance(a, Send)] == [20 if SETTINGS[chosen].most_lots else 50]
    late = made(50, chosen, limit=limit)
    assert late.on(END, shown(END)) == [] and late.standing is Standing.DONE
