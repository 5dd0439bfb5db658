"""The table of an order's life, and one order under whatever news in whatever order.

1. Every state and news has a row, and the row is what this table says.
2. An order whose sending had no answer is never taken for refused by silence, a failed cancel, or another loss.
3. The same news in any order, any of it twice, ends in the same state with the same fills.
4. What ends stays ended; only fills, busts and corrections still move the lots.
"""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.live.orders.order import Fill, Order, OrderError, Ticket
from modules.live.orders.states import CONTRADICTIONS, FINAL, TABLE, News, Remark, State, TransitionError, after

C, S, W, X, U = State.CREATED, State.SENT, State.WORKING, State.CANCELLING, State.UNKNOWN
F, D, R, E = State.FILLED, State.CANCELLED, State.REJECTED, State.EXPIRED
WANTED = {
    #                    created sent working cancelling unknown
    News.SENT: (S, S, W, X, U),
    News.ACKNOWLEDGED: (W, W, W, X, W),
    News.REFUSED: (R, R, R, R, R),
    News.CANCEL_SENT: (X, X, X, X, U),
    News.CANCELLED: (D, D, D, D, D),
    News.CANCEL_REFUSED: (C, S, W, W, U),
    News.EXPIRED: (E, E, E, E, E),
    News.LOST: (U, U, U, U, U),
    News.NEVER_ARRIVED: (R, U, U, U, R),
    News.STILL_OPEN: (W, W, W, X, W),
    News.WITHDRAWN: (D, None, None, None, None),
}
ROWS = [
    (state, news, wanted) for news, row in WANTED.items() for state, wanted in zip((C, S, W, X, U), row, strict=True)
]


@pytest.mark.parametrize(("state", "news", "wanted"), ROWS, ids=[f"{s.value} + {n.value}" for s, n, _ in ROWS])
def test_the_table(state: State, news: News, wanted: State | None) -> None:
    if wanted is None:
        with pytest.raises(TransitionError, match="may be at the venue"):
            after(state, news)
        return
    assert after(state, news) == (wanted, Remark.CONTRADICTION if (state, news) in CONTRADICTIONS else None)


def test_every_row_is_there() -> None:
    assert set(WANTED) == set(News) and set(TABLE) == set(State) - FINAL
    for state, news in itertools.product(FINAL, set(News) - {News.WITHDRAWN}):
        assert after(state, news)[0] is state, "what has ended stays ended"


@settings(deadline=None)
@given(st.lists(st.sampled_from([News.LOST, News.CANCEL_SENT, News.CANCEL_REFUSED, News.SENT]), max_size=8))
def test_silence_is_no_refusal(heard: list[News]) -> None:
    order, _ = Order(Ticket("a", "s", "AAA", 5, "sim")).hear(News.SENT)
    order, _ = order.hear(News.LOST)
    for news in heard:
        order, _ = order.hear(news)
        assert order.is_open and order.left == 5


def order(lots: int = 10) -> Order:
    return Order(Ticket("a", "s", "AAA", lots, "sim"))


FILLS = st.lists(st.integers(1, 6), max_size=5)
NEWS = st.lists(st.sampled_from([News.SENT, News.ACKNOWLEDGED, News.LOST, News.CANCEL_SENT]), max_size=4)
ENDS = st.sampled_from([News.CANCELLED, News.EXPIRED])


@settings(max_examples=300, deadline=None)
@given(st.data(), FILLS, NEWS, ENDS, st.integers(0, 31), st.integers(0, 31), st.sampled_from([1, -1]))
def test_any_order_of_news_ends_the_same(
    data: st.DataObject, fills: list[int], news: list[News], end: News, busts: int, corrections: int, side: int
) -> None:
    made = [Fill(f"e{i}", side * lots, 1_000_000 + i) for i, lots in enumerate(fills)]
    told: list[tuple[str, object]] = [("news", n) for n in (*news, end)] + [("fill", f) for f in made]
    told += [("bust", f.exec_id) for i, f in enumerate(made) if busts >> i & 1]
    told += [("correct", Fill(f.exec_id, f.lots, 7)) for i, f in enumerate(made) if corrections >> i & 1]

    def heard(stream: list[tuple[str, object]]) -> tuple[State, int, int, list[Fill]]:
        found = order(side * 10)
        for what, value in stream:
            if what == "news":
                found, _ = found.hear(value)  # type: ignore[arg-type]
            else:
                found, _ = getattr(found, what)(value)
        return found.state, found.filled, found.left, sorted(found.fills.values(), key=lambda f: f.exec_id)

    whole = heard(told)
    shuffled = data.draw(st.permutations(told + told[: data.draw(st.integers(0, len(told)))]))
    assert heard(shuffled) == whole
    standing = [f.lots for i, f in enumerate(made) if not busts >> i & 1]
    assert whole[1] == sum(standing) and whole[2] == 0
    assert whole[0] is (State.FILLED if sum(fills) >= 10 else {News.CANCELLED: D, News.EXPIRED: E}[end])


def test_remarks() -> None:
    whole = order(10)
    half, said = whole.fill(Fill("1", 5, 100))
    assert said is None and half.state is W and half.left == 5, "a fill before any acknowledgement says that it works"
    assert half.fill(Fill("1", 5, 100)) == (half, None), "the same again"
    assert half.fill(Fill("1", 4, 100)) == (half, Remark.CHANGED_FILL)
    full, said = half.fill(Fill("2", 5, 100))
    assert full.state is F and said is None
    over, said = full.fill(Fill("3", 1, 100))
    assert (over.state, over.filled, said) == (F, 11, Remark.EXCESS_FILL)
    ended, _ = half.hear(News.CANCELLED)
    late, said = ended.fill(Fill("2", 2, 100))
    assert (late.state, late.filled, late.left, said) == (D, 7, 0, Remark.LATE_FILL)
    back, said = full.bust("2")
    assert (back.state, back.filled, back.left, said) == (F, 5, 0, Remark.BUSTED)
    assert back.bust("2") == (back, None)
    right, said = full.correct(Fill("2", 4, 90))
    assert (right.filled, said) == (9, Remark.CORRECTED) and right.correct(Fill("2", 4, 90)) == (right, None)


@pytest.mark.parametrize("fill", [Fill("1", -1, 100), Fill("1", 0, 100), Fill("1", 1, -1)])
def test_fills_that_cannot_be(fill: Fill) -> None:
    for hear in (order().fill, order().correct):
        with pytest.raises(OrderError, match="sides must agree"):
            hear(fill)
    with pytest.raises(OrderError, match="lots other than 0"):
        Ticket("a", "s", "AAA", 0, "sim")
