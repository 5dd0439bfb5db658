"""A venue whose orders are HTTP requests and whose news come by a stream: what Alpaca and crypto exchanges share.

Orders and cancels each have a thread. A request is made once; its failure says whether the order can have arrived.
"""

from __future__ import annotations

import functools
import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

import urllib3

from modules.live.messages import Acknowledged, Ask, CancelRefused, Connection, Filled, Lost, RefusedByVenue
from modules.live.venues.exact import FigureError
from modules.live.venues.port import Hear, VenueError
from modules.live.venues.sender import Sender, Throttle

_log = logging.getLogger(__name__)
_CANCEL_TRIES: Final = 5
A = TypeVar("A")
Body = dict[str, str]


class NotSentError(OSError):
    """Not one byte of the request left."""


class NoAnswerError(OSError):
    """The request may have arrived: a time-out, a connection that went, an answer that cannot be read, a 5xx."""


class RefusedError(OSError):
    """The venue says that it did not do what was asked. `wait_s`: it asks to come back after that."""

    def __init__(self, text: str, *, wait_s: float | None = None, is_duplicate: bool = False) -> None:
        super().__init__(text)
        self.wait_s, self.is_duplicate = wait_s, is_duplicate


class OverHttp(ABC):
    """Sending and cancelling. A subclass says how; each of its requests raises one of the three errors above."""

    name: str

    def __init__(self, close_s: float, retry_s: float, clock_ns: Callable[[], int] = time.time_ns) -> None:
        """`close_s`: how long closing waits for what is queued; `retry_s`: between tries of a cancel."""
        self._close_s, self._retry_s, self._clock_ns = close_s, retry_s, clock_ns
        self._throttle = Throttle()
        self._is_up = False
        self._closing = threading.Event()
        self._hear: Hear = lambda news: None
        self._orders: Sender | None = None
        self._cancels: Sender | None = None
        self._sending: set[str] = set()
        self._executions: dict[str, str] = {}
        self._done: dict[str, int] = {}

    # --- a subclass says how ------------------------------------------------------------------------

    @abstractmethod
    def _body(self, ask: Ask, lots: int) -> Body:
        """The order as it is sent. Raises VenueError for what cannot be said."""

    @abstractmethod
    def _place(self, client_id: str, body: Body) -> str:
        """Send an order; the venue's id of it. Runs in the orders' thread."""

    @abstractmethod
    def _delete(self, client_id: str) -> None:
        """Cancel one. Runs in any thread."""

    @abstractmethod
    def _delete_all(self) -> None:
        """Cancel whatever is open. Runs in any thread."""

    @abstractmethod
    def _ready(self) -> None:
        """Make ready whatever a thread needs to send, so that its first request waits for nothing."""

    # --- the port -----------------------------------------------------------------------------------

    def submit(self, ask: Ask, lots: int) -> None:
        """Queue the order for its thread."""
        body = self._body(ask, lots)
        if not self._is_up or self._orders is None:
            raise VenueError(f"{self.name}: no stream of news; nothing was sent. Wait for Connection")
        if self._throttle.left_s:
            raise VenueError(f"{self.name}: asked to wait {self._throttle.left_s:.1f} s more; nothing was sent")
        self._sending.add(ask.client_id)
        try:
            self._orders.put(functools.partial(self._send, ask.client_id, body))
        except VenueError:
            self._sending.discard(ask.client_id)
            raise

    def cancel(self, client_id: str) -> None:
        """Queue the cancel; behind the order, while that is still on its way. Without the stream, ask at once."""
        if not self._is_up or self._orders is None or self._cancels is None:
            self._answer(lambda: self._delete(client_id))
        elif client_id in self._sending:
            self._orders.put(functools.partial(self._cancel, client_id), is_order=False)
        else:
            self._cancels.put(functools.partial(self._cancel, client_id))

    def cancel_all(self) -> None:
        """Queue a cancel of all orders of the account. Without the stream, ask at once.

        Said again behind the orders that are on their way: at the first time the venue has them not yet.
        """
        if not self._is_up or self._orders is None or self._cancels is None:
            self._answer(self._delete_all)
            return
        self._cancels.put(self._cancel_all)
        if self._sending:
            self._orders.put(self._cancel_all, is_order=False)

    def _start(self, hear: Hear) -> None:
        self._hear = hear
        self._orders, self._cancels = Sender(f"{self.name}-orders"), Sender(f"{self.name}-cancels")
        for sender in (self._orders, self._cancels):
            sender.put(self._ready)

    def _end(self) -> None:
        """Let what is queued out, and say nothing more."""
        self._is_up = False
        for sender in (self._orders, self._cancels):
            if sender is not None:
                sender.close(self._close_s)
        self._closing.set()
        self._orders = self._cancels = None

    # --- for subclasses -----------------------------------------------------------------------------

    def _answer(self, question: Callable[[], A]) -> A:
        """An answer; asked again once where the venue asked to wait. Raises VenueError."""
        if self._closing.is_set():
            raise VenueError(f"{self.name} is closed; nothing was sent")
        try:
            try:
                return question()
            except RefusedError as error:
                if error.wait_s is None:
                    raise
                self._throttle.told(error.wait_s)
                self._closing.wait(error.wait_s)
                return question()
        except (NotSentError, NoAnswerError, RefusedError, FigureError) as error:
            raise VenueError(f"{self.name}: {error}; check address, keys and connection") from error

    def _state(self, is_up: bool, reason: str) -> None:
        self._is_up = is_up
        self._hear(Connection(venue=self.name, is_up=is_up, reason=reason, ts_ns=self._clock_ns()))

    def _executed(self, news: Filled, said: str, done: int) -> None:
        """Tell an execution. The stream has no numbers, but says how many lots are done: one that is missing shows.

        `said`: the venue's id of the execution. Raises FigureError, upon which the stream is begun anew.
        """
        if self._executions.setdefault(news.exec_id, said) != said:
            raise FigureError(f"two executions of {news.client_id} end at one quantity; ask for a report")
        known = self._done.get(news.client_id, 0)
        self._done[news.client_id] = max(known, done)
        self._hear(news)
        told = known + abs(news.lots)
        if done > told:
            raise FigureError(f"order {news.client_id}: {done} lots are done, {told} were told; ask for a report")

    def _reported(self, client_id: str, done: int, before: Mapping[str, int]) -> None:
        """Lots that are done, as a report has it; `before`: what was known when it was asked for.

        What the stream told meanwhile is newer than the report.
        """
        if self._done.get(client_id, 0) == before.get(client_id, 0):
            self._done[client_id] = done

    # --- the threads --------------------------------------------------------------------------------

    def _send(self, client_id: str, body: Body) -> None:
        """Send the order once. What may have arrived is lost, never refused."""
        try:
            venue_id = self._place(client_id, body)
            self._hear(Acknowledged(client_id=client_id, venue_id=venue_id, ts_ns=self._clock_ns()))
        except (NoAnswerError, FigureError) as error:
            self._lost(client_id, str(error))
        except NotSentError as error:
            self._hear(RefusedByVenue(client_id=client_id, reason=str(error), ts_ns=self._clock_ns()))
        except RefusedError as error:
            if error.wait_s is not None:
                self._throttle.told(error.wait_s)
            if error.is_duplicate:
                self._lost(client_id, f"{error}: the id is in use, so there is such an order")
            else:
                self._hear(RefusedByVenue(client_id=client_id, reason=str(error), ts_ns=self._clock_ns()))
        except Exception as error:
            self._lost(client_id, f"{type(error).__name__}: {error}")
            raise
        finally:
            self._sending.discard(client_id)

    def _lost(self, client_id: str, reason: str) -> None:
        self._hear(Lost(client_id=client_id, reason=reason, ts_ns=self._clock_ns()))

    def _cancel(self, client_id: str) -> None:
        """A cancel may be said again, so it is, when the venue was busy or did not answer."""
        reason = self._tried(lambda: self._delete(client_id))
        if reason is not None:
            self._hear(CancelRefused(client_id=client_id, reason=reason, ts_ns=self._clock_ns()))

    def _cancel_all(self) -> None:
        reason = self._tried(self._delete_all)
        if reason is not None:
            _log.error("%s took no cancel of all orders: %s", self.name, reason)
            self._state(False, f"the venue took no cancel of all orders ({reason}); cancel there, or try again")

    def _tried(self, request: Callable[[], None]) -> str | None:
        """None once the request was taken, else why it was not."""
        reason = "not tried"
        for _ in range(_CANCEL_TRIES):
            try:
                request()
            except RefusedError as error:
                reason = str(error)
                if error.wait_s is None:
                    break
                self._throttle.told(error.wait_s)
                self._closing.wait(error.wait_s)
            except (NoAnswerError, NotSentError, FigureError) as error:
                reason = str(error)
                self._closing.wait(self._retry_s)
            else:
                return None
        return reason


def never_connected(error: BaseException | None) -> bool:
    """Whether somewhere below is: the connection was never made, so that nothing left."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError):
            return True
        first = error.args[0] if error.args else None
        below = (getattr(error, "reason", None), first, error.__cause__, error.__context__)
        error = next((e for e in below if isinstance(e, BaseException)), None)
    return False
