"""A feed over WebSocket: connects, subscribes, keeps alive, comes back, and asks for snapshots of books with a gap.

Nothing here blocks but the wait that `poll` was given: connections and HTTP snapshots are made aside. What cannot be
read ends the connection, because it may have been a change; so do silence, and data that stop while heartbeats go on.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random

from pydantic import BaseModel, ConfigDict, Field

from modules.live.feeds.dialects.port import Dialect, DialectError
from modules.live.feeds.news import Beat, Depth, FeedNews, Link
from modules.live.feeds.waiting import Aside, Backoff, fetch
from modules.live.feeds.wslink import LinkError, WebSocketLink


class Patience(BaseModel):
    """How long what is waited for, in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    connect_s: float = Field(default=10.0, gt=0.0, description="connection and handshake; an HTTP snapshot")
    ping_s: float = Field(default=10.0, gt=0.0, description="between heartbeats")
    silence_s: float = Field(default=25.0, gt=0.0, description="without any byte, until it is hung up")
    stall_s: float = Field(default=60.0, gt=0.0, description="without data though heartbeats come, until hung up")
    base_s: float = Field(default=0.5, gt=0.0, description="first delay before it is tried again")
    most_s: float = Field(default=30.0, gt=0.0, description="longest of them")
    stable_s: float = Field(default=30.0, gt=0.0, description="data for so long make the delays begin anew")
    resync_s: float = Field(default=2.0, gt=0.0, description="before a snapshot is asked for again")


@dataclass
class Counts:
    """What became of a feed so far."""

    messages: int = 0
    bytes: int = 0
    connections: int = 0
    failures: int = 0
    garbage: int = 0
    resyncs: int = 0


@dataclass
class _Wanted:
    """A snapshot that is waited for: when to ask (again), and what is being fetched."""

    at: float
    backoff: Backoff
    fetching: Aside[bytes] | None = None


@dataclass
class _Times:
    up: float = 0.0
    byte: float = 0.0
    data: float = 0.0
    ping: float = 0.0


