"""The risk core's process: one thread, a socket below the account's folder, and a venue's news.

A connection that sends garbage, reads too slowly or asks what its role may not is hung up; nothing of that reaches the
venue. A fault in the ruling itself ends the process: whoever asked hears nothing, and nothing more leaves.

While the venue is asked what it has, which may take long, cancels, kills and the status go on; an order is refused
where orders are refused anyway, and all else waits its turn. News wait too: what the venue says it has is compared with
what was known when it was asked.
"""

from __future__ import annotations

import gc
import logging
import selectors
import time
from collections import deque
from pathlib import Path
from typing import Final

from modules.live.messages import (
    Answered,
    Ask,
    Asked,
    Cancel,
    CancelAll,
    Hello,
    Kill,
    Message,
    Proceed,
    ReportAsked,
    Reset,
    StatusAsked,
    Turned,
    VenueNews,
    Welcome,
)
from modules.live.riskd.inbox import Inbox
from modules.live.riskd.latch import LatchError
from modules.live.riskd.peers import Peer, Peers
from modules.live.riskd.rulings import Rulings
from modules.live.venues.port import VenueError
from modules.live.wire import FrameReader, WireError, encode

TICK_S: Final = 0.1
REHEARSE_S: Final = 0.0002
_STATUS_S: Final = 0.1
_NAME_BYTES: Final = 128
_AT_ONCE: Final = (Cancel, CancelAll, Kill, StatusAsked)
"""What does not wait for a venue that is being asked."""
_MAY: Final[dict[str, tuple[type[Message], ...]]] = {
    "desk": (Ask, Cancel, CancelAll, Kill, StatusAsked, ReportAsked, Proceed),
    "viewer": (StatusAsked, ReportAsked),
    "kill": (Kill, Reset, CancelAll, Cancel, StatusAsked, ReportAsked),
}

_LOG = logging.getLogger("riskd")


