"""Whoever asks: down, silent, slow, garbled, hung up. Where the order may be out it says so, else that nothing left.

1. RiskUnavailableError: nothing left. RiskSilentError: the order may be out, and the connection is dead from then on.
2. Every wait is bounded by the deadline that the risk core named, whether it sleeps or looks on meanwhile (`spins`).
3. News that come between are kept, in order.
"""

from __future__ import annotations

import contextlib
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from modules.live.messages import (
    Acknowledged,
    Answered,
    Ask,
    Asked,
    Hello,
    Marked,
    Ruled,
    StatusAsked,
    Turned,
    VenueNews,
    Welcome,
)
from modules.live.riskd.client import RiskClient, RiskSilentError, RiskUnavailableError
from modules.live.wire import FrameReader, encode
from tests.modules.live.riskd.house import DESK, PATIENCE_S, order

SHORT_MS = 60
"""For an answer that never comes."""
LONG_MS = 60_000
"""For one that comes: however late a loaded machine lets it."""
Answer = Callable[[Ask], bytes | None]


def ruled(ask: Ask) -> bytes:
    return encode(Ruled(ask.client_id, 0, 0, ask.lots, None, None, 1))


@contextlib.contextmanager
def peer(answer: Answer, deadline_ms: int, *, spins: bool = False) -> Iterator[tuple[Path, list[Asked]]]:
    """A server that welcomes, then answers each order with these bytes; None hangs up."""
    with tempfile.TemporaryDirectory(prefix="rd") as name:
        path, got, stop = Path(name) / "s", [], threading.Event()
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen(1)

        def serve() -> None:
            with contextlib.suppress(OSError):
                sock, _ = listener.accept()
                with sock:
                    reader: FrameReader[Asked] = FrameReader(Asked)
                    while data := sock.recv(65536):
                        for message in reader.feed(data):
                            got.append(message)
                            if isinstance(message, Hello):
                                sock.sendall(encode(Welcome("paper", "b1", "demo", "l", deadline_ms, spins)))
                            elif isinstance(message, Ask):
                                said = answer(message)
                                if said is None:
                                    return
                                for byte in [said] if len(said) < 2000 else [said[:1000], said[1000:]]:
                                    sock.sendall(byte)
                    stop.wait(PATIENCE_S)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield path, got
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            stop.set()
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


SILENT: list[tuple[str, Answer]] = [
    ("nothing", lambda _: b""),
    ("half an answer", lambda a: ruled(a)[:-3]),
    ("garbage", lambda _: b"GET / HTTP/1.1\r\n\r\n"),
    ("a message that is no answer", lambda _: encode(StatusAsked())),
    ("the answer of another order", lambda _: encode(Ruled("other", 0, 0, 1, None, None, 1))),
    ("two answers", lambda a: ruled(a) + ruled(a)),
    ("an answer and garbage", lambda a: ruled(a) + b"\xff" * 8),
    ("a welcome", lambda _: encode(Welcome("paper", "b1", "demo", "l", 1))),
    ("hung up", lambda _: None),
    ("only news", lambda a: encode(Marked("AAA", 1.0, 1))),
]


@pytest.mark.parametrize("spins", [False, True])
@pytest.mark.parametrize(("name", "answer"), SILENT, ids=[n for n, _ in SILENT])
def test_1_the_order_may_be_out(name: str, answer: Answer, spins: bool) -> None:
    with peer(answer, SHORT_MS, spins=spins) as (path, _):
        one = RiskClient.connect(path, DESK, PATIENCE_S)
        assert one.welcome.spins is spins
        with pytest.raises(RiskSilentError):
            one.ask(order())
        assert one.is_dead
        with contextlib.suppress(RiskUnavailableError):
            one.news(0.0)  # what came before is not lost
        for again in (lambda: one.ask(order()), lambda: one.cancel("c"), one.status, lambda: one.news(0.0)):
            with pytest.raises(RiskUnavailableError, match="connect anew"):
                again()
        one.close()


def test_1_turned_away_is_not_out() -> None:
    with peer(lambda _: encode(Turned("no")), LONG_MS) as (path, _):
        one = RiskClient.connect(path, DESK, PATIENCE_S)
        with pytest.raises(RiskUnavailableError, match="no"):
            one.ask(order())


def test_1_nobody_there() -> None:
    with tempfile.TemporaryDirectory(prefix="rd") as name:
        with pytest.raises(RiskUnavailableError, match="start it: cws riskd --account demo"):
            RiskClient.connect(Path(name) / "s", DESK, 0.5)
        left = socket.socket(socket.AF_UNIX)
        left.bind(str(Path(name) / "s"))
        left.close()  # the file of a process that is gone
        with pytest.raises(RiskUnavailableError):
            RiskClient.connect(Path(name) / "s", DESK, 0.5)


def test_1_one_who_accepts_and_says_nothing() -> None:
    with tempfile.TemporaryDirectory(prefix="rd") as name:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(Path(name) / "s"))
        listener.listen(1)
        with listener, pytest.raises(RiskUnavailableError):
            RiskClient.connect(Path(name) / "s", DESK, 0.1)


@pytest.mark.parametrize("spins", [False, True])
def test_2_one_who_keeps_saying_other_things_is_late_too(spins: bool) -> None:
    def chatter(_: Ask) -> bytes:
        time.sleep(SHORT_MS / 1_000.0 * 0.7)
        return encode(Marked("AAA", 1.0, 1))

    with peer(chatter, SHORT_MS, spins=spins) as (path, got):
        one = RiskClient.connect(path, DESK, PATIENCE_S)
        with pytest.raises(RiskSilentError):
            one.ask(order())
        assert sum(isinstance(m, Ask) for m in got) == 1  # never sent a second time


@pytest.mark.parametrize("spins", [False, True])
def test_3_news_are_kept_in_order_and_the_time_is_put_in(spins: bool) -> None:
    news: list[VenueNews] = [Marked("AAA", float(i), i) for i in range(1, 4)]
    more = [Acknowledged("c", "v", 9)]

    def answer(ask: Ask) -> bytes:
        before, after = b"".join(map(encode, news)), b"".join(map(encode, more))
        return before + ruled(ask) + after

    with peer(answer, LONG_MS, spins=spins) as (path, got):
        one = RiskClient.connect(path, DESK, PATIENCE_S)
        asked = order(sent_ns=0)
        said: Answered = one.ask(asked)
        assert said == Ruled(asked.client_id, 0, 0, 10, None, None, 1)
        found = one.news(1.0)
        while len(found) < 4:
            found += one.news(1.0)
        assert found == news + more
        sent = next(m for m in got if isinstance(m, Ask))
        assert abs(sent.sent_ns - time.time_ns()) < 10**10
        one.close()
