"""The process's socket: who may ask what, what garbage does, who reads too slowly; nothing of it reaches a venue.

1. Only a desk of the same account, mode and build asks for orders, one at a time; viewers look, "kill" kills.
2. Garbage, floods and silence cost their connection and nobody else's.
3. News reach desk and viewers, in the order in which the venue said them, after the ruling they follow from.
4. One that looks on (`spin_ms`) says so, does not sleep after an order, and sees all else that is due meanwhile.
"""

from __future__ import annotations

import os
import selectors
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from modules.live.messages import (
    Acknowledged,
    Ask,
    Cancel,
    CancelAll,
    Cancelled,
    Filled,
    Hello,
    Kill,
    Marked,
    Message,
    ReportAsked,
    Reset,
    StatusAsked,
)
from modules.live.risk.rules import Rule
from modules.live.riskd.client import RiskClient, RiskUnavailableError
from modules.live.riskd.config import SOCKET
from modules.live.riskd.latch import Latch
from modules.live.riskd.peers import MOST_CONNECTIONS
from modules.live.riskd.server import Server
from modules.live.wire import encode
from tests.modules.live.riskd.house import (
    DESK,
    KILLER,
    PATIENCE_S,
    VIEWER,
    client,
    folder,
    heard,
    order,
    resting,
    server,
)


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    with folder() as made, server(made):
        yield made


def raw(place: Path) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(PATIENCE_S)
    sock.connect(str(place / SOCKET))
    return sock


def venue_told(place: Path) -> str:
    return (place / "venue.jsonl").read_text()


TURNED = [
    (msgspec.structs.replace(DESK, account="other"), "this is account demo"),
    (msgspec.structs.replace(DESK, mode="live"), "mode live"),
    (msgspec.structs.replace(DESK, build="b2"), "build b2"),
    (msgspec.structs.replace(VIEWER, account=""), "this is account demo"),
    (StatusAsked(), "before Hello"),
    (order(), "before Hello"),
    (Kill("x", "y"), "before Hello"),
]


@pytest.mark.parametrize(("first", "why"), TURNED, ids=[why for _, why in TURNED])
def test_1_who_is_turned_away(place: Path, first: Message, why: str) -> None:
    before = venue_told(place)
    with raw(place) as sock:
        sock.sendall(encode(first) + encode(order()))
        said = b""
        while data := sock.recv(65536):
            said += data
    assert why.encode() in said
    assert venue_told(place) == before


FORBIDDEN: list[tuple[Hello, Message]] = [
    (VIEWER, order()),
    (VIEWER, Cancel("c")),
    (VIEWER, CancelAll("x", "y")),
    (VIEWER, Kill("x", "y")),
    (VIEWER, Reset("Ada <a@example.org>", "y")),
    (DESK, Reset("Ada <a@example.org>", "y")),
    (KILLER, order()),
    (DESK, DESK),
    (DESK, order(parent_left=2**60)),
    (DESK, order(client_id="")),
    (DESK, order(client_id="x" * 200)),
]


@pytest.mark.parametrize(("role", "message"), FORBIDDEN, ids=lambda m: type(m).__name__ + getattr(m, "role", ""))
def test_1_what_a_role_may_not(place: Path, role: Hello, message: Message) -> None:
    before = venue_told(place)
    with client(place, role) as one:
        one._send(message)
        with pytest.raises(RiskUnavailableError):
            one.status()
    assert venue_told(place) == before
    with client(place, VIEWER) as other:
        assert other.status().killed is None


def test_1_one_desk_at_a_time(place: Path) -> None:
    with client(place) as first:
        with pytest.raises(RiskUnavailableError, match="another desk"), client(place):
            pass
        assert first.ask(order()).allowed == 10
    with client(place) as second:
        assert second.ask(order(-10)).allowed == -10


def test_1_the_socket_is_its_owners_alone(place: Path) -> None:
    assert stat.S_IMODE((place / SOCKET).stat().st_mode) == 0o600
    assert stat.S_IMODE((place / "riskd" / "journal").stat().st_mode) == 0o700


GARBAGE = [
    b"GET / HTTP/1.1\r\n\r\n",
    b"\0\0\0\1\xc1",
    b"\0\x10\0\0" + b"x" * 100,
    b"\xff" + os.urandom(4095),  # of a size that nobody may send
    encode(Cancelled("c", 1)),
]


@pytest.mark.parametrize("data", GARBAGE, ids=range(len(GARBAGE)))
def test_2_garbage_costs_its_connection_only(place: Path, data: bytes) -> None:
    before = venue_told(place)
    with client(place, VIEWER) as witness:
        with raw(place) as sock:
            sock.sendall(encode(DESK) + data)
            while sock.recv(65536):
                pass  # until it is hung up
        assert witness.status().killed is None
        with client(place) as desk:
            assert desk.status().refusing is None
    assert venue_told(place) == before


