"""The simulated exchange and its venue under attack: garbage, silence, floods, restarts, slow readers, split frames.

1. Whoever sends what is no message, speaks before logging on or asks for another account is told so and hung up on;
   the account and the others are not touched.
2. Frames may be split anywhere.
3. Whoever does not read is hung up on; what waits for him has a limit.
4. A peer that says nothing at all any more counts as gone, though its connection stands.
5. An exchange that began anew, or does not keep what was missed, is logged on to anew.
6. A report of any length is whole.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from modules.live.messages import Acknowledged, Connection, Filled, Lost, Message, ReportAsked, Turned
from modules.live.venues.port import VenueError
from modules.live.venues.sim import server as serving
from modules.live.venues.sim.client import SimVenue
from modules.live.venues.sim.protocol import LoggedOn, LogOn, NewOrder, Ping, ToVenue, to_exchange, to_venue
from modules.live.venues.sim.server import SimExchange
from modules.live.wire import encode
from tests.modules.live.venues.byhand import ByHand
from tests.modules.live.venues.conformance import Heard, ask, report_once_up

A = ByHand.symbols[0]


@pytest.fixture
def exchange() -> Iterator[SimExchange]:
    with SimExchange(ByHand()) as found:
        yield found


def dial(exchange: SimExchange) -> socket.socket:
    return socket.create_connection(exchange.address, timeout=20.0)


def answers(sock: socket.socket) -> list[ToVenue]:
    """Everything until the exchange hangs up."""
    frames, found = to_venue(), []
    try:
        while data := sock.recv(65_536):
            found += frames.feed(data)
    except ConnectionResetError:
        pass
    return found


def order(number: int) -> NewOrder:
    return NewOrder(f"o{number}", A, 1)


GARBAGE: dict[str, bytes] = {
    "another protocol": b"GET / HTTP/1.1\r\n\r\n",
    "too long": (1 << 30).to_bytes(4, "big") + b"x" * 100,
    "no message": (5).to_bytes(4, "big") + b"hello",
    "empty": (0).to_bytes(4, "big"),
    "before it logged on": encode(order(1)),
    "another account": encode(LogOn("somebody")),
    "logged on twice": 2 * encode(LogOn("sim")),
    "news from whoever": encode(LogOn("sim")) + encode(Acknowledged("o", "v", 1)),
}


@pytest.mark.parametrize("case", GARBAGE)
def test_garbage_is_hung_up_on(exchange: SimExchange, case: str) -> None:
    """Invariant 1."""
    venue, heard = SimVenue(exchange.address), Heard()
    venue.open(heard)
    venue.submit(first := ask(A, 5), 5)
    heard.first(Acknowledged, first.client_id)
    with dial(exchange) as sock:
        sock.sendall(GARBAGE[case])
        said = answers(sock)
    assert isinstance(said[-1], Turned) and len(said[-1].reason) > 10
    venue.submit(second := ask(A, 5), 5)
    heard.first(Acknowledged, second.client_id)
    assert heard.ups() == [True]
    with exchange.lock:
        assert set(exchange.matching.orders.by_id) == {first.client_id, second.client_id}  # type: ignore[attr-defined]
    venue.close()


def test_a_wrong_account_is_refused_in_words(exchange: SimExchange) -> None:
    with pytest.raises(VenueError, match="somebody is not served here"):
        SimVenue(exchange.address, "somebody").open(Heard())


def test_frames_split_anywhere(exchange: SimExchange) -> None:
    """Invariant 2."""
    data = encode(LogOn("sim")) + b"".join(encode(order(n)) for n in range(3)) + encode(Ping())
    with dial(exchange) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in data:
            sock.sendall(bytes((byte,)))
        frames, found = to_venue(), []
        while not any(isinstance(m, Ping) for m in found):
            for byte in sock.recv(65_536):
                found += frames.feed(bytes((byte,)))
    assert [type(m).__name__ for m in found] == ["LoggedOn", "Said", "Said", "Said", "Ping"]


def test_who_does_not_read_is_hung_up_on(exchange: SimExchange, monkeypatch: pytest.MonkeyPatch) -> None:
    """Invariant 3."""
    monkeypatch.setattr(serving, "MOST_UNREAD_BYTES", 100_000)
    venue, heard = SimVenue(exchange.address), Heard()
    venue.open(heard)
    with dial(exchange) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.sendall(encode(LogOn("sim")))
        sent = [ask(A, 1) for _ in range(200)]
        for one in sent:
            venue.submit(one, 1)
        heard.until(lambda _: len(heard.of(Acknowledged)) == 200)
        try:
            for _ in range(100_000):  # asks for reports, and reads none
                sock.sendall(encode(ReportAsked()))
        except OSError:
            pass
        else:
            raise AssertionError("it was never hung up on")
    venue.submit(last := ask(A, 1), 1)
    heard.first(Acknowledged, last.client_id)
    assert heard.ups() == [True]
    venue.close()


class Mute:
    """Lets in, and says nothing more."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()[:2]
        self.read: list[Message] = []
        self.socks: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True, name="peer-mute")
        self._thread.start()

    def _serve(self) -> None:
        try:
            while True:
                sock, _ = self._listener.accept()
                self.socks.append(sock)
                sock.sendall(encode(LoggedOn("x", -1, (A,))))
                threading.Thread(target=self._read, args=(sock,), daemon=True, name="peer-mute").start()
        except OSError:
            return

    def _read(self, sock: socket.socket) -> None:
        frames = to_exchange()
        try:
            while data := sock.recv(65_536):
                self.read += frames.feed(data)
        except OSError:
            return

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        for sock in (self._listener, *self.socks):
            sock.close()


