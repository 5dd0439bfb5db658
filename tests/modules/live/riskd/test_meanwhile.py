"""While a venue keeps the risk core waiting for what it has, cancels and kills go out at once.

1. Cancels, a kill and the status do not wait; an order is refused by name where orders are refused; all the same once
   the venue answers.
2. What waits is done in its order: an order is never overtaken by its own cancel.
3. A latch that is shut while a reset asks the venue stays shut.
4. Closing asks the same way. A fault in what is done meanwhile ends the process all the same.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from modules.live.journal.file import read_journal
from modules.live.messages import Ask, Cancel, Cancelled, Kill, Lost
from modules.live.risk.rules import Rule
from modules.live.riskd.client import RiskClient, RiskUnavailableError
from modules.live.riskd.config import JOURNAL, SOCKET
from modules.live.riskd.latch import Latch
from modules.live.riskd.server import Server
from modules.live.wire import encode
from tests.modules.live.riskd.house import (
    DESK,
    KILLER,
    PATIENCE_S,
    VIEWER,
    HangingVenue,
    client,
    core,
    folder,
    heard,
    order,
    resting,
    server,
)


@contextmanager
def hanging() -> Iterator[tuple[Path, HangingVenue]]:
    """A risk core at its socket, whose venue answers again in the end."""
    with folder() as place:
        venue = HangingVenue(place)
        with server(place, venue):
            try:
                yield place, venue
            finally:
                venue.goes_on.set()


def until(found: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not found():
        assert time.monotonic() < end
        time.sleep(0.005)


def hang(venue: HangingVenue, what: Callable[[], object]) -> threading.Thread:
    """Let `what` have the venue asked, in a thread; returns once the venue keeps it waiting."""
    venue.goes_on.clear()
    before = venue.asked
    asker = threading.Thread(target=what)
    asker.start()
    until(lambda: venue.asked > before)
    return asker


def told(place: Path) -> str:
    return (place / "venue.jsonl").read_text()


def test_1_cancels_and_a_kill_do_not_wait() -> None:
    with hanging() as (place, venue), client(place) as desk, client(place, VIEWER) as viewer:
        rests, other = resting(), resting()
        assert desk.ask(rests).allowed == desk.ask(other).allowed == 10
        asker = hang(venue, lambda: venue._hear(Lost(rests.client_id, "a test", time.time_ns())))
        desk.cancel(rests.client_id)
        until(lambda: f'"cancel": "{rests.client_id}"' in told(place))
        assert Rule(desk.ask(order()).rule) is Rule.CANCEL_ONLY
        assert "a test" in (viewer.status().refusing or "")
        with client(place, KILLER) as killer:
            assert killer.kill("ops", "enough").killed == "ops: enough"
        assert '"cancel_all": true' in told(place) and f'"cancel": "{other.client_id}"' in told(place)
        assert not venue.goes_on.is_set() and viewer.news(0.0) is not None
        venue.goes_on.set()
        asker.join(PATIENCE_S)
        until(lambda: viewer.status().refusing is None)
        ended = [n.client_id for n in heard(desk, (Cancelled,)) if isinstance(n, Cancelled)]
        assert rests.client_id in ended and viewer.status().open_orders == ()
        assert Rule(desk.ask(order()).rule) is Rule.KILLED


def test_1_a_latch_that_is_shut_by_another_process() -> None:
    with hanging() as (place, venue), client(place) as desk, client(place, VIEWER) as viewer:
        assert desk.ask(resting()).allowed == 10
        asker = hang(venue, viewer.report)
        Latch(place).kill("ops", "enough", time.time_ns(), flatten=False)
        until(lambda: '"cancel_all": true' in told(place))
        assert not venue.goes_on.is_set()
        venue.goes_on.set()
        asker.join(PATIENCE_S)


def test_2_what_waits_keeps_its_order() -> None:
    with hanging() as (place, venue), client(place) as desk, client(place, VIEWER) as viewer:
        asker = hang(venue, viewer.report)
        asked = resting()
        desk._send(asked)
        desk._send(Cancel(asked.client_id))
        with client(place, VIEWER) as other:
            assert other.status().refusing is None  # those before it were read, and wait
        assert asked.client_id not in told(place)
        venue.goes_on.set()
        asker.join(PATIENCE_S)
        until(lambda: '"cancel"' in told(place))
        done = [e.message for e in read_journal(place / JOURNAL) if isinstance(e.message, Ask | Cancel)]
        assert [m.client_id for m in done] == [asked.client_id] * 2 and isinstance(done[1], Cancel)


def test_2_what_a_dead_desk_left_waiting_is_not_done() -> None:
    with hanging() as (place, venue), client(place, VIEWER) as viewer:
        asked = order()
        with client(place) as desk:
            asker = hang(venue, viewer.report)
            desk._send(asked)
        with client(place) as again:
            venue.goes_on.set()
            asker.join(PATIENCE_S)
            assert again.report().complete and asked.client_id not in told(place)


def test_3_a_reset_does_not_open_over_a_kill() -> None:
    with hanging() as (place, venue), client(place, KILLER) as human, client(place, KILLER) as killer:
        killer.kill("ops", "enough")
        why: list[str] = []

        def reset() -> None:
            with pytest.raises(RiskUnavailableError) as refused:
                human.reset("Ada <ada@example.org>", "seen")
            why.append(str(refused.value))

        asker = hang(venue, reset)
        assert killer.kill("ops", "again").killed == "ops: again"
        venue.goes_on.set()
        asker.join(PATIENCE_S)
        assert "the latch was moved" in why[0] and Latch(place).read().killed


def test_4_closing_asks_the_same_way() -> None:
    with hanging() as (place, venue), client(place) as desk, client(place, KILLER) as killer:
        assert desk.ask(order()).allowed == 10
        until(lambda: {p.symbol: p.lots for p in desk.status().positions}.get("AAA") == 10)
        asker = hang(venue, lambda: killer.kill("ops", "enough", flatten=True))
        asker.join(PATIENCE_S)
        with client(place, VIEWER) as viewer:
            assert "closing" in (viewer.status().refusing or "")
            desk.cancel("c")
            until(lambda: '"cancel": "c"' in told(place))
            assert not venue.goes_on.is_set()
            venue.goes_on.set()
            until(lambda: not any(p.lots for p in viewer.status().positions))


def test_4_a_fault_ends_the_process() -> None:
    def break_it(message: Cancel) -> None:
        raise ZeroDivisionError(f"a fault at {message.client_id}")

    with folder() as place:
        venue = HangingVenue(place)
        with core(place, venue) as (rulings, inbox):
            rulings.cancel = break_it  # type: ignore[method-assign]
            made = Server(rulings, inbox, place / SOCKET, "l")

            def ask() -> None:
                one = RiskClient.connect(place / SOCKET, DESK, PATIENCE_S)
                assert one.status().refusing is None
                rulings.kill(Kill("ops", "enough", flatten=True))  # closing takes faults of an adapter, and goes on
                until(lambda: venue.asked > before)
                one.cancel("c")

            venue.goes_on.clear()
            before, asker = venue.asked, threading.Thread(target=ask)
            asker.start()
            with pytest.raises(ZeroDivisionError, match="a fault at c"):
                made.run()
            venue.goes_on.set()
            asker.join(PATIENCE_S)


def test_2_one_who_floods_meanwhile_is_not_read() -> None:
    with hanging() as (place, venue), client(place, VIEWER) as viewer, client(place) as desk:
        asker = hang(venue, viewer.report)
        desk._socket.setblocking(False)
        frame, sent, blocked = encode(order(sent_ns=0)) * 200, 0, 0
        while blocked < 50:
            try:
                sent += desk._socket.send(frame)
                blocked = 0
            except BlockingIOError:
                blocked += 1
                time.sleep(0.005)
            assert sent < 8 * 2**20
        desk.close()
        venue.goes_on.set()
        asker.join(PATIENCE_S)
