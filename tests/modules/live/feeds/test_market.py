"""News of feeds to books, reference prices and health.

1. A reference price comes only from news that passed the gates, and never goes back in time.
2. A book with a gap, a cross or a bad level prices nothing until a snapshot; one is asked for once.
3. A stalled feed stops what opens, never what only reduces.
"""

from __future__ import annotations

import pytest

from modules.engine.exchange.events import Instrument
from modules.live.feeds.gates import Gate, GateLimits
from modules.live.feeds.health import FeedHealth, HealthLimits
from modules.live.feeds.market import Market
from modules.live.feeds.news import Bar, Beat, Depth, FeedNews, Levels, Link, Quote, Trade
from modules.live.messages import Marked

MS = 1_000_000
A, B = Instrument("A.X", 0.01, 1.0), Instrument("B.X", 0.01, 1.0)


def market() -> Market:
    made = Market([A, B], gates=GateLimits(stale_ms=1_000), health=HealthLimits(feed_ms=500, price_ms=1_000))
    made.take("f", [Link("f", True, "open", 0)])
    return made


def depth(last: int, bids: Levels, asks: Levels, ns: int, *, snapshot: bool = False) -> Depth:
    return Depth("A.X", "x", snapshot, last, last, bids, asks, ns, ns)


WHOLE = depth(5, ((9.9, 10.0),), ((10.1, 10.0),), 1 * MS, snapshot=True)


def test_what_traded_is_counted_once() -> None:
    """Believed trades; bars where no trade is heard."""
    it = market()
    said: list[FeedNews] = [
        Trade("A.X", "x", 10.0, 5.0, "buy", "1", 1 * MS, 1 * MS),
        Trade("A.X", "x", 10.0, 5.0, "buy", "1", 1 * MS, 1 * MS),  # said twice
        Trade("A.X", "y", 10.0, 2.5, "sell", "1", 2 * MS, 2 * MS),
        Trade("A.X", "x", 10.0, -1.0, "sell", "2", 3 * MS, 3 * MS),
        Bar("A.X", 0, 10.0, 10.0, 10.0, 10.0, 7.5, 6 * MS),  # of the same trades
        Bar("B.X", 0, 5.0, 6.0, 4.0, 5.5, 100.0, 6 * MS),
        Bar("B.X", 60, 5.0, 6.0, 4.0, 5.5, 20.0, 7 * MS),
        Trade("C.X", "x", 10.0, 5.0, "buy", "1", 8 * MS, 8 * MS),
    ]
    it.take("f", said)
    assert it.traded == {"A.X": 7.5, "B.X": 120.0}


def test_quotes_trades_and_bars_make_reference_prices() -> None:
    it, heard, bars = market(), [], []
    it.listeners.append(heard.append)
    it.bars_heard.append(bars.append)
    said: list[FeedNews] = [
        Trade("A.X", "x", 10.0, 5.0, "buy", "1", 1 * MS, 1 * MS),
        Quote("A.X", "x", 9.9, 10.3, 1.0, 1.0, 2 * MS, 3 * MS),  # wide
        Quote("A.X", "x", 9.9, 10.0, 1.0, 1.0, 3 * MS, 4 * MS),
        Trade("A.X", "x", 10.0, 5.0, "sell", "2", 4 * MS, 4 * MS),  # the quote is better
        Quote("C.X", "x", 9.9, 10.0, 1.0, 1.0, 5 * MS, 5 * MS),
        Bar("B.X", 0, 5.0, 6.0, 4.0, 5.5, 100.0, 6 * MS),
        Bar("B.X", 0, 5.0, 6.0, 4.0, 5.6, 100.0, 7 * MS),  # the same label again
        Beat("f", 8 * MS),
    ]
    it.take("f", said)
    assert heard == [Marked("A.X", 10.0, 1 * MS), Marked("A.X", 9.95, 3 * MS), Marked("B.X", 5.5, 6 * MS)]
    assert [b.close for b in bars] == [5.5] and it.unknown == 1
    line = it.lines["x", "A.X"]
    assert line.refused == {Gate.WIDE: 1} and line.top is not None and line.top.mid == 9.95
    assert it.health.sources["f"].heard_ns == 8 * MS


def test_a_trade_that_is_said_again_counts_once() -> None:
    it, heard = market(), []
    it.trades_heard.append(heard.append)
    one = Trade("A.X", "x", 10.0, 5.0, "buy", "1", 1 * MS, 1 * MS)
    it.take("f", [one, one, Trade("A.X", "x", 10.0, 5.0, "buy", "2", 1 * MS, 1 * MS), one])
    assert [t.trade_id for t in heard] == ["1", "2"] and it.lines["x", "A.X"].refused == {Gate.REPEATED: 2}
    for k in range(10_000):
        it.take("f", [Trade("A.X", "x", 10.0, 5.0, None, f"n{k}", 1 * MS, 1 * MS)])
    assert len(it.lines["x", "A.X"].trade_ids) == 4_096


def test_a_reference_price_does_not_go_back_and_is_no_newer_than_we_saw_it() -> None:
    it = market()
    it.take("f", [Quote("A.X", "x", 9.9, 10.1, 1.0, 1.0, 9 * MS, 5 * MS)])
    assert it.marks["A.X"].ts_ns == 5 * MS
    it.take("f", [Quote("A.X", "y", 9.8, 10.0, 1.0, 1.0, 4 * MS, 6 * MS)])
    assert it.marks["A.X"] == Marked("A.X", 10.0, 5 * MS)