def test_silence_counts_as_gone() -> None:
    """Invariant 4; asked whether it is there first, and an order that waits is lost at its own time."""
    peer, heard = Mute(), Heard()
    venue = SimVenue(peer.address, answer_s=0.1, quiet_s=0.15)
    venue.open(heard)
    venue.submit(sent := ask(A, 1), 1)
    heard.first(Lost, sent.client_id)
    down = heard.until(lambda _: [n for n in heard.of(Connection) if not n.is_up])[0]
    assert "nothing heard" in down.reason
    assert any(isinstance(m, Ping) for m in peer.read)
    with pytest.raises(VenueError):
        venue.close()
        venue.submit(ask(A, 1), 1)
    peer.close()


def test_a_report_that_never_comes_is_no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    from modules.live.venues.sim import client

    monkeypatch.setattr(client, "_REPORT_S", 0.1)
    peer, heard = Mute(), Heard()
    venue = SimVenue(peer.address, quiet_s=60.0)
    venue.open(heard)
    with pytest.raises(VenueError, match="gave no report"):
        venue.report()
    heard.until(lambda _: heard.ups()[:2] == [True, False])
    venue.close()
    peer.close()


def test_an_exchange_that_began_anew() -> None:
    """Invariant 5: what the old one said last does not hide what the new one says first."""
    heard = Heard()
    with SimExchange(ByHand()) as old:
        port = old.address[1]
        venue = SimVenue(old.address)
        venue.open(heard)
        for _ in range(3):
            venue.submit(one := ask(A, 1), 1)
            heard.first(Acknowledged, one.client_id)
    heard.until(lambda _: heard.ups()[-1] is False)
    with SimExchange(ByHand(), port=port):
        heard.until(lambda _: heard.ups()[-1] is True)
        assert venue.report().orders == ()
        venue.submit(one := ask(A, 1), 1)
        heard.first(Acknowledged, one.client_id)
        venue.close()


def test_more_was_missed_than_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Invariant 5: then the connection is renewed, and the report has it."""
    monkeypatch.setattr(serving, "KEPT_NEWS", 4)
    matching, heard = ByHand(), Heard()
    with SimExchange(matching) as exchange:
        venue = SimVenue(exchange.address)
        venue.open(heard)
        venue.submit(one := ask(A, 20), 20)
        heard.first(Acknowledged, one.client_id)
        with exchange.lock:
            for line in list(exchange._lines.values()):
                exchange._hang_up(line)
            for _ in range(10):
                exchange.say([matching.fill(one.client_id, 1, 10.0)])
        heard.until(lambda _: len(heard.ups()) >= 3)
        assert len(report_once_up(venue, heard).orders[0].fills) == 10
        with exchange.lock:
            exchange.say([last := matching.fill(one.client_id, 1, 10.0)])
        heard.until(lambda _: last in heard.of(Filled))
        venue.close()


def test_a_report_of_any_length_is_whole(exchange: SimExchange, monkeypatch: pytest.MonkeyPatch) -> None:
    """Invariant 6."""
    monkeypatch.setattr(serving, "ORDERS_A_PART", 7)
    venue, heard = SimVenue(exchange.address), Heard()
    venue.open(heard)
    for count in (0, 7, 8, 21):
        while len(heard.of(Acknowledged)) < count:
            before = len(heard.of(Acknowledged))
            venue.submit(ask(A, 1), 1)
            heard.until(lambda _, n=before: len(heard.of(Acknowledged)) > n)
        report = venue.report()
        assert report.complete and len({o.client_id for o in report.orders}) == len(report.orders) == count
    venue.close()


def test_two_connections_hear_the_same(exchange: SimExchange) -> None:
    ears = [Heard(), Heard()]
    venues = [SimVenue(exchange.address) for _ in ears]
    for venue, heard in zip(venues, ears, strict=True):
        venue.open(heard)
    sent = [ask(A, n + 1) for n in range(6)]
    for n, one in enumerate(sent):
        venues[n % 2].submit(one, one.lots)
    for heard in ears:
        heard.until(lambda _, h=heard: len(h.of(Acknowledged)) == 6)
    assert ears[0].of(Acknowledged) == ears[1].of(Acknowledged)
    for venue in venues:
        venue.close()


def test_a_news_taker_that_asks_back(exchange: SimExchange) -> None:
    """What hears may send: nothing waits for itself."""
    venue, done = SimVenue(exchange.address), Heard()

    def hear(news: object) -> None:
        if isinstance(news, Acknowledged) and len(done.of(Acknowledged)) < 3:
            venue.submit(ask(A, 1), 1)
        done(news)  # type: ignore[arg-type]

    venue.open(hear)
    venue.submit(ask(A, 1), 1)
    done.until(lambda _: len(done.of(Acknowledged)) == 4)
    venue.close()
