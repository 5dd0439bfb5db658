"""A venue that speaks FIX 4.4: one socket, one thread that reads it and keeps its time, senders under one lock."""

from __future__ import annotations

import contextlib
import itertools
import logging
import select
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from modules.live.messages import (
    Ask,
    CancelRefused,
    Connection,
    Lost,
    RefusedByVenue,
    Report,
    VenueNews,
)
from modules.live.venues.exact import FigureError, Listings
from modules.live.venues.fix.codec import Heard, Stream, stamp
from modules.live.venues.fix.orders import Orders, Sent
from modules.live.venues.fix.quotes import Quotes
from modules.live.venues.fix.report import Answers, questions
from modules.live.venues.fix.session import Names, Sequences, Session, Step
from modules.live.venues.fix.wire import dial, holds, read
from modules.live.venues.fix.words import heard, new_order
from modules.live.venues.port import Hear, VenueError
from modules.live.venues.unanswered import Unanswered

_log = logging.getLogger(__name__)
_TICK_S: Final = 0.05
_MOST_QUESTIONS: Final = 5
_MISSED: Final = "the venue missed the questions"


@dataclass(frozen=True)
class FixSettings:
    """Where the venue is and how long it may take. `sequences`: a file; None = both sides begin at 1 at each start."""

    host: str
    port: int
    account: str
    names: Names
    tls: bool = True
    sequences: Path | None = None
    answer_s: float = 5.0
    report_s: float = 30.0
    send_s: float = 1.0
    retry_s: float = 1.0
    longest_retry_s: float = 30.0
    market_data: bool = True


