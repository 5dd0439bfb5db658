"""A feed against a server with faults.

1. Whatever was lost, doubled, mixed up, torn or garbled on the way, the book here is the venue's in the end, and while
   it may not be, it is not believed.
2. The feed comes back by itself, not sooner than it was asked to, and says when it went and why.
3. Neither silence nor a flood nor a peer that does not answer holds up whoever polls.
"""

from __future__ import annotations

import functools
import json
import socket
import threading
import time
from collections.abc import Callable

import pytest
from websockets.sync.server import ServerConnection

from modules.engine.exchange.events import Instrument
from modules.live.feeds.dialects.binance import Binance
from modules.live.feeds.dialects.bybit import Bybit
from modules.live.feeds.market import Market
from modules.live.feeds.news import FeedNews, Link
from modules.live.feeds.symbols import symbol_map
from modules.live.feeds.websocket import Patience, WebSocketFeed
from tests.modules.live.feeds.server import Peer, binance, bybit, serving, words

XRP = Instrument("XRP-USDT.BYBIT", 0.0001, 1.0)
QUICK = Patience(
    connect_s=30.0, ping_s=0.05, silence_s=30.0, stall_s=30.0, base_s=0.02, most_s=0.1, stable_s=9.0, resync_s=0.01
)
"""Quick to come back, and slow to go: a machine that stands still for a moment is no silence of the venue."""


def bybit_feed(peer: Peer, patience: Patience = QUICK) -> WebSocketFeed:
    return WebSocketFeed("f", peer.url, Bybit(symbol_map("bybit", [XRP.symbol])), patience)


def binance_feed(peer: Peer) -> WebSocketFeed:
    dialect = Binance(symbol_map("binance", [XRP.symbol]), ("depth",))
    return WebSocketFeed("f", peer.url, dialect, QUICK, snapshots=peer.http)


@functools.cache
def warm() -> None:
    """The kernels of a book, compiled: a storm does not wait for whoever compiles while it blows."""
    peer, market, dialect = Peer(0), Market([XRP]), Bybit(symbol_map("bybit", [XRP.symbol]))
    changes = [bybit(peer.truth, "delta", *peer.truth.step()) for _ in range(20)]
    for text in (whole(peer), *changes, bybit(peer.truth, "delta", *peer.truth.step())):
        market.take("f", dialect.decode(text.encode(), time.time_ns()))
    line = market.lines["bybit", XRP.symbol]
    assert line.sync.is_live and line.book.levels(True, 500) and line.book.levels(False, 500)


class Watch:
    """A market that is fed, and whatever was said of the link."""

    def __init__(self, feed: WebSocketFeed, venue: str = "bybit") -> None:
        self.feed, self.venue = feed, venue
        self.market = Market([XRP])
        self.links: list[Link] = []
        warm()
        feed.open()

    def once(self) -> list[FeedNews]:
        news = self.feed.poll(0.02)
        self.links += [x for x in news if isinstance(x, Link)]
        self.market.take(self.feed.name, news)
        for _, symbol in self.market.wanted():
            self.feed.resync(symbol)
        return news

    def until(self, seen: Callable[[], bool], limit_s: float = 30.0) -> None:
        end = time.monotonic() + limit_s
        while not seen():
            assert time.monotonic() < end, (self.links, self.feed.counts, self.market.health)
            self.once()

    def agrees(self, peer: Peer) -> bool:
        line = self.market.line(XRP.symbol, self.venue)
        if line is None or not line.sync.is_live:
            return False
        with peer.lock:
            bids, asks = dict(peer.truth.bids), dict(peer.truth.asks)
        whole = tuple((t / 10_000, bids[t]) for t in sorted(bids, reverse=True))
        return line.book.levels(True, 500) == whole and line.book.levels(False, 500) == tuple(
            (t / 10_000, asks[t]) for t in sorted(asks)
        )


def whole(peer: Peer) -> str:
    return bybit(peer.truth, "snapshot", words(peer.truth.bids), words(peer.truth.asks))


def answer(peer: Peer, connection: ServerConnection, wait_s: float) -> None:
    """What Bybit's server does with what it hears."""
    said = peer.listen(connection, wait_s)
    if said is None:
        return
    asked = json.loads(said)
    if asked["op"] == "ping":
        connection.send('{"success":true,"ret_msg":"pong","op":"ping"}')
    elif asked["op"] == "subscribe":
        connection.send('{"success":true,"ret_msg":"","op":"subscribe"}')
        with peer.lock:
            connection.send(whole(peer))


