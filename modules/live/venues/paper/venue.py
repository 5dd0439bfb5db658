"""The paper venue: one thread reads the feed, fills, and records the account before it says anything of it.

With `steps` the feed is a recording of bars, and the next moment waits for `proceed`, as at the simulated exchange.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from modules.live.feeds.news import Bar, FeedNews
from modules.live.feeds.port import Feed, FeedError
from modules.live.feeds.recorded import known_at
from modules.live.journal.file import FileJournal
from modules.live.journal.port import JournalError
from modules.live.messages import AnyMessage, Ask, Connection, Lost, Marked, Report, Stepped, VenueNews
from modules.live.venues.paper.matching import PaperMatching, as_order
from modules.live.venues.port import Hear, VenueError

_ANSWER_S: Final = 10.0
_LOOK_S: Final = 0.02
"""How often a feed without a descriptor is looked at."""


@dataclass
class _Wish:
    """What was asked from another thread, and the answer of those that wait for one."""

    do: Callable[[], list[VenueNews]]
    records: tuple[AnyMessage, ...] = ()
    client_id: str | None = None
    done: threading.Event = field(default_factory=threading.Event)
    report: Report | None = None


class PaperVenue:
    """One account on paper. `folder` holds its record; it lives as long as that, whatever becomes of the process."""

    def __init__(self, matching: PaperMatching, feed: Feed, folder: Path, *, steps: bool = False) -> None:
        self.name = matching.name
        self._matching, self._feed, self._folder, self._steps = matching, feed, folder, steps
        self._hear: Hear = lambda news: None
        self._wishes: deque[_Wish] = deque()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._journal: FileJournal | None = None
        self._wake = (-1, -1)
        self._is_over = True
        self._coming: deque[FeedNews] = deque()
        self._waits, self._stepped = steps, -1

    # --- the port -----------------------------------------------------------------------------------

    def open(self, hear: Hear) -> None:
        """Take up the account where its record ends, and the feed. Raises VenueError."""
        if self._thread is not None:
            raise VenueError(f"venue {self.name} was opened before; make a new one")
        try:
            self._journal = FileJournal(self._folder)
            self._restore(self._journal)
            self._feed.open()
        except (JournalError, FeedError) as error:
            if self._journal is not None:
                self._journal.close()
            raise VenueError(f"venue {self.name}: {error}") from error
        self._hear, self._is_over, self._wake = hear, False, os.pipe()
        os.set_blocking(self._wake[1], False)
        self._hear(Connection(self.name, True, "on paper", time.time_ns()))
        self._thread = threading.Thread(target=self._work, name=f"venue-{self.name}", daemon=True)
        self._thread.start()

    def submit(self, ask: Ask, lots: int) -> None:
        """Send an order. Raises VenueError where the venue is closed."""
        sent = msgspec.structs.replace(ask, lots=lots)
        self._ask(_Wish(lambda: self._matching.submit(as_order(ask, lots)), (sent,), ask.client_id))

    def cancel(self, client_id: str) -> None:
        """Ask for a cancel. Raises VenueError where the venue is closed."""
        self._ask(_Wish(lambda: self._matching.cancel(client_id)))

    def cancel_all(self) -> None:
        """Ask for a cancel of everything. Raises VenueError where the venue is closed."""
        self._ask(_Wish(self._matching.cancel_all))

    def proceed(self, ts_ns: int) -> None:
        """Nothing more is ordered at the moment `ts_ns`. Raises VenueError where the venue is closed."""
        self._ask(_Wish(lambda: self._go_on(ts_ns)))

    def report(self) -> Report:
        """Everything of the account. Raises VenueError."""
        wish = _Wish(list)
        wish.do = lambda: self._write_report(wish)
        self._ask(wish)
        if not wish.done.wait(_ANSWER_S) or wish.report is None:
            raise VenueError(f"venue {self.name} gave no report; open it anew")
        return wish.report

    def close(self) -> None:
        """Stop. The account stays in its record."""
        with self._lock:
            self._is_over = True
            if self._wake[1] >= 0:
                self._awake()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    # --- wishes -------------------------------------------------------------------------------------

    def _ask(self, wish: _Wish) -> None:
        with self._lock:
            if self._is_over:
                raise VenueError(f"venue {self.name} is closed; nothing was sent")
            self._wishes.append(wish)
            self._awake()

    def _awake(self) -> None:
        with contextlib.suppress(BlockingIOError):  # it has been woken often enough
            os.write(self._wake[1], b"x")

    def _go_on(self, ts_ns: int) -> list[VenueNews]:
        if self._steps and self._stepped in (-1, ts_ns):
            self._waits = False
            return []
        return self._standing()

    def _standing(self) -> list[VenueNews]:
        """Where things stand; the moment too, once there is one."""
        moment = Stepped(self.name, self._stepped, self._feed.ended and not self._coming)
        return [*self._matching.standing(), *([moment] if self._steps and self._stepped >= 0 else [])]

    def _write_report(self, wish: _Wish) -> list[VenueNews]:
        wish.report = self._matching.report()
        return []

    # --- the thread ---------------------------------------------------------------------------------

    def _work(self) -> None:
        reason = "a fault of ours"
        try:
            while not self._is_over:
                self._wait()
                while self._wishes:
                    wish = self._wishes[0]
                    known = wish.client_id in self._matching.orders.by_id
                    self._say(wish.do(), () if known else wish.records)
                    wish.done.set()
                    self._wishes.popleft()
                if not self._waits:
                    for news in self._feed_news():
                        self._say(news)
            reason = "closed"
        except (JournalError, FeedError, OverflowError) as error:
            reason = str(error)
        finally:
            self._end(reason)

    def _wait(self) -> None:
        """Until somebody wants something, or the feed has something."""
        number = self._feed.fileno()
        watched = [self._wake[0], *([number] if number >= 0 and not self._waits else [])]
        if self._waits or (self._feed.ended and not self._coming):
            patience = None
        elif self._steps:
            patience = 0.0
        else:
            patience = 0.25 if number >= 0 else _LOOK_S
        ready, _, _ = select.select(watched, [], [], patience)
        if self._wake[0] in ready:
            os.read(self._wake[0], 4096)

    def _feed_news(self) -> Iterator[list[VenueNews]]:
        """What the feed says: all that came, or the next moment of a recording."""
        if not self._steps:
            yield self._matching.take(self._feed.name, self._feed.poll(0.0))
            for _, symbol in self._matching.market.wanted():
                self._feed.resync(symbol)
            return
        while not self._feed.ended and (not self._coming or known_at(self._coming[0]) == known_at(self._coming[-1])):
            self._coming.extend(self._feed.poll(0.0))
        moment = [self._coming.popleft()] if self._coming else []
        while self._coming and known_at(self._coming[0]) == known_at(moment[0]):
            moment.append(self._coming.popleft())
        label = max((x.ts_ns for x in moment if isinstance(x, Bar)), default=-1)
        is_new = label > self._stepped
        news = self._matching.take(self._feed.name, moment, fills=is_new or label < 0)
        if is_new:
            self._stepped, self._waits = label, True
            yield [*news, Stepped(self.name, label, self._feed.ended and not self._coming)]
        elif label == self._stepped >= 0:  # played again up to where the record ends
            self._waits = True
            yield self._standing()

    def _say(self, news: list[VenueNews], records: tuple[AnyMessage, ...] = ()) -> None:
        """Record what counts, wait until that is durable, then say it."""
        kept = [*records, *(n for n in news if not isinstance(n, Marked))]
        if kept:
            assert self._journal is not None
            self._journal.append(*kept)
            self._journal.sync()
        for one in news:
            self._hear(one)

    def _end(self, reason: str) -> None:
        with self._lock:
            self._is_over = True
            wishes, self._wishes = self._wishes, deque()
            for number in self._wake:
                os.close(number)
            self._wake = (-1, -1)
        for wish in wishes:
            if wish.client_id is not None:
                self._hear(Lost(wish.client_id, f"the venue ended: {reason}", time.time_ns()))
            wish.done.set()
        self._feed.close()
        if self._journal is not None:
            with contextlib.suppress(JournalError):
                self._journal.close()
        if reason != "closed":
            self._hear(Connection(self.name, False, reason, time.time_ns()))

    def _restore(self, journal: FileJournal) -> None:
        """The account and, of a recording, the moment at which it stands."""

        def messages() -> Iterator[AnyMessage]:
            for entry in journal.read():
                if isinstance(entry.message, Stepped):
                    self._stepped = entry.message.ts_ns
                yield entry.message

        self._matching.restore(messages())
        self._waits = self._steps and self._stepped < 0