BREAKS = [
    ("a gap", depth(7, ((9.8, 1.0),), (), 2 * MS), "missing"),
    ("crossed", depth(6, ((10.2, 1.0),), (), 2 * MS), "crossed"),
    ("locked", depth(6, ((10.1, 1.0),), (), 2 * MS), "locked"),
    ("off tick", depth(6, ((9.805, 1.0),), (), 2 * MS), "off_tick"),
    ("not a price", depth(6, ((float("nan"), 1.0),), (), 2 * MS), "zero"),
]


@pytest.mark.parametrize(("words", "bad", "why"), BREAKS, ids=[r[0] for r in BREAKS])
def test_a_broken_book_prices_nothing_until_a_snapshot(words: str, bad: Depth, why: str) -> None:
    it = market()
    it.take("f", [WHOLE])
    assert it.marks["A.X"] == Marked("A.X", 10.0, 1 * MS) and it.health.stalled(2 * MS, "A.X") is None
    it.take("f", [bad, depth(8, ((9.7, 1.0),), (), 3 * MS)])
    assert it.wanted() == (("f", "A.X"),) and it.wanted() == ()
    assert why in str(it.health.stalled(3 * MS, "A.X"))
    assert it.lines["x", "A.X"].top is None and it.marks["A.X"].ts_ns == 1 * MS
    it.take("f", [depth(2, ((9.8, 2.0),), ((9.9, 2.0),), 4 * MS, snapshot=True)])  # does not join on to 8
    assert it.wanted() == (("f", "A.X"),)
    it.take("f", [depth(8, ((9.8, 2.0),), ((9.9, 2.0),), 5 * MS, snapshot=True)])
    assert it.wanted() == () and it.health.stalled(5 * MS, "A.X") is None
    assert it.marks["A.X"] == Marked("A.X", 0.5 * 9.8 + 0.5 * 9.9, 5 * MS)


def test_changes_before_the_first_snapshot_ask_for_one_and_join_on_to_it() -> None:
    it = market()
    it.take("f", [depth(6, ((9.95, 1.0),), (), 1 * MS), depth(7, ((9.96, 1.0),), (), 2 * MS)])
    assert it.wanted() == (("f", "A.X"),)
    it.take("f", [WHOLE])
    top = it.lines["x", "A.X"].top
    assert top is not None and top.bid == 9.96


def test_a_connection_that_went_takes_the_books_with_it() -> None:
    it = market()
    it.take("f", [WHOLE, Link("f", False, "reset by peer", 2 * MS)])
    assert it.health.stalled(2 * MS) == "feed f is down: reset by peer"
    it.take("f", [Link("f", True, "open", 3 * MS)])
    assert it.health.stalled(3 * MS) is None and "f is new" in str(it.health.stalled(3 * MS, "A.X"))
    it.take("f", [depth(6, ((9.95, 1.0),), (), 4 * MS)])
    assert it.lines["x", "A.X"].top is None, "a change after the gap must not be taken for the next one"
    it.take("f", [depth(6, ((9.9, 1.0),), ((10.0, 1.0),), 5 * MS, snapshot=True)])
    assert it.health.stalled(5 * MS, "A.X") is None


def test_spikes_are_measured_from_the_close_of_before() -> None:
    it = market()
    it.seed("A.X", "x", 10.0)
    it.take("f", [Quote("A.X", "x", 11.9, 12.0, 1.0, 1.0, MS, MS)])
    assert "A.X" not in it.marks and it.lines["x", "A.X"].refused == {Gate.SPIKE: 1}


def healthy() -> FeedHealth:
    health = FeedHealth(HealthLimits(feed_ms=500, price_ms=1_000))
    health.link("f", True, "open", 0)
    health.heard("f", 2_000 * MS)
    health.priced("A.X", 1_500 * MS)
    return health


OPENS = [
    # lots, held, now in ms, symbol, what stops it
    (10, 0, 2_000, "A.X", None),
    (10, 0, 2_500, "A.X", None),
    (10, 0, 2_501, "A.X", "said nothing for 501 ms"),
    (-10, 0, 2_501, "A.X", "said nothing"),
    (10, 5, 2_501, "A.X", "said nothing"),
    (-5, 5, 9_999, "A.X", None),
    (-6, 5, 9_999, "A.X", "said nothing"),
    (5, -5, 9_999, "A.X", None),
    (6, -5, 9_999, "A.X", "said nothing"),
    (10, 0, 2_000, "B.X", "no believed price"),
    (10, 0, 1_500, "A.X", None),
    (10, 0, 1_499, "A.X", "was set back"),
]


@pytest.mark.parametrize(("lots", "held", "now_ms", "symbol", "why"), OPENS)
def test_a_stalled_feed_stops_what_opens_and_nothing_else(
    lots: int, held: int, now_ms: int, symbol: str, why: str | None
) -> None:
    said = healthy().opens(symbol, lots, held, now_ms * MS)
    assert said is None if why is None else why in str(said)


def test_an_old_price_counts_only_while_the_market_is_open() -> None:
    health = healthy()
    health.heard("f", 2_600 * MS)
    assert "1100 ms old" in str(health.stalled(2_600 * MS, "A.X"))
    health.trading("A.X", False)
    assert health.stalled(2_600 * MS, "A.X") is None
    health.trading("A.X", True)
    assert health.stalled(2_600 * MS, "A.X") is not None


def test_without_a_feed_nothing_is_opened() -> None:
    assert FeedHealth().opens("A.X", 1, 0, 0) == "no feed was opened yet"