class FixVenue:
    """One account behind one FIX session."""

    name = "fix"

    def __init__(self, settings: FixSettings, listings: Listings, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self._settings, self._listings, self._clock_ns = settings, listings, clock_ns
        self._numbers = Sequences(settings.sequences)
        self._reset = not self._numbers.is_kept
        self._by_number: dict[int, str] = {}
        self._orders = Orders()
        self._unanswered = Unanswered(settings.answer_s, time.monotonic)
        self._lock = threading.RLock()
        self._socket: socket.socket | None = None
        self._session: Session | None = None
        self._answers: Answers | None = None
        self._count = itertools.count(clock_ns() // 1_000_000)
        self._closing = threading.Event()
        self._first = threading.Event()
        self._refused: str | None = None
        self._thread: threading.Thread | None = None
        self._hear: Hear = lambda news: None
        self._quotes = Quotes(listings)
        self._prices_asked = self._all_cancelled = 0  # the numbers under which that was said last

    # --- the port -----------------------------------------------------------------------------------

    def open(self, hear: Hear) -> None:
        """Connect and log on. Raises VenueError where that fails the first time; later it is tried for ever."""
        self._hear = hear
        self._thread = threading.Thread(target=self._run, name="fix", daemon=True)
        self._thread.start()
        wait = self._settings.send_s + self._settings.names.heartbeat_s
        if not self._first.wait(wait) or self._refused is not None:
            self.close()
            where = f"{self._settings.host}:{self._settings.port}"
            raise VenueError(
                f"{where}: {self._refused or f'no logon within {wait} s'}; check address, CompIDs and numbers"
            )

    def submit(self, ask: Ask, lots: int) -> None:
        """Send a NewOrderSingle."""
        listing = self._listings.here(ask.symbol)
        fields = new_order(ask, lots, listing, self._settings.account, self._clock_ns())
        with self._lock:
            session = self._standing()
            self._orders.sent(ask.client_id, listing, lots)
            self._unanswered.sent(ask.client_id)
            self._send(session.application("D", fields, self._clock_ns(), order=ask.client_id))

    def cancel(self, client_id: str) -> None:
        """Send an OrderCancelRequest; it names side and quantity, which for an earlier run's order the report said."""
        with self._lock:
            self._standing()
            sent = self._orders.get(client_id)
            if sent is not None:
                self._cancel(client_id, sent)
                return
        reason = "no order of this run or of its last report; ask for a report first"
        self._hear(CancelRefused(client_id=client_id, reason=reason, ts_ns=self._clock_ns()))

    def _cancel(self, client_id: str, sent: Sent) -> None:
        """Under the lock."""
        now_ns = self._clock_ns()
        fields = sent.cancel(client_id, f"{client_id}~{next(self._count)}", now_ns)
        self._send(self._standing().application("F", fields, now_ns))

    def cancel_all(self) -> None:
        """Send an OrderMassCancelRequest for all orders."""
        with self._lock:
            self._cancel_all()

    def _cancel_all(self) -> None:
        """Under the lock."""
        session, now_ns = self._standing(), self._clock_ns()
        self._all_cancelled = self._numbers.out
        self._send(session.application("q", [(11, self._request()), (530, "7"), (60, stamp(now_ns))], now_ns))

    def report(self) -> Report:
        """Ask for everything and wait."""
        answers = self._asked()
        for _ in range(_MOST_QUESTIONS):
            if answers.broken != _MISSED:
                break
            answers = self._asked()
        if answers.broken is not None:
            raise VenueError(f"{self.name}: {answers.broken}; ask again")
        try:
            report = answers.report(self.name, self._clock_ns())
        except FigureError as error:
            raise VenueError(f"{self.name}: the report cannot be read: {error}") from error
        with self._lock:
            self._orders.reported(report.orders, self._listings)
        return report

    def _asked(self) -> Answers:
        """The questions, and what came within the time."""
        with self._lock:
            session, now_ns = self._standing(), self._clock_ns()
            answers = self._answers = Answers(self._request(), self._listings)
            for kind, fields in questions(answers.request_id, self._settings.account, now_ns):
                self._send(session.application(kind, fields, now_ns))
        answers.wait(self._settings.report_s)
        with self._lock:
            if self._answers is answers:
                self._answers = None
        return answers

    def close(self) -> None:
        """Log out and hang up."""
        self._closing.set()
        with self._lock, contextlib.suppress(OSError):
            if self._socket is not None and self._session is not None and self._session.is_up:
                self._socket.sendall(self._session.logout(self._clock_ns(), "goodbye"))
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=5.0)
        self._numbers.close()

    # --- sending ------------------------------------------------------------------------------------

    def _request(self) -> str:
        return f"R{next(self._count)}"

    def _standing(self) -> Session:
        if self._session is None or not self._session.is_up:
            raise VenueError(f"{self.name}: no session; nothing was sent. Wait for Connection")
        return self._session

    def _send(self, data: bytes) -> None:
        """Under the lock. What fails here may have left in part: the thread says `Lost`."""
        assert self._socket is not None
        try:
            self._socket.sendall(data)
        except OSError as error:
            _log.warning("fix: sending failed: %s", error)
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _ask_prices(self) -> None:
        """Under the lock: subscribe, with no prices known."""
        if not self._settings.market_data:
            return
        self._quotes, session = Quotes(self._listings), self._standing()
        self._prices_asked = self._numbers.out
        self._send(session.application("V", self._quotes.question(self._request()), self._clock_ns()))

    # --- the thread ---------------------------------------------------------------------------------

    def _run(self) -> None:
        wait = self._settings.retry_s
        while not self._closing.is_set():
            was_up = False
            try:
                was_up, why = self._connected()
            except OSError as error:
                why = f"{type(error).__name__}: {error}"
            except Exception as error:  # noqa: BLE001 a thread that died would look like a venue that says nothing
                _log.exception("fix: the connection ended by a fault of ours")
                why = f"{type(error).__name__}: {error}"
            if not self._first.is_set():
                self._refused = why
                self._first.set()
                return
            wait = self._settings.retry_s if was_up else min(2 * wait, self._settings.longest_retry_s)
            self._closing.wait(wait)

    def _connected(self) -> tuple[bool, str]:
        """One connection from beginning to end: whether a session stood, and why it ended."""
        settings, was_up, why = self._settings, False, "closed here"
        with dial(settings.host, settings.port, settings.send_s, tls=settings.tls) as wire:
            session, stream = Session(settings.names, self._numbers, self._by_number, reset=self._reset), Stream()
            with self._lock:
                self._socket, self._session = wire, session
                self._send(session.logon(self._clock_ns()))
            try:
                while not self._closing.is_set():
                    step = self._listen(wire, session, stream)
                    if step.is_up:
                        was_up, self._reset = True, False
                    if step.down is not None:
                        why = step.down
                        break
            except OSError as error:
                why = f"{type(error).__name__}: {error}"
            finally:
                self._gone(why, was_up)
        return was_up, why

    def _listen(self, wire: socket.socket, session: Session, stream: Stream) -> Step:
        """Read what came, answer it, tell it. Raises OSError when the other side hung up."""
        ready = holds(wire) or select.select([wire], [], [], _TICK_S)[0]
        whole = Step()
        if ready:
            with self._lock:
                data = read(wire)
            if data == b"":
                raise ConnectionResetError("the venue hung up")
            for message in stream.feed(data or b""):
                with self._lock:
                    step = session.hear(message, self._clock_ns())
                    self._answer(step)
                self._tell(step)
                whole.is_up, whole.down = whole.is_up or step.is_up, step.down
                if step.down is not None:
                    return whole
        with self._lock:
            step = session.tick(self._clock_ns())
            self._answer(step)
        for client_id in self._unanswered.late():
            self._lost(client_id, f"no answer within {self._settings.answer_s} s")
        whole.down = step.down
        return whole

    def _answer(self, step: Step) -> None:
        """Under the lock: what the session says; cancels and a subscription that fell into a gap are said again."""
        for data in step.send:
            self._send(data)
        if step.filled_from is None:
            return
        if self._answers is not None:
            self._answers.fail(_MISSED)
        if step.down is None:
            if self._prices_asked >= step.filled_from:
                self._ask_prices()
            if self._all_cancelled >= step.filled_from:
                self._cancel_all()
            for client_id, sent in self._orders.open():
                if sent.wants_cancel:
                    self._cancel(client_id, sent)

    def _tell(self, step: Step) -> None:
        if step.is_up:
            with self._lock, contextlib.suppress(VenueError):
                self._ask_prices()
            self._hear(Connection(venue=self.name, is_up=True, reason="logged on", ts_ns=self._clock_ns()))
            self._first.set()
        for client_id in step.withheld:
            self._unanswered.answered(client_id)
            self._lost(client_id, "the venue missed it, and it is not sent again")
        for message in step.deliver:
            answers = self._answers
            if answers is not None and answers.take(message):
                continue
            if message.kind in ("W", "X", "Y"):
                self._marks(message)
                continue
            if message.kind == "r" and message.get(531) == "0":
                self._cancel_each()
            try:
                found = (
                    self._rejected(message)
                    if message.kind in "3j"
                    else heard(message, self._listings, self._clock_ns())
                )
            except FigureError as error:
                raise ConnectionAbortedError(str(error)) from error
            for news in found:
                self._note(news)
                self._hear(news)

    def _rejected(self, message: Heard) -> list[VenueNews]:
        """A reject of the session or of the application: of an order, of the mass cancel, or of a question."""
        number, kind = message.get(45) or "", message.get(372)
        reason = message.get(58) or f"rejected, reason {message.get(373) or message.get(380) or 'none'}"
        client_id = self._by_number.get(int(number)) if number.isdigit() else None
        if client_id is not None:
            return [RefusedByVenue(client_id=client_id, reason=reason, ts_ns=self._clock_ns())]
        if kind == "q":
            self._cancel_each()
        elif kind in ("AF", "AD", "AN", "BB") and self._answers is not None:
            self._answers.fail(f"the venue does not answer {kind}: {reason}")
        return heard(message, self._listings, self._clock_ns())

    def _marks(self, message: Heard) -> None:
        """Market data; what cannot be read is logged: prices grow stale by themselves."""
        try:
            for mark in self._quotes.take(message, self._clock_ns()):
                self._hear(mark)
        except FigureError as error:
            _log.warning("fix: market data: %s", error)

    def _cancel_each(self) -> None:
        """The venue has no mass cancel: one after the other."""
        with self._lock, contextlib.suppress(VenueError):
            for client_id, sent in self._orders.open():
                self._cancel(client_id, sent)

    def _note(self, news: VenueNews) -> None:
        client_id = getattr(news, "client_id", None)
        if client_id is None:
            return
        self._unanswered.answered(client_id)
        self._orders.note(client_id, news)

    def _lost(self, client_id: str, reason: str) -> None:
        self._hear(Lost(client_id=client_id, reason=reason, ts_ns=self._clock_ns()))

    def _gone(self, why: str, was_up: bool) -> None:
        """The connection ended: whatever was not answered is lost, whoever waits for a report waits in vain."""
        with self._lock:
            self._socket = self._session = None
            answers = self._answers
        if answers is not None:
            answers.fail(why)
        for client_id in self._unanswered.all():
            self._lost(client_id, why)
        if was_up:
            self._hear(Connection(venue=self.name, is_up=False, reason=why, ts_ns=self._clock_ns()))