def calm(peer: Peer, connection: ServerConnection) -> None:
    """Nothing changes any more."""
    while not peer.stop.is_set():
        answer(peer, connection, 0.02)


def storm(messages: int, faults: float) -> Callable[[Peer, ServerConnection], None]:
    """Changes, of which some are lost, doubled, or late, until at least four snapshots were asked for; then calm."""

    def play(peer: Peer, connection: ServerConnection) -> None:
        answer(peer, connection, 1.0)
        kept: str | None = None
        sent = 0
        while sent < messages or (sent < 50 * messages and sum('"subscribe"' in h for h in peer.heard) < 5):
            sent += 1
            with peer.lock:
                text = bybit(peer.truth, "delta", *peer.truth.step())
                fate = peer.random.random()
                if fate < faults / 3:
                    continue
                if fate < 2 * faults / 3:
                    kept, text = text, kept or text
                connection.send(text)
                if fate > 1 - faults / 3:
                    connection.send(text)
            answer(peer, connection, 0.003)
        with peer.lock:
            connection.send(bybit(peer.truth, "delta", *peer.truth.step()))
        peer.over.set()
        calm(peer, connection)

    return play


def test_a_book_through_a_storm_is_the_venues_in_the_end() -> None:
    with serving(Peer(1, storm(150, 0.15))) as peer:
        watch = Watch(bybit_feed(peer))
        watch.until(lambda: peer.over.is_set() and watch.agrees(peer), 30.0)
        line = watch.market.lines["bybit", XRP.symbol]
        assert line.sync.gaps >= 3 and watch.feed.counts.resyncs >= 3
        assert line.top is not None and watch.market.health.stalled(time.time_ns(), XRP.symbol) is None
        watch.feed.close()
        assert watch.feed.ended and watch.feed.poll(0.0) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 12))
def test_many_storms(seed: int) -> None:
    with serving(Peer(seed, storm(400, 0.3))) as peer:
        watch = Watch(bybit_feed(peer))
        watch.until(lambda: peer.over.is_set() and watch.agrees(peer), 60.0)
        watch.feed.close()


def hangs_up(how: str) -> Callable[[Peer, ServerConnection], None]:
    """A good beginning, then an end of one kind."""

    def play(peer: Peer, connection: ServerConnection) -> None:
        answer(peer, connection, 1.0)
        raw = connection.socket
        if how == "close":
            connection.close(1001, "maintenance")
        elif how == "reset":
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            raw.close()
        elif how == "torn":
            raw.sendall(b"\x81\x7e\x04\x00" + b'{"topic":"orderbook')
            raw.shutdown(socket.SHUT_RDWR)
        elif how == "no frame":
            raw.sendall(b"\xff\xff\xff\xff garbage")
        elif how == "no message":
            connection.send('{"topic":"orderbook.50.XRPUSDT","type":"delta","data":{"b":"?"}}')
        elif how == "no JSON":
            connection.send("\x00\x01\x02")
        elif how == "too long":
            raw.sendall(b"\x81\x7f\x00\x00\x00\x01\x00\x00\x00\x00")
        elif how == "turned down":
            connection.send('{"success":false,"ret_msg":"Invalid symbol","op":"subscribe"}')
        elif how == "silent":
            peer.stop.wait(60.0)
            return
        peer.stop.wait(0.3)

    return play


ENDS = [
    ("close", "maintenance"),
    ("reset", "reset|hung up"),
    ("torn", "hung up"),
    ("no frame", "no WebSocket"),
    ("no message", "cannot be read"),
    ("no JSON", "cannot be read"),
    ("too long", "no WebSocket"),
    ("turned down", "Invalid symbol"),
    ("silent", "nothing was heard for 0.4 s"),
]


@pytest.mark.parametrize(("how", "why"), ENDS, ids=[e[0] for e in ENDS])
def test_it_comes_back_after(how: str, why: str) -> None:
    patience = QUICK.model_copy(update={"silence_s": 0.4} if how == "silent" else {})
    with serving(Peer(3, hangs_up(how), calm)) as peer:
        watch = Watch(bybit_feed(peer, patience))
        watch.until(lambda: len(watch.links) >= 2)
        assert [x.is_up for x in watch.links] == [True, False]
        assert any(part in watch.links[1].reason for part in why.split("|")), watch.links[1].reason
        assert watch.market.health.stalled(time.time_ns(), XRP.symbol) is not None
        watch.until(lambda: watch.agrees(peer))
        assert watch.links[-1].is_up and (peer.connections == 2 or how == "silent")
        assert watch.market.health.stalled(time.time_ns(), XRP.symbol) is None
        watch.feed.close()


