"""The desk's end of its socket: where it stands, orders by hand, cancels.

A server without a thread: the desk's own loop calls `poll`, so that the desk is used from one thread. An order's
outcome is told when the journal's record of it is durable, and not before. The socket is for its owner alone.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from modules.live.desk.asking import (
    MOST_ASKED_BYTES,
    BookSeen,
    ByHand,
    CancelEach,
    CancelOne,
    ChildrenAsked,
    ControlAnswered,
    ControlAsked,
    Decided,
    Stand,
    StandAsked,
    Told,
)
from modules.live.desk.family import children_of
from modules.live.orders.ids import child_of, client_id
from modules.live.orders.order import OrderError, Ticket
from modules.live.units import MICROS
from modules.live.wire import FrameReader, WireError, encode

if TYPE_CHECKING:
    from modules.live.desk.desk import Desk

MOST_VIEWERS: Final = 32
MOST_WAITING_BYTES: Final = 8 * 1024 * 1024
"""Answers that somebody does not read; beyond it he is hung up on."""

MOST_PARENTS: Final = 1_000
"""Of which it is kept whose they are; beyond it the oldest are anybody's again."""

MOST_REMARKS: Final = 50
MOST_PRICE: Final = 1e9
_READ_BYTES: Final = 64 * 1024
_OWNER_ONLY: Final = 0o177


@dataclass
class _Viewer:
    """One connection. `late`: answers that wait for the journal, with the entry that they wait for."""

    sock: socket.socket
    reader: FrameReader[ControlAsked]
    out: bytearray = field(default_factory=bytearray)
    late: list[tuple[int, ControlAnswered]] = field(default_factory=list)


