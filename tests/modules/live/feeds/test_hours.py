"""A market's night at a station: silence is no fault, no alert comes of it, and the first bar after it is right.

1. Hours are the calendar's; sessions that follow at once are one, and without a calendar the market is always open.
2. At night nothing stalls; at the open, ages begin anew, and nothing is opened before a price of the session.
3. After a jump over night the first bar holds every trade of it; a single price far off is in no bar.
4. A feed that has heartbeats and no data is hung up by day, and by night it is not.
"""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from websockets.sync.server import ServerConnection

from modules.calendars import sessions
from modules.engine.exchange.events import Instrument
from modules.live.feeds.bars import BarBuilder, BarShape
from modules.live.feeds.dialects.bybit import Bybit
from modules.live.feeds.health import HealthLimits
from modules.live.feeds.hours import Hours
from modules.live.feeds.market import Market
from modules.live.feeds.news import Beat, FeedNews, Link, Trade
from modules.live.feeds.opening import FeedsConfig
from modules.live.feeds.port import FeedError
from modules.live.feeds.station import Station, open_station
from modules.live.feeds.symbols import symbol_map
from modules.live.feeds.websocket import Patience, WebSocketFeed
from modules.live.orders.order import Ticket
from modules.live.units import SECOND_NS as S
from modules.panel import ns
from tests.modules.live.feeds.server import Peer, serving
from tests.modules.live.feeds.test_station import LIKE, XRP, Told

OPEN, CLOSE = ns("2023-01-04T14:30:00"), ns("2023-01-04T21:00:00")
TOMORROW = ns("2023-01-05T14:30:00")
BUY, SELL = Ticket("c1", "s", "A.X", 5, "sim"), Ticket("c2", "s", "A.X", -5, "sim")


def test_1_hours_of_a_calendar() -> None:
    it, known = Hours("XNYS", closing_ms=1_000), sessions("XNYS")
    assert known is not None
    for at, is_open, opened in [
        (OPEN - 1, False, ns("2023-01-03T14:30:00")), (OPEN, True, OPEN), (CLOSE - 1, True, OPEN),
        (CLOSE + S - 1, True, OPEN), (CLOSE + S, False, OPEN), (TOMORROW - 1, False, OPEN), (TOMORROW, True, TOMORROW),
    ]:  # fmt: skip
        assert (it.is_open(at), it.opened_ns(at)) == (is_open, opened)
        assert (Hours("XNYS", 1_000).is_open(at), Hours("XNYS", 1_000).opened_ns(at)) == (is_open, opened)
    assert not it.is_open(int(known.open_ns[0]) - 1) and not it.is_open(int(known.close_ns[-1]) + 2 * S)


@pytest.mark.parametrize("calendar", ["24/7", "UNKNOWN"])
def test_1_a_market_that_never_closes(calendar: str) -> None:
    it = Hours(calendar)
    midnight = ns("2023-01-05")
    moments = [midnight - 1, midnight, midnight + 1, CLOSE]
    assert all(it.is_open(at) for at in moments) and all(
        it.opened_ns(a) == it.opened_ns(b) < midnight - S for a, b in pairwise(moments)
    )


def station() -> tuple[Station, Told, list[int]]:
    """By night, with a price of the evening."""
    now, feed = [CLOSE - 2 * S], Told()
    builder = BarBuilder(BarShape(interval_s=60, grace_ms=500, calendar="XNYS"))
    market = Market([Instrument("A.X", 0.01, 1.0)], health=HealthLimits(feed_ms=5_000, price_ms=5_000))
    made = Station([feed], market, builder, LIKE, clock_ns=lambda: now[0])
    made.open()
    feed.news += [trade(CLOSE - 3 * S, 10.0 + 0.001 * i) for i in range(7)]
    made.poll(0.0)
    now[0] = CLOSE + S
    assert made.poll(0.0) == [CLOSE]
    return made, feed, now


def trade(at: int, price: float) -> FeedNews:
    return Trade("A.X", "x", price, 2.0, None, "", at, at)


