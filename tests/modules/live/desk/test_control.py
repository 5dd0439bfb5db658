"""The desk's socket, with a real desk behind it and a venue that keeps orders.

1. An outcome is told when the journal's record of it is durable, not before.
2. The same order again is the same order: nothing is sent twice, whoever asks.
3. Garbage, silence, more connections than may be: whoever does it is hung up on, the others are served.
4. The socket is its owner's alone; a dead one is taken over, a served one is not.
5. Who asked last for a parent's children is the only one who can send more of it.
6. The children are told as they stand, those too that only the venue knew.
"""

from __future__ import annotations

import random
import socket
import stat
import struct
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from modules.live.desk.asking import ByHand, ChildrenAsked, Decided, Wanted
from modules.live.desk.client import DeskClient, DeskUnavailableError
from modules.live.desk.control import MOST_VIEWERS, Control
from modules.live.desk.desk import Desk, Identity
from modules.live.journal.file import FileJournal
from modules.live.messages import Filled
from modules.live.orders.ids import child_of, client_id
from modules.live.risk.rules import Answer
from tests.modules.live.desk.faulty import FaultyLink, Truth

WHO = Identity("test", "paper", "b" * 40)
BY_HAND = ByHand("manual", "AAA", 10, "sim", decided_ns=1_700_000_000_000_000_000)


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="cws") as made:
        yield Path(made)


class Luck(random.Random):
    """The risk core of these tests approves, reduces or rejects as it is told (`Truth.submit`)."""

    value = 0.5

    def random(self) -> float:
        return self.value


@pytest.fixture
def serve(folder: Path) -> Iterator[Callable[..., Control]]:
    made: list[Control] = []

    def start(truth: Truth, luck: Luck, commit_ms: float | None = 1.0) -> Control:
        journal = FileJournal(folder / "journal", commit_ms=commit_ms, sign_seconds=1e9)
        desk = Desk(WHO, lambda: FaultyLink(truth, luck), journal, settle_s=0.0)
        assert desk.recover() == ()
        made.append(Control(folder / "desk.sock", desk))
        return made[-1]

    yield start
    for control in made:
        control.close()
        control.desk.journal.close()


def ask(control: Control, what: Callable[[DeskClient], object]) -> object:
    """`what` from a thread, while this one is the desk's."""
    found: list[object] = []

    def call() -> None:
        with DeskClient(control.path, timeout_s=20.0) as client:
            try:
                found.append(what(client))
            except DeskUnavailableError as error:
                found.append(error)

    caller = threading.Thread(target=call)
    caller.start()
    while caller.is_alive():
        control.poll()
        control.desk.poll(0.0)
        caller.join(0.001)
    return found[0]


def test_1_2_an_order_by_hand(serve: Callable[..., Control]) -> None:
    truth, luck = Truth(), Luck()
    control = serve(truth, luck)
    name = client_id("test", "manual", BY_HAND.decided_ns, "AAA")
    told = ask(control, lambda c: c.submit(BY_HAND))
    assert (told.status, told.client_id, told.allowed) == ("sent", name, 10)
    again = ask(control, lambda c: c.submit(BY_HAND))
    assert again.status == "sent" and list(truth.orders) == [name]
    luck.value = 0.05
    refused = ask(control, lambda c: c.submit(ByHand("manual", "AAA", 5, "sim", BY_HAND.decided_ns, number=1)))
    assert (refused.status, refused.answer, refused.limit, refused.value) == ("refused", int(Answer.REJECT), 1.0, 2.0)
    luck.value = 0.2
    reduced = ask(control, lambda c: c.submit(ByHand("manual", "AAA", 8, "sim", BY_HAND.decided_ns, number=2)))
    assert (reduced.status, reduced.answer, reduced.allowed) == ("sent", int(Answer.REDUCE), 4)
    assert ask(control, lambda c: c.cancel(name)).status == "done" and truth.orders[name].ended == "cancelled"
    assert ask(control, lambda c: c.cancel("nobody")).status == "bad"
    assert ask(control, lambda c: c.cancel_all("ada", "test")).status == "done"
    for bad in (
        ByHand("manual", "AAA", 0, "sim", 1),
        ByHand("manual", "AAA", 1, "sim", -1),
        ByHand("manual", "AAA", 11, "sim", BY_HAND.decided_ns),
        ByHand("manual", "AAA", 1, "sim", 1, limit_price=1e300),
    ):
        told = ask(control, lambda c, bad=bad: c.submit(bad))
        assert told.status == "bad" and told.why, bad


def test_1_what_is_not_durable_is_not_told(serve: Callable[..., Control]) -> None:
    control = serve(Truth(), Luck(), commit_ms=None)
    told: list[object] = []

    def call() -> None:
        with DeskClient(control.path, timeout_s=20.0) as client:
            told.append(client.submit(BY_HAND))

    caller = threading.Thread(target=call)
    caller.start()
    while not control.desk.book.orders:
        control.poll()
    for _ in range(200):
        control.poll()
        assert not told
    control.desk.journal.sync()
    control.poll()
    caller.join(20.0)
    assert told and told[0].status == "sent"  # type: ignore[attr-defined]


def test_2_while_only_cancels_go_out_an_order_is_held(serve: Callable[..., Control]) -> None:
    truth = Truth()
    control = serve(truth, Luck())
    control.desk.close()
    control.desk.admission.lost("gone for a test")
    told = ask(control, lambda c: c.submit(BY_HAND))
    assert told.status == "held" and "gone for a test" in told.why and not truth.orders
    assert ask(control, lambda c: c.cancel_all("ada", "test")).status == "held"
    assert "gone for a test" in ask(control, lambda c: c.stand()).cancel_only