class Control:
    """The server at `path`. Raises OSError where the path cannot be had; a socket that nobody serves is taken over.

    `decided`, `books`, `feeds`, `opened_ns`, `traded` are what the runner puts there for viewers to see.
    """

    def __init__(self, path: Path, desk: Desk, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self.path, self.desk, self._clock_ns = path, desk, clock_ns
        self.decided: dict[str, Decided] = {}
        self.books: dict[str, BookSeen] = {}
        self.feeds: dict[str, str | None] = {}
        self.opened_ns: int | None = -1
        self.traded: dict[str, float] = {}
        self._born_ns = clock_ns()
        self._worked_by: dict[str, _Viewer] = {}
        self._viewers: list[_Viewer] = []
        self._selector = selectors.DefaultSelector()
        self._socket = _listen(path)
        self._selector.register(self._socket, selectors.EVENT_READ, None)

    def fileno(self) -> int:
        """For a selector: readable when somebody asks."""
        return self._selector.fileno()

    def poll(self) -> None:
        """Answer what was asked; never waits."""
        for key, events in self._selector.select(0.0):
            if key.data is None:
                self._welcome()
            elif events & selectors.EVENT_READ:
                self._read(key.data)
        for viewer in [v for v in self._viewers if v.late or v.out]:
            self._flush(viewer)

    def close(self) -> None:
        """Hang up on all and take the socket away."""
        for viewer in list(self._viewers):
            self._drop(viewer)
        self._selector.close()
        self._socket.close()
        self.path.unlink(missing_ok=True)

    def stand(self) -> Stand:
        """Where the desk stands."""
        desk, fault = self.desk, getattr(self.desk.journal, "fault", None)
        remarks = desk.book.remarks[-MOST_REMARKS:]
        return Stand(
            mode=desk.identity.mode,
            account=desk.identity.account,
            build=desk.identity.build,
            at_ns=self._clock_ns(),
            cancel_only=desk.cancel_only,
            breaks=tuple(b.sentence for b in desk.admission.breaks or ()),
            remarks=tuple(f"{r.client_id}: {r.remark.value}" for r in remarks),
            positions=desk.book.positions,
            moved_micros=desk.moved_micros,
            durable=desk.journal.durable,
            journal_fault=fault,
            decided=tuple(self.decided.values()),
            books=tuple(self.books.values()),
            feeds=dict(self.feeds),
            opened_ns=self.opened_ns,
            traded=dict(self.traded),
            born_ns=self._born_ns,
        )

    # --- connections ----------------------------------------------------------------------------------

    def _welcome(self) -> None:
        with contextlib.suppress(BlockingIOError):
            sock, _ = self._socket.accept()
            if len(self._viewers) >= MOST_VIEWERS:
                sock.close()
                return
            sock.setblocking(False)
            viewer = _Viewer(sock, FrameReader(ControlAsked, MOST_ASKED_BYTES))
            self._viewers.append(viewer)
            self._selector.register(sock, selectors.EVENT_READ, viewer)

    def _read(self, viewer: _Viewer) -> None:
        try:
            data = viewer.sock.recv(_READ_BYTES)
            asked = viewer.reader.feed(data) if data else None
        except BlockingIOError:
            return
        except (OSError, WireError):
            asked = None
        if asked is None:
            self._drop(viewer)
            return
        for message in asked:
            self._answer(viewer, message)

    def _answer(self, viewer: _Viewer, asked: ControlAsked) -> None:
        if isinstance(asked, StandAsked):
            viewer.out += encode(self.stand())
        elif isinstance(asked, ByHand):
            seq, told = self._submit(viewer, asked)
            viewer.late.append((seq, told))
        elif isinstance(asked, ChildrenAsked):
            self._worked_by.pop(asked.parent, None)
            self._worked_by[asked.parent] = viewer
            if len(self._worked_by) > MOST_PARENTS:
                del self._worked_by[next(iter(self._worked_by))]
            viewer.late.append((-1, children_of(self.desk, asked)))
        else:
            viewer.late.append((-1, self._cancel(asked)))

    def _submit(self, viewer: _Viewer, asked: ByHand) -> tuple[int, Told]:
        """What became of it, and the journal's entry that must be durable before it is told."""
        if asked.parent is not None and self._worked_by.get(asked.parent, viewer) is not viewer:
            return -1, Told("bad", "", why=f"parent {asked.parent} is worked by another connection; end this one")
        try:
            whose = asked.strategy if asked.parent is None else child_of(asked.strategy, asked.parent)
            name = client_id(self.desk.identity.account, whose, asked.decided_ns, asked.symbol, asked.number)
            limit = _limit_micros(asked.limit_price)
            ticket = Ticket(
                name, asked.strategy, asked.symbol, asked.lots, asked.venue,
                asked.order_type, asked.time_in_force, limit, asked.parent,
            )  # fmt: skip
            outcome = self.desk.submit(ticket, asked.parent_left)
        except (OrderError, ValueError, OverflowError) as error:
            return -1, Told("bad", "", why=str(error))
        ruled = outcome.ruled
        if ruled is None:
            return outcome.seq, Told(outcome.status, name, outcome.why)
        return outcome.seq, Told(
            outcome.status, name, outcome.why, ruled.answer, ruled.rule, ruled.limit, ruled.value, ruled.allowed
        )

    def _cancel(self, asked: CancelOne | CancelEach) -> Told:
        one = asked.client_id if isinstance(asked, CancelOne) else ""
        try:
            if isinstance(asked, CancelOne):
                if one not in self.desk.book.orders:
                    return Told("bad", one, why="no order of this book has this client id")
                self.desk.cancel(one)
            else:
                self.desk.cancel_all(asked.by, asked.reason)
        except OSError as error:
            return Told("held", one, why=str(error))
        return Told("done", one)

    def _flush(self, viewer: _Viewer) -> None:
        durable = self.desk.journal.durable
        while viewer.late and viewer.late[0][0] <= durable:
            viewer.out += encode(viewer.late.pop(0)[1])
        try:
            del viewer.out[: viewer.sock.send(viewer.out)]
        except BlockingIOError:
            if len(viewer.out) > MOST_WAITING_BYTES:
                self._drop(viewer)
        except OSError:
            self._drop(viewer)

    def _drop(self, viewer: _Viewer) -> None:
        self._viewers.remove(viewer)
        self._selector.unregister(viewer.sock)
        viewer.sock.close()


def _limit_micros(price: float | None) -> int | None:
    if price is not None and not 0.0 < price <= MOST_PRICE:
        raise OrderError(f"limit_price is {price}; it is above 0 and at most {MOST_PRICE:g}, or left out")
    return None if price is None else round(price * MICROS)


def _listen(path: Path) -> socket.socket:
    """A socket for its owner alone. The name is taken over only where nobody answers at it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    before = os.umask(_OWNER_ONLY)
    try:
        if path.exists() and _answers(path):
            raise FileExistsError(f"a desk serves {path} already; end that one first")
        path.unlink(missing_ok=True)
        sock.bind(str(path))
        sock.listen(MOST_VIEWERS)
    except OSError:
        sock.close()
        raise
    finally:
        os.umask(before)
    return sock


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True