class Server:
    """Serves `rulings` at a socket path until `stop`. The caller holds the account's lock."""

    def __init__(self, rulings: Rulings, inbox: Inbox, path: Path, limits_digest: str, *, spin_s: float = 0.0) -> None:
        self._rulings, self._inbox = rulings, inbox
        core = rulings.core
        self._welcome = Welcome(
            core.mode, core.build, rulings.name, limits_digest, core.limits.deadline_ms, spin_s > 0.0
        )
        self._selector = selectors.DefaultSelector()
        self._peers = Peers(path, self._selector)
        self._status: tuple[float, bytes] = (-1.0, b"")
        self._spin_s = spin_s
        self._stopping = False
        self._said: deque[tuple[Peer, Asked]] = deque()
        self._speaker: Peer | None = None
        self._rehearsed: FrameReader[Asked] = FrameReader(Asked)
        self._fault: Exception | None = None
        self._latch_at = 0.0
        rulings.say = self._say
        self._selector.register(inbox, selectors.EVENT_READ, inbox)

    def stop(self) -> None:
        """End `run` soon; may be called by a signal's handler."""
        self._stopping = True

    def run(self) -> None:
        """Serve. Returns after `stop`; raises what broke a ruling."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)
        next_tick = spins_until = rehearses_at = 0.0
        venue_asked = self._rulings.standing.venue_asked
        venue_asked.meanwhile = self._meanwhile
        try:
            while not self._stopping:
                if self._fault is not None:
                    raise self._fault
                now = time.monotonic()
                if now >= next_tick:
                    self._tick(now)
                    next_tick = now + TICK_S
                    self._answer()  # who had to wait while the venue was asked
                # Waking a process that sleeps takes longer than ruling: whoever gives it a processor lets it look on.
                ready = self._selector.select(0.0 if now < spins_until else max(0.0, next_tick - now))
                if ready:
                    spins_until = now + self._spin_s
                elif rehearses_at <= now < spins_until:
                    rehearses_at = now + REHEARSE_S
                    self._rehearse()
                for key, events in ready:
                    if isinstance(key.data, Peer):
                        self._read(key.data, events)
                        self._answer()
                    elif key.data is None:
                        self._peers.accept()
                    else:
                        self._inbox.woken()
                    if self._inbox:
                        self._hear()
                if self._inbox:
                    self._hear()
        finally:
            venue_asked.meanwhile = lambda: None
            self._peers.close()
            self._selector.close()

    def _rehearse(self) -> None:
        """Keep the way of an order warm: what does not run leaves the processor's caches."""
        ask = self._rulings.last
        if ask is not None:
            self._rehearsed.feed(encode(ask))
            self._rulings.rehearse(ask)

    # --- news ----------------------------------------------------------------------------------------

    def _hear(self) -> None:
        for _ in range(len(self._inbox)):  # what comes meanwhile waits its turn behind the connections
            news = self._inbox.take()
            if news is None:
                break
            self._rulings.hear(news)
        self._rulings.after_news()

    def _say(self, news: VenueNews) -> None:
        frame = b""
        for peer in self._peers.of("desk", "viewer"):
            frame = frame or encode(news)
            self._peers.write(peer, frame)

    def _tick(self, now: float) -> None:
        self._rulings.tick()
        if self._inbox:
            self._hear()
        self._peers.tire(now)
        remarks = self._rulings.account.remarks
        for remark in remarks:
            _LOG.warning("%s", remark)
        remarks.clear()

    # --- what is asked -------------------------------------------------------------------------------

    def _read(self, peer: Peer, events: int) -> None:
        if events & selectors.EVENT_WRITE:
            self._peers.flush(peer)
        if not events & selectors.EVENT_READ or peer.is_gone:
            return
        try:
            messages = self._peers.read(peer)
        except WireError as error:
            _LOG.warning("%s: %s", peer.role or "stranger", error)
            self._turn_away(peer, str(error))
            return
        for message in messages:
            self._said.append((peer, message))

    def _answer(self) -> None:
        """Do what was asked, in its order."""
        while self._said:
            peer, message = self._said.popleft()
            self._speaker = peer
            self._do(peer, message)
        self._speaker = None

    def _do(self, peer: Peer, message: Asked) -> None:
        if peer.is_gone:
            return  # hung up by the one before
        if isinstance(message, Ask) and peer.role == "desk":
            self._ask(peer, message)
        else:
            self._other(peer, message)

    def _meanwhile(self) -> None:
        """The venue is being asked: do what may not wait for it. The order within a connection stays."""
        try:
            now = time.monotonic()
            if now >= self._latch_at:
                self._latch_at = now + TICK_S
                self._rulings.look_at_latch()
            waiting = {self._speaker, *(peer for peer, _ in self._said)}
            for key, events in self._selector.select(0.0):
                if key.data is None:
                    self._peers.accept()
                elif isinstance(key.data, Peer):
                    self._read(key.data, events & ~selectors.EVENT_READ if key.data in waiting else events)
            waiting, later = {self._speaker}, deque[tuple[Peer, Asked]]()
            while self._said:
                peer, message = self._said.popleft()
                if peer not in waiting and self._goes_at_once(peer, message):
                    self._do(peer, message)
                else:
                    waiting.add(peer)
                    later.append((peer, message))
            self._said = later
        except Exception as error:
            self._fault = error  # whoever takes it for the venue's: it ends the process
            raise

    def _goes_at_once(self, peer: Peer, message: Asked) -> bool:
        if isinstance(message, Ask):
            return self._rulings.refusing is not None
        return not peer.role or isinstance(message, _AT_ONCE)

    def _ask(self, peer: Peer, ask: Ask) -> None:
        if (
            not 0 < len(ask.client_id) <= _NAME_BYTES
            or len(ask.symbol) > _NAME_BYTES
            or not -1 <= ask.parent_left < 2**53
        ):
            self._turn_away(peer, f"an order with client_id {ask.client_id[:20]!r}, parent_left {ask.parent_left}")
            return
        self._peers.write(peer, encode(self._rulings.ask(ask)))

    def _other(self, peer: Peer, message: Asked) -> None:
        if not peer.role:
            self._greet(peer, message)
            return
        if not isinstance(message, _MAY[peer.role]):
            reason = f"the role {peer.role} may not ask for {type(message).__name__}"
            self._turn_away(peer, reason)
            return
        answer: Answered
        if isinstance(message, StatusAsked):
            self._peers.write(peer, self._status_frame())
            return
        if isinstance(message, Proceed):
            self._rulings.proceed(message)
            return
        if isinstance(message, Cancel):
            self._rulings.cancel(message)
            return
        if isinstance(message, CancelAll):
            trouble = self._rulings.cancel_all(message)
            _LOG.warning("cancel all by %s: %s (%s)", message.by, message.reason, trouble or "sent")
            return
        if isinstance(message, Kill):
            answer = self._rulings.kill(message)
            _LOG.warning("KILLED by %s: %s", message.by, message.reason)
        elif isinstance(message, Reset):
            try:
                answer = self._rulings.reset(message)
                _LOG.warning("reset by %s: %s", message.by, message.reason)
            except (LatchError, VenueError) as error:
                answer = Turned(f"not reset: {error}")
        elif isinstance(message, ReportAsked):
            answer = self._rulings.report()
        else:
            answer = Turned("one Hello is enough")
        self._status = (-1.0, b"")
        try:
            frame = encode(answer)
        except WireError as error:
            frame = encode(Turned(str(error)))
        self._peers.write(peer, frame)

    def _status_frame(self) -> bytes:
        """Made at most ten times a second, whoever asks."""
        made, frame = self._status
        now = time.monotonic()
        if now - made > _STATUS_S:
            frame = encode(self._rulings.status())
            self._status = (now, frame)
        return frame

    def _greet(self, peer: Peer, hello: Asked) -> None:
        welcome = self._welcome
        if not isinstance(hello, Hello):
            self._turn_away(peer, f"{type(hello).__name__} before Hello")
        elif hello.account != welcome.account:
            self._turn_away(peer, f"this is account {welcome.account}, not {hello.account}")
        elif hello.role == "desk" and hello.mode != welcome.mode:
            self._turn_away(peer, f"mode {hello.mode}; the risk core runs {welcome.mode}: start both the same")
        elif hello.role == "desk" and hello.build != welcome.build:
            self._turn_away(peer, f"build {hello.build[:12]}; the risk core runs {welcome.build[:12]}: restart it")
        elif hello.role == "desk" and not self._peers.desk_is_gone():
            self._turn_away(peer, "another desk is connected; end it first")
        else:
            peer.role = hello.role
            self._peers.write(peer, encode(welcome))

    def _turn_away(self, peer: Peer, reason: str) -> None:
        self._peers.write(peer, encode(Turned(reason)))
        self._peers.hang_up(peer)