def test_where_it_stands(serve: Callable[..., Control]) -> None:
    truth = Truth()
    control = serve(truth, Luck())
    told = ask(control, lambda c: c.submit(BY_HAND))
    truth.trade(told.client_id, 4)
    control.decided["manual"] = Decided("manual", 7, (Wanted("AAA", 0.5, 0.01, 10),))
    control.feeds["one"] = "silent for 9 s"
    control.desk.poll(0.0)
    stand = ask(control, lambda c: c.stand())
    assert (stand.mode, stand.account, stand.positions) == ("paper", "test", {"AAA": 4})
    assert stand.cancel_only is None and stand.feeds == {"one": "silent for 9 s"}
    assert stand.decided[0].wanted[0].weight == 0.01 and stand.journal_fault is None


@pytest.mark.parametrize(
    "garbage",
    [b"GET / HTTP/1.1\r\n\r\n", struct.pack(">I", 1 << 30), struct.pack(">I", 3) + b"\xc1\xc1\xc1", b"\0" * 64],
)
def test_3_garbage_is_hung_up_on(serve: Callable[..., Control], garbage: bytes) -> None:
    control = serve(Truth(), Luck())
    with socket.socket(socket.AF_UNIX) as rude:
        rude.connect(str(control.path))
        rude.sendall(garbage)
        rude.settimeout(0.0)
        for _ in range(50):
            control.poll()
        assert rude.recv(1) == b""
    assert ask(control, lambda c: c.stand()).account == "test"


def test_3_silent_ones_do_not_keep_others_away(serve: Callable[..., Control]) -> None:
    control = serve(Truth(), Luck())
    silent = [socket.socket(socket.AF_UNIX) for _ in range(MOST_VIEWERS + 4)]
    for number, one in enumerate(silent):
        one.connect(str(control.path))
        if number % 8 == 0:
            control.poll()
    for _ in range(50):
        control.poll()
    assert len(control._viewers) == MOST_VIEWERS
    with pytest.raises(DeskUnavailableError), DeskClient(control.path, timeout_s=0.2) as client:
        control.poll()
        client.stand()
    for one in silent:
        one.close()
    control.poll()
    assert ask(control, lambda c: c.stand()).account == "test" and control._viewers


def test_4_whose_socket_it_is(serve: Callable[..., Control], folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(folder / "desk.sock"))
    control = serve(Truth(), Luck())
    assert stat.S_IMODE(control.path.stat().st_mode) == 0o600
    with pytest.raises(OSError, match="serves"):
        Control(control.path, control.desk)
    control.poll()
    assert ask(control, lambda c: c.stand()).account == "test"
    control.close()
    with pytest.raises(DeskUnavailableError, match="cws live"):
        DeskClient(control.path)


def child(number: int, lots: int = 4) -> ByHand:
    return ByHand("manual", "AAA", lots, "sim", BY_HAND.decided_ns, number, parent="p", parent_left=20)


MINE = ChildrenAsked("manual", "AAA", "p")


def test_5_what_an_older_connection_holds_is_not_taken(serve: Callable[..., Control]) -> None:
    truth = Truth()
    control = serve(truth, Luck())
    with DeskClient(control.path, timeout_s=20.0) as old, DeskClient(control.path, timeout_s=20.0) as new:

        def both(_: DeskClient) -> list[object]:
            first = [old.children(MINE), old.submit(child(0))]
            return [*first, new.children(MINE), old.submit(child(1)), new.submit(child(2)), old.submit(BY_HAND)]

        none, sent, one, late, more, other = ask(control, both)  # type: ignore[misc]
    assert none.orders == () and sent.status == "sent" and none.cancel_only is None
    assert [o.client_id for o in one.orders] == [sent.client_id]
    assert late.status == "bad" and "worked by another connection" in late.why
    assert more.status == other.status == "sent" and len(truth.orders) == 3


def test_6_children_as_they_stand(serve: Callable[..., Control]) -> None:
    truth, luck = Truth(), Luck()
    control = serve(truth, luck)

    def submit(client: DeskClient) -> list[str]:
        names = [client.submit(child(n)).client_id for n in range(3)]
        luck.value = 0.05
        return [
            *names,
            client.submit(child(3)).client_id,
            client.submit(ByHand("manual", "AAA", 1, "sim", 7)).client_id,
        ]

    filled, part, resting, refused, _ = ask(control, submit)  # type: ignore[misc]
    truth.trade(filled, 4)
    truth.trade(part, 1)
    truth.cancel(part)
    whose = child_of("manual", "p")
    lost, strange = (client_id("test", w, BY_HAND.decided_ns, "AAA", 9) for w in (whose, "other/p"))
    for name in (lost, strange):
        truth.outbox.append(Filled(name, f"e-{name}", "AAA", 2, 10.0, 20_000_000, 0, truth.now()))
    control.desk.poll(0.0)
    told = ask(control, lambda c: c.children(MINE))
    found = {o.client_id: (o.ended, sum(f.lots for f in o.fills)) for o in told.orders}  # type: ignore[attr-defined]
    assert found == {
        filled: ("filled", 4), part: ("cancelled", 1), resting: (None, 0), refused: ("rejected", 0), lost: (None, 2),
    }  # fmt: skip
    assert told.cancel_only is not None  # type: ignore[attr-defined]
    few = ask(control, lambda c: c.children(ChildrenAsked("manual", "AAA", "p", (part, "nobody"))))
    assert [o.client_id for o in few.orders] == [part]  # type: ignore[attr-defined]