def test_heartbeats_without_data_end_it_too() -> None:
    patience = QUICK.model_copy(update={"stall_s": 0.2})
    with serving(Peer(4, calm)) as peer:
        watch = Watch(bybit_feed(peer, patience))
        watch.until(lambda: len(watch.links) >= 3)
        assert "no data for 0.2 s" in watch.links[1].reason
        watch.feed.close()


def test_it_waits_as_long_as_it_was_asked_to_and_says_each_reason_once() -> None:
    peer = Peer(5, calm)
    peer.refusals = [(503, "0"), (503, "0"), (503, "0"), (429, "0.3")]
    with serving(peer):
        watch = Watch(bybit_feed(peer))
        watch.until(lambda: not peer.refusals and len(watch.links) == 2)
        watch.until(lambda: watch.agrees(peer))
        assert peer.knocks[4] - peer.knocks[3] >= 0.3
        assert [x.reason.rpartition(" ")[2] for x in watch.links] == ["503", "429", "connected"]
        assert watch.feed.counts.failures == 4
        watch.feed.close()


def test_a_peer_that_does_not_answer_the_handshake_holds_nobody_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        patience = QUICK.model_copy(update={"connect_s": 0.3})
        dialect = Bybit(symbol_map("bybit", [XRP.symbol]))
        feed = WebSocketFeed("f", f"ws://127.0.0.1:{deaf.getsockname()[1]}/", dialect, patience)
        feed.open()
        assert feed.poll(0.01) == [] and feed.fileno() == -1
        said: list[FeedNews] = []
        while not said:
            said = feed.poll(0.05)
        assert isinstance(said[0], Link) and "in time" in said[0].reason
        feed.close()


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    feed = WebSocketFeed("f", f"ws://127.0.0.1:{port}/", Bybit(symbol_map("bybit", [XRP.symbol])), QUICK)
    feed.open()
    said: list[FeedNews] = []
    while not said:
        said = feed.poll(0.05)
    assert isinstance(said[0], Link) and not said[0].is_up and "cannot connect" in said[0].reason
    feed.close()


def changes(peer: Peer, connection: ServerConnection) -> None:
    """Binance: changes only, one in ten lost."""
    peer.listen(connection, 1.0)
    sent = 0
    while sent < 120 or (sent < 6_000 and peer.fetched < 5):
        sent += 1
        with peer.lock:
            text = binance(peer.truth, *peer.truth.step())
            if peer.random.random() > 0.1:
                connection.send(text)
        time.sleep(0.001)
    with peer.lock:
        connection.send(binance(peer.truth, *peer.truth.step()))
    peer.over.set()
    peer.stop.wait(20.0)


def test_a_book_whose_snapshot_is_fetched_apart() -> None:
    peer = Peer(6, changes)
    peer.http_faults = [(429, "0.05", b""), (200, "0", b"garbage"), (500, "no number", b"")]
    with serving(peer):
        watch = Watch(binance_feed(peer), "binance")
        watch.until(lambda: peer.over.is_set() and watch.agrees(peer), 30.0)
        assert peer.fetched > 4 and watch.feed.counts.garbage == 1
        assert json.loads(peer.heard[0])["params"] == ["xrpusdt@depth@100ms"]
        watch.feed.close()


def test_a_flood_holds_nobody_up() -> None:
    def flood(peer: Peer, connection: ServerConnection) -> None:
        answer(peer, connection, 1.0)
        frame = b"\x81\x7e\x20\x00" + b'{"topic":"other' + b" " * (8192 - 17) + b'"}'
        while not peer.stop.is_set():
            connection.socket.sendall(frame * 64)

    with serving(Peer(7, flood)) as peer:
        watch = Watch(bybit_feed(peer))
        watch.until(lambda: watch.feed.counts.messages > 1_000)
        news: list[FeedNews] = []
        watch.until(lambda: bool(news.extend(watch.once()) or news))
        assert len(news) < 2_000
        watch.feed.close()


def test_closing_while_it_connects_leaves_no_connection_behind() -> None:
    over = threading.Event()

    def late(peer: Peer, connection: ServerConnection) -> None:
        try:
            peer.listen(connection, 120.0)
        finally:
            over.set()

    peer = Peer(8, late)
    peer.answering.clear()
    with serving(peer):
        feed = bybit_feed(peer)
        feed.open()
        assert feed.poll(0.05) == []
        feed.close()
        peer.answering.set()
        assert over.wait(60.0), "the connection that came too late was not closed"
        assert peer.heard == [] and feed.fileno() == -1
