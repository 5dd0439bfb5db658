"""All feeds of an account together: bars as records for the runner, and what a stalled feed stops.

1. Each label is said once, when all of it is there, and its records are those of a data set.
2. A feed that stalls stops what opens, by its name; what only reduces goes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from websockets.sync.server import ServerConnection

from modules.crossings import RecordsSchema
from modules.engine.exchange.events import Instrument
from modules.live.feeds.bars import BarBuilder, BarShape
from modules.live.feeds.health import HealthLimits
from modules.live.feeds.market import Market
from modules.live.feeds.news import Bar, FeedNews, Link, Trade
from modules.live.feeds.opening import FeedsConfig, load_feeds, make_feed
from modules.live.feeds.port import FeedError
from modules.live.feeds.station import Station, open_station
from modules.live.feeds.websocket import WebSocketFeed
from modules.live.orders.order import Ticket
from tests.modules.live.feeds.server import Peer, serving
from tests.modules.live.feeds.test_websocket import answer, calm

S = 1_000_000_000
LIKE = RecordsSchema.create_empty()
A, B = Instrument("A.X", 0.01, 1.0), Instrument("B.X", 0.01, 1.0)
XRP = Instrument("XRP-USDT.BYBIT", 0.0001, 1.0)


class Told:
    """A feed that says what it is given."""

    def __init__(self) -> None:
        self.name, self.ended, self.news = "t", False, list[FeedNews]()

    def open(self) -> None:
        self.news.append(Link("t", True, "open", 0))

    def poll(self, timeout_s: float) -> list[FeedNews]:
        said, self.news = self.news, []
        return said

    def resync(self, symbol: str) -> None:
        raise AssertionError("nothing here has a book")

    def fileno(self) -> int:
        return -1

    def close(self) -> None:
        self.ended = True


def station(grace_ms: int = 500) -> tuple[Station, Told, list[int]]:
    now = [1_000 * S]
    feed = Told()
    builder = BarBuilder(BarShape(interval_s=60, grace_ms=grace_ms))
    market = Market([A, B], health=HealthLimits(feed_ms=5_000, price_ms=90_000))
    made = Station([feed], market, builder, LIKE, clock_ns=lambda: now[0])
    made.open()
    return made, feed, now


def trade(symbol: str, ns: int, price: float) -> Trade:
    return Trade(symbol, "x", price, 2.0, None, "", ns, ns)


def test_trades_become_records() -> None:
    it, feed, now = station()
    feed.news += [trade("B.X", 1_001 * S, 5.0), trade("A.X", 1_002 * S, 10.0), trade("A.X", 1_003 * S, 10.2)]
    now[0] = 1_003 * S
    assert it.poll(0.0) == []
    now[0] = 1_020 * S + S // 2
    assert it.poll(0.0) == [1_020 * S] and it.poll(0.0) == []
    rows, known_ns = it.closed(1_020 * S)
    RecordsSchema.validate(rows)
    assert known_ns == now[0] and rows["symbol"].to_list() == ["A.X", "B.X"]
    assert rows.select("open", "high", "low", "close", "volume").rows() == [
        (10.0, 10.2, 10.0, 10.2, 4.0),
        (5.0, 5.0, 5.0, 5.0, 2.0),
    ]
    assert rows["adj_close"].null_count() == 2 and pl.concat([LIKE, rows]).schema == LIKE.schema
    assert it.closed(1_020 * S)[0].height == 0


def test_bars_of_a_venue_wait_for_each_other() -> None:
    it, feed, now = station()
    feed.news.append(Bar("B.X", 960 * S, 5.0, 5.0, 5.0, 5.0, 1.0, 1_000 * S))
    assert it.poll(0.0) == []
    now[0] += S // 4
    feed.news.append(Bar("A.X", 960 * S, 9.0, 9.0, 9.0, 9.0, 1.0, 1_000 * S))
    assert it.poll(0.0) == []
    now[0] += S // 4
    assert it.poll(0.0) == [960 * S]
    assert it.closed(960 * S)[0]["symbol"].to_list() == ["A.X", "B.X"]
    feed.news.append(Bar("A.X", 959 * S, 9.0, 9.0, 9.0, 9.0, 1.0, 1_000 * S))  # the gates have a later one
    feed.news.append(Bar("B.X", 960 * S + 1, 5.0, 5.0, 5.0, 5.0, 1.0, 1_001 * S))
    it._said_ns = 970 * S
    assert it.poll(0.0) == [] and it.late == 1


def test_what_may_go_out_while_a_feed_stalls() -> None:
    it, feed, now = station()
    feed.news.append(trade("A.X", now[0], 10.0))
    it.poll(0.0)
    buy, sell = Ticket("c1", "s", "A.X", 5, "sim"), Ticket("c2", "s", "A.X", -5, "sim")
    assert it.may_open(buy, 0) is None and it.stalled() == {
        "t": None,
        "A.X": None,
        "B.X": "B.X has had no believed price yet",
    }
    now[0] += 6 * S
    assert "feed t has said nothing for 6000 ms" in str(it.may_open(buy, 0))
    assert it.may_open(sell, 5) is None and it.may_open(sell, 4) is not None
    assert "6000 ms" in str(it.stalled()["t"])
    it.close()
    assert feed.ended


def test_waiting_ends_when_a_bar_does_or_something_comes() -> None:
    def silent(peer: Peer, connection: ServerConnection) -> None:
        answer(peer, connection, 1.0)
        peer.stop.wait(120.0)

    with serving(Peer(1, silent)) as peer:
        config = FeedsConfig.model_validate({"feeds": {"x": {"venue": "bybit", "url": peer.url, "trades": False}}})
        it = open_station(config, [XRP], LIKE)
        until(lambda: bool(it.poll(0.05)) or XRP.symbol in it.market.marks)
        began = time.monotonic()
        it.builder.take(Trade(XRP.symbol, "x", 1.95, 1.0, None, "", time.time_ns() - 60 * S, 0))
        assert len(it.poll(120.0)) == 1 and time.monotonic() - began < 60.0
        began = time.monotonic()
        while time.monotonic() - began < 0.2:
            it.poll(0.1)  # nothing comes: it waits, and does not spin
        it.close()


def until(seen: Callable[[], bool]) -> None:
    end = time.monotonic() + 60.0
    while not seen():
        assert time.monotonic() < end


def test_what_feeds_say_is_heard_before_it_has_an_effect() -> None:
    it, feed, _ = station()
    seen: list[tuple[FeedNews, int]] = []
    it._heard = lambda name, one: seen.append((one, len(it.market.marks)))
    feed.news.append(trade("A.X", 1_000 * S, 10.0))
    it.poll(0.0)
    assert [(type(x).__name__, n) for x, n in seen] == [("Link", 0), ("Trade", 0)] and len(it.market.marks) == 1


GOOD = """
feeds:
  bybit: {venue: bybit, url: "wss://stream.bybit.com/v5/public/spot", depth: 200}