def test_2_half_a_frame_never_acts(place: Path) -> None:
    before = venue_told(place)
    for size in (1, 4, 20):
        with raw(place) as sock:
            sock.sendall(encode(DESK) + encode(order())[:-size])
    with client(place) as desk:
        desk.status()
    assert venue_told(place) == before


def test_2_one_who_does_not_read(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modules.live.riskd.peers.MOST_BEHIND_BYTES", 20_000)
    with raw(place) as deaf, client(place) as desk:
        deaf.sendall(encode(VIEWER))
        with pytest.raises(OSError, match=r"pipe|reset"):
            for _ in range(20_000):
                deaf.sendall(encode(StatusAsked()))
        assert desk.ask(order()).client_id


def test_2_many_and_silent_ones(place: Path) -> None:
    with client(place) as desk:
        idle = []
        for _ in range(2 * MOST_CONNECTIONS):
            idle.append(raw(place))
            desk.status()  # so that each is taken in
        with client(place, KILLER) as killer:
            assert killer.status().refusing is None
        assert desk.status().refusing is None
        for sock in idle:
            sock.close()


def test_3_news_follow_the_ruling(place: Path) -> None:
    with client(place, VIEWER) as viewer, client(place) as desk:
        viewer.status()
        asked, rests = order(7, "BBB"), resting(3, symbol="BBB")
        assert desk.ask(asked).allowed == 7
        assert desk.ask(rests).allowed == 3
        desk.cancel(rests.client_id)
        for one in (desk, viewer):
            news = heard(one, (Cancelled,))
            kinds = [type(n) for n in news if not isinstance(n, Marked)]
            assert kinds == [Acknowledged, Filled, Acknowledged, Cancelled]
        report = desk.report()
        assert report.complete and report.positions["BBB"] == 7
        assert {o.client_id: o.ended for o in report.orders}[rests.client_id] == "cancelled"
        status = viewer.status()
        assert {p.symbol: p.lots for p in status.positions}["BBB"] == 7
        assert status.uses[0].rule == "DAILY_LOSS"


def test_3_killed_and_opened_over_the_socket(place: Path) -> None:
    with client(place) as desk, client(place, KILLER) as killer:
        rests = resting()
        desk.ask(rests)
        assert killer.kill("ops", "enough").killed == "ops: enough"
        heard(desk, (Cancelled,))
        assert Rule(desk.ask(order()).rule) is Rule.KILLED
        assert killer.reset("Ada <ada@example.org>", "seen").killed is None
        assert desk.ask(order()).allowed == 10


def test_a_flood_is_answered_in_order() -> None:
    with folder() as place, server(place), client(place, KILLER) as killer:
        with raw(place) as sock:
            sock.sendall(encode(DESK))
            asks = [order(sent_ns=time.time_ns()) for _ in range(300)]
            sock.sendall(b"".join(map(encode, asks)))
            assert killer.kill("ops", "flood").killed
            said = b""
            while said.count(b"ruled") < 300:
                said += sock.recv(65536)
        sent = [line for line in venue_told(place).splitlines() if '"id"' in line]
        assert len(sent) <= 120  # of one side and instrument in a minute


def test_an_end_is_an_end() -> None:
    with folder() as place:
        with server(place) as it:
            assert isinstance(it, Server)
            one = RiskClient.connect(place / SOCKET, DESK, PATIENCE_S)
            one.ask(order())
        with pytest.raises(RiskUnavailableError):
            one.status()
        assert not (place / SOCKET).exists()
        with server(place), client(place) as again:
            assert again.report().positions == {"AAA": 10}
            assert isinstance(again.ask(order()), object)


def test_asking_for_a_report_with_an_ask_before_it(place: Path) -> None:
    with raw(place) as sock:
        ask: Ask = order()
        sock.sendall(encode(DESK) + encode(ask) + encode(ReportAsked()))
        said = b""
        while b"complete" not in said:
            said += sock.recv(65536)
        assert said.index(b"ruled") < said.index(b"complete")


@pytest.mark.parametrize("spin_ms", [0, 1_000])
def test_4_one_that_looks_on(spin_ms: int, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float | None] = []

    class Noting(selectors.DefaultSelector):
        def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
            waits.append(timeout)
            return super().select(timeout)

    monkeypatch.setattr("modules.live.riskd.server.selectors.DefaultSelector", Noting)
    with folder() as place, server(place, spin_ms=spin_ms), client(place) as desk, client(place, VIEWER) as viewer:
        assert desk.welcome.spins is viewer.welcome.spins is bool(spin_ms)
        rests = resting()
        assert desk.ask(rests).allowed == desk.ask(order()).allowed == 10
        heard(viewer, (Filled,))
        assert (0.0 in waits) is bool(spin_ms)
        Latch(place).kill("ops", "enough", time.time_ns(), flatten=False)  # the latch is looked at by the tick
        assert heard(viewer, (Cancelled,))[-1] == heard(desk, (Cancelled,))[-1]
        assert Rule(desk.ask(order()).rule) is Rule.KILLED
        assert desk.status().open_orders == ()