@dataclass
class WebSocketFeed:
    """One connection to one venue. `snapshots`: root of the venue's HTTP address, where its dialect fetches books."""

    name: str
    url: str
    dialect: Dialect
    patience: Patience = field(default_factory=Patience)
    snapshots: str | None = None
    context: ssl.SSLContext | None = None
    seed: int = 0
    wall_ns: Callable[[], int] = time.time_ns
    is_quiet: Callable[[], bool] = lambda: False
    """Whether no data are to be expected just now: the market is closed. Heartbeats are, always."""
    counts: Counts = field(default_factory=Counts)

    def __post_init__(self) -> None:
        self._random = Random(self.seed)
        self._backoff = Backoff(self.patience.base_s, self.patience.most_s, self._random)
        self._link: WebSocketLink | None = None
        self._joining: Aside[WebSocketLink] | None = None
        self._again_at = 0.0
        self._times = _Times()
        self._wanted: dict[str, _Wanted] = {}
        self._told: str | None = None
        self._closed = True

    # --- the port -----------------------------------------------------------------------------------

    def open(self) -> None:
        """Begin to connect."""
        self._closed, self._again_at = False, time.monotonic()

    def poll(self, timeout_s: float) -> list[FeedNews]:
        """What came; may come back before `timeout_s` with nothing."""
        if self._closed:
            return []
        if self._link is None:
            return self._join(timeout_s)
        said: list[FeedNews] = []
        try:
            said += self._ask_snapshots()
            said += self._hear(self._link, 0.0 if said else min(timeout_s, self.patience.ping_s))
            self._keep_alive(self._link)
        except LinkError as error:
            said.append(self._lost(error.reason, error.retry_after_s))
        return said

    def resync(self, symbol: str) -> None:
        """Ask for a snapshot at the next `poll`, and again until it came."""
        if symbol not in self._wanted:
            patience = self.patience
            self._wanted[symbol] = _Wanted(time.monotonic(), Backoff(patience.resync_s, patience.most_s, self._random))

    @property
    def ended(self) -> bool:
        """Only once it was closed."""
        return self._closed

    def fileno(self) -> int:
        """The socket while it is connected and has nothing that a selector would not see."""
        return -1 if self._link is None or self._link.is_pending else self._link.fileno()

    def close(self) -> None:
        """Hang up."""
        self._closed = True
        self._let_go()

    # --- coming and going ---------------------------------------------------------------------------

    def _join(self, timeout_s: float) -> list[FeedNews]:
        """Connect, or wait for the moment to try again."""
        now = time.monotonic()
        if self._joining is None:
            if now < self._again_at:
                time.sleep(max(0.0, min(timeout_s, self._again_at - now)))
                return []
            dial = partial(WebSocketLink.connect, self.url, self.patience.connect_s, self.context)
            self._joining = Aside(f"connect {self.name}", dial, WebSocketLink.close)
        if not self._joining.wait(timeout_s):
            return []
        joined, self._joining = self._joining, None
        if joined.error is not None or joined.result is None:
            error = joined.error or LinkError("it did not connect")
            return self._failed(error.reason, error.retry_after_s)
        self._link, now = joined.result, time.monotonic()
        self._times = _Times(now, now, now, now)
        self.counts.connections += 1
        self._told = None
        said: list[FeedNews] = [Link(self.name, True, "connected", self.wall_ns())]
        try:
            for words in self.dialect.subscribe():
                self._link.send(words)
        except LinkError as error:
            said.append(self._lost(error.reason, error.retry_after_s))
        return said

    def _failed(self, reason: str, retry_after_s: float) -> list[FeedNews]:
        """An attempt that did not succeed; said once for each reason."""
        self.counts.failures += 1
        self._again_at = time.monotonic() + self._backoff.next_s(retry_after_s)
        if reason == self._told:
            return []
        self._told = reason
        return [Link(self.name, False, reason, self.wall_ns())]

    def _lost(self, reason: str, retry_after_s: float) -> Link:
        """The connection is over."""
        if self._times.data - self._times.up >= self.patience.stable_s:
            self._backoff.worked()
        self._again_at = time.monotonic() + self._backoff.next_s(retry_after_s)
        self._let_go()
        self._told = reason
        return Link(self.name, False, reason, self.wall_ns())

    def _let_go(self) -> None:
        if self._link is not None:
            self._link.close()
            self._link = None
        if self._joining is not None:
            self._joining.leave()
            self._joining = None
        for wanted in self._wanted.values():
            if wanted.fetching is not None:
                wanted.fetching.leave()
        self._wanted.clear()

    # --- while it is up -----------------------------------------------------------------------------

    def _hear(self, link: WebSocketLink, timeout_s: float) -> list[FeedNews]:
        heard = link.receive(timeout_s)
        now, seen_ns = time.monotonic(), self.wall_ns()
        if heard.any_byte:
            self._times.byte = now
        said: list[FeedNews] = []
        for message in heard.messages:
            self.counts.messages += 1
            self.counts.bytes += len(message)
            try:
                news = self.dialect.decode(message, seen_ns)
            except DialectError as error:
                self.counts.garbage += 1
                said.append(self._lost(str(error), 0.0))
                return said
            for one in news:
                if not isinstance(one, Beat):
                    self._times.data = now
                    if isinstance(one, Depth) and one.is_snapshot:
                        self._wanted.pop(one.symbol, None)
            said += news
        if heard.any_byte and not said:
            said.append(Beat(self.name, seen_ns))  # a pong: it lives
        return said

    def _keep_alive(self, link: WebSocketLink) -> None:
        """Heartbeats out, and the end of patience. Raises LinkError."""
        if self._link is None:
            return
        now, patience = time.monotonic(), self.patience
        if self.is_quiet():
            self._times.data = now
        if now - self._times.byte > patience.silence_s:
            raise LinkError(f"nothing was heard for {patience.silence_s:g} s")
        if now - self._times.data > patience.stall_s:
            raise LinkError(f"heartbeats came, and no data for {patience.stall_s:g} s")
        if now - self._times.ping >= patience.ping_s:
            self._times.ping = now
            words = self.dialect.ping()
            if words is None:
                link.ping()
            else:
                link.send(words)

    # --- snapshots ----------------------------------------------------------------------------------

    def _ask_snapshots(self) -> list[FeedNews]:
        """Ask for those that are due, and give those that were fetched. Raises LinkError."""
        if not self._wanted:
            return []
        said: list[FeedNews] = []
        for symbol, wanted in list(self._wanted.items()):
            if wanted.fetching is not None:
                if wanted.fetching.wait(0.0):
                    said += self._fetched(symbol, wanted, wanted.fetching)
            elif time.monotonic() >= wanted.at:
                self._ask(symbol, wanted)
        return said

    def _ask(self, symbol: str, wanted: _Wanted) -> None:
        self.counts.resyncs += 1
        wanted.at = time.monotonic() + wanted.backoff.next_s()
        path = self.dialect.snapshot_path(symbol)
        if path is not None and self.snapshots is not None:
            work = partial(fetch, self.snapshots + path, self.patience.connect_s)
            wanted.fetching = Aside(f"snapshot {symbol}", work)
        elif self._link is not None:
            for words in self.dialect.resync(symbol):
                self._link.send(words)

    def _fetched(self, symbol: str, wanted: _Wanted, fetching: Aside[bytes]) -> list[FeedNews]:
        wanted.fetching = None
        try:
            if fetching.result is None:
                raise fetching.error or LinkError("it was not fetched")
            found = self.dialect.snapshot(symbol, fetching.result, self.wall_ns())
        except LinkError as error:
            wanted.at = max(wanted.at, time.monotonic() + error.retry_after_s)
            self.counts.failures += 1
            return []
        except DialectError:
            self.counts.garbage += 1
            return []
        del self._wanted[symbol]
        return [found]