def test_2_a_quiet_night() -> None:
    it, feed, now = station()
    for at in range(CLOSE + S, TOMORROW, 600 * S):
        now[0] = at
        assert it.poll(0.0) == [] and not any(it.stalled().values()) and it.opened_ns() is None
    now[0] = TOMORROW + S
    it.poll(0.0)
    assert it.stalled() == {"t": None, "A.X": None} and it.opened_ns() == TOMORROW
    assert "since its market opened" in str(it.may_open(BUY, 0)) and it.may_open(SELL, 5) is None
    feed.news.append(Beat("t", now[0]))
    now[0] = TOMORROW + 6 * S
    feed.news.append(Beat("t", now[0]))
    it.poll(0.0)
    assert "6000 ms old" in str(it.stalled()["A.X"])
    feed.news.append(trade(now[0], 10.0))
    it.poll(0.0)
    assert it.stalled() == {"t": None, "A.X": None} and it.may_open(BUY, 0) is None
    now[0] += 6 * S
    assert "said nothing for 6000 ms" in str(it.may_open(BUY, 0))


def test_2_a_connection_that_went_is_said_at_night_too() -> None:
    it, feed, now = station()
    feed.news.append(Link("t", False, "reset by peer", now[0]))
    it.poll(0.0)
    assert "is down: reset by peer" in str(it.stalled()["t"])


def test_3_the_first_bar_after_a_jump() -> None:
    it, feed, now = station()
    prices = [12.0, 12.01, 12.02, 12.03, 12.01]
    feed.news += [trade(TOMORROW + i * S, p) for i, p in enumerate(prices)]
    now[0] = TOMORROW + 5 * S
    it.poll(0.0)
    feed.news += [trade(TOMORROW + 6 * S, 99.0), trade(TOMORROW + 7 * S, 12.02)]
    now[0] = TOMORROW + 61 * S
    assert it.poll(0.0) == [TOMORROW + 60 * S]
    rows, _ = it.closed(TOMORROW + 60 * S)
    assert rows.select("open", "high", "low", "close", "volume").rows()[-1] == (12.0, 12.03, 12.0, 12.02, 12.0)


def test_3_doubted_prices_that_do_not_agree_are_in_no_bar() -> None:
    it, feed, now = station()
    feed.news += [trade(TOMORROW + i * S, p) for i, p in enumerate([12.0, 30.0, 12.0, 30.0, 12.0, 12.1, 10.0, 12.1])]
    now[0] = TOMORROW + 61 * S
    assert it.poll(0.0) == [TOMORROW + 60 * S]
    rows, _ = it.closed(TOMORROW + 60 * S)
    assert rows.select("open", "close", "volume").rows()[-1] == (10.0, 10.0, 2.0)


@pytest.mark.slow
@pytest.mark.parametrize("is_night", [False, True])
def test_4_heartbeats_without_data(is_night: bool) -> None:
    def beats(peer: Peer, connection: ServerConnection) -> None:
        while not peer.stop.is_set():
            said = peer.listen(connection, 0.1)
            if said is not None and "ping" in said:
                connection.send('{"success":true,"ret_msg":"pong","op":"ping"}')

    patience = Patience(connect_s=30.0, ping_s=0.05, silence_s=60.0, stall_s=0.3, base_s=0.01, most_s=0.02)
    with serving(Peer(3, beats)) as peer:
        dialect = Bybit(symbol_map("bybit", [XRP.symbol]))
        feed, said, pongs = WebSocketFeed("f", peer.url, dialect, patience, is_quiet=lambda: is_night), [], 0
        feed.open()
        end = time.monotonic() + 60.0
        while pongs < 20 and not [n for n in said if not n.is_up] and time.monotonic() < end:
            news = feed.poll(0.05)
            said += [n for n in news if isinstance(n, Link)]
            pongs += sum(isinstance(n, Beat) for n in news)
        feed.close()
    assert [n.is_up for n in said] == ([True] if is_night else [True, False])


def test_4_a_calendar_that_nobody_knows_is_refused() -> None:
    config = FeedsConfig.model_validate(
        {"feeds": {"x": {"venue": "bybit", "url": "ws://127.0.0.1:1"}}, "bars": {"calendar": "XMARS"}}
    )
    with pytest.raises(FeedError, match=r"bars.calendar: .*XMARS"):
        open_station(config, [XRP], LIKE)