bars: {interval_s: 60, calendar: "24/7"}
"""
BAD = [
    ("", "feeds"),
    ("feeds: {}", "feeds"),
    ("feeds: {x: {venue: nowhere, url: 'wss://h'}}", "venue"),
    ("feeds: {x: {venue: bybit, url: 'ws://stream.bybit.com/'}}", "not encrypted"),
    ("feeds: {x: {venue: bybit, url: 'wss://h', snapshots: 'http://h'}}", "not encrypted"),
    ("feeds: {X y: {venue: bybit, url: 'wss://h'}}", "pattern"),
    ("feeds: {x: {venue: bybit, url: 'wss://h', key: secret}}", "key"),
    (GOOD + "gates: {max_spread: 2}", "max_spread"),
    ("feeds: [", "not YAML"),
]


@pytest.mark.parametrize(("text", "why"), BAD)
def test_a_configuration_that_is_refused(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "feeds.yaml").write_text(text)
    with pytest.raises(FeedError, match=why):
        load_feeds(tmp_path / "feeds.yaml")


def test_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "feeds.yaml").write_text(GOOD)
    config = load_feeds(tmp_path / "feeds.yaml")
    feed = make_feed("bybit", config.feeds["bybit"], [XRP.symbol])
    assert isinstance(feed, WebSocketFeed) and "orderbook.200.XRPUSDT" in feed.dialect.subscribe()[0]
    with pytest.raises(FeedError, match="cannot be read"):
        load_feeds(tmp_path / "none.yaml")


MAKES = [
    ({"venue": "bybit", "url": "wss://h", "depth": 7}, "depth = 7"),
    ({"venue": "binance", "url": "wss://h"}, "give snapshots"),
    ({"venue": "bybit", "url": "wss://h", "symbols": ["xrp"]}, "not canonical"),
    ({"venue": "bybit", "url": "wss://h", "names": {"Z.X": "Z"}}, "no instrument here"),
]


@pytest.mark.parametrize(("options", "why"), MAKES)
def test_a_feed_that_cannot_be_made(options: dict[str, object], why: str) -> None:
    config = FeedsConfig.model_validate({"feeds": {"x": options}})
    with pytest.raises(FeedError, match=why):
        make_feed("x", config.feeds["x"], [XRP.symbol])


def test_the_market_of_a_station_follows_its_venue() -> None:
    with serving(Peer(2, calm)) as peer:
        config = FeedsConfig.model_validate({"feeds": {"x": {"venue": "bybit", "url": peer.url}}})
        it = open_station(config, [XRP], LIKE)
        until(lambda: bool(it.poll(0.05)) or XRP.symbol in it.market.marks)
        assert it.stalled() == {"x": None, XRP.symbol: None}
        it.close()
