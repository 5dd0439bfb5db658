"""Alpaca as a venue: orders and cancels each have a thread and a REST client, updates and quotes a stream each."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from modules.live.messages import (
    Acknowledged,
    Ask,
    BuyingPower,
    CancelRefused,
    Connection,
    Filled,
    Lost,
    RefusedByVenue,
    Report,
)
from modules.live.venues.alpaca.quotes import Quotes
from modules.live.venues.alpaca.rest import NoAnswerError, NotSentError, RefusedError, Rest
from modules.live.venues.alpaca.stream import Stream, Times
from modules.live.venues.alpaca.words import held, new_order, reported, text, update
from modules.live.venues.exact import FigureError, Listings, decimal, micros
from modules.live.venues.port import Hear, VenueError
from modules.live.venues.sender import Sender, Throttle

PAPER_URL: Final = "https://paper-api.alpaca.markets"
LIVE_URL: Final = "https://api.alpaca.markets"
QUOTES_URL: Final = "wss://stream.data.alpaca.markets/v2/iex"
_TOO_MANY: Final = 429
_CANCEL_TRIES: Final = 5


@dataclass(frozen=True)
class AlpacaSettings:
    """Addresses, keys and times. `days`: how far back a report goes; what is open is in it however old."""

    key: str = field(repr=False)
    secret: str = field(repr=False)
    url: str = PAPER_URL
    stream_url: str = ""
    quotes_url: str | None = QUOTES_URL
    timeout_s: float = 10.0
    days: int = 3
    times: Times = field(default_factory=Times)

    @property
    def updates_url(self) -> str:
        """The stream of `trade_updates`: beside the REST address unless told otherwise."""
        return self.stream_url or self.url.replace("http", "ws", 1) + "/stream"


class AlpacaVenue:
    """One account at Alpaca."""

    name = "alpaca"

    def __init__(
        self, settings: AlpacaSettings, listings: Listings, clock_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self._settings, self._listings, self._clock_ns = settings, listings, clock_ns
        self._orders, self._cancels, self._asks = (self._rest() for _ in range(3))
        self._throttle = Throttle()
        self._is_up = False
        self._sending: set[str] = set()
        self._ids: dict[str, str] = {}
        self._executions: dict[str, str] = {}
        self._done: dict[str, int] = {}
        self._closing = threading.Event()
        self._hear: Hear = lambda news: None
        self._order_sender: Sender | None = None
        self._cancel_sender: Sender | None = None
        self._updates: Stream | None = None
        self._quotes: Quotes | None = None

    def _rest(self) -> Rest:
        s = self._settings
        return Rest(s.key, s.secret, s.url, s.timeout_s)

    # --- the port -----------------------------------------------------------------------------------

    def open(self, hear: Hear) -> None:
        """Look at the account, then listen. Raises VenueError."""
        self._hear = hear
        account = self._ask(lambda: self._asks.get("/account"))
        blocked = [f for f in ("trading_blocked", "account_blocked", "trade_suspended_by_user") if account.get(f)]
        if blocked:
            raise VenueError(f"{self.name}: the account says {', '.join(blocked)}; clear that at the venue first")
        self._order_sender, self._cancel_sender = Sender("alpaca-orders"), Sender("alpaca-cancels")
        settings = self._settings
        self._updates = Stream(
            "alpaca-updates",
            settings.updates_url,
            settings.times,
            greet=self._greet,
            take=self._take,
            state=self._state,
        )
        refused = self._updates.start()
        if refused is not None:
            self.close()
            raise VenueError(f"{settings.updates_url}: {refused}; check address and keys")
        if settings.quotes_url is not None:
            self._quotes = Quotes(settings.quotes_url, settings.key, settings.secret, settings.times, self._listings)
            refused = self._quotes.start(hear)
            if refused is not None:
                self.close()
                raise VenueError(f"{settings.quotes_url}: {refused}; check address and keys")

    def submit(self, ask: Ask, lots: int) -> None:
        """Queue the order for its thread."""
        body = new_order(ask, lots, self._listings.here(ask.symbol))
        if not self._is_up or self._order_sender is None:
            raise VenueError(f"{self.name}: no stream of updates; nothing was sent. Wait for Connection")
        if self._throttle.left_s:
            raise VenueError(f"{self.name}: asked to wait {self._throttle.left_s:.1f} s more; nothing was sent")
        self._sending.add(ask.client_id)
        try:
            self._order_sender.put(functools.partial(self._send, ask.client_id, body))
        except VenueError:
            self._sending.discard(ask.client_id)
            raise

    def cancel(self, client_id: str) -> None:
        """Queue the cancel; behind the order, while that is still on its way. Without the stream, ask at once."""
        if not self._is_up:
            self._at_once(functools.partial(self._delete, client_id, self._asks))
        elif client_id in self._sending:
            _open(self._order_sender).put(functools.partial(self._cancel, client_id, self._orders))
        else:
            _open(self._cancel_sender).put(functools.partial(self._cancel, client_id, self._cancels))

    def cancel_all(self) -> None:
        """Queue a cancel of all orders of the account."""
        if not self._is_up:
            self._at_once(lambda: self._asks.delete("/orders"))
        else:
            _open(self._cancel_sender).put(self._cancel_all)

    def _at_once(self, request: Callable[[], object]) -> None:
        """Without the stream nobody would hear of it later: ask now. Raises VenueError."""
        if self._closing.is_set():
            raise VenueError(f"{self.name} is closed; nothing was sent")
        self._ask(request)

    def report(self) -> Report:
        """Ask for orders, executions, positions and cash."""
        since = datetime.now(UTC) - timedelta(days=self._settings.days)
        rest = self._asks

        def ask() -> tuple[list[Any], list[Any], list[Any], Any]:
            rows = {row.get("id"): row for row in rest.orders("open", "2000-01-01T00:00:00Z")}
            oldest = min([since.isoformat(), *(str(r.get("submitted_at")) for r in rows.values())])
            rows |= {row.get("id"): row for row in rest.orders("all", since.isoformat())}
            fills = list(rest.executions(oldest))
            return list(rows.values()), fills, list(rest.get("/positions") or []), rest.get("/account")

        rows, fills, positions, account = self._ask(ask)
        try:
            report = self._report(rows, fills, positions, account)
            power = micros(decimal(account.get("buying_power"), "buying_power"))
        except FigureError as error:
            raise VenueError(f"{self.name}: the report cannot be read: {error}") from error
        self._hear(BuyingPower(micros=power, ts_ns=self._clock_ns()))
        return report

    def close(self) -> None:
        """Let what is queued out, then hang up."""
        self._closing.set()
        for sender in (self._order_sender, self._cancel_sender):
            if sender is not None:
                sender.close(self._settings.timeout_s)
        for stream in (self._updates, self._quotes):
            if stream is not None:
                stream.close()
        self._is_up = False
        self._order_sender = self._cancel_sender = None

    # --- the report ---------------------------------------------------------------------------------

    def _ask(self, question: Callable[[], Any]) -> Any:
        """An answer; asked again once where the venue asked to wait. Raises VenueError."""
        try:
            try:
                return question()
            except RefusedError as error:
                if error.status != _TOO_MANY:
                    raise
                self._throttle.told(error.wait_s)
                self._closing.wait(error.wait_s)
                return question()
        except (NotSentError, NoAnswerError, RefusedError) as error:
            raise VenueError(f"{self._settings.url}: {error}; check address, keys and connection") from error

    def _report(self, rows: list[Any], fills: list[Any], positions: list[Any], account: Any) -> Report:
        by_order: dict[str, list[Any]] = {}
        for fill in fills:
            by_order.setdefault(text(fill, "order_id"), []).append(fill)
        orders, complete = [], True
        for row in rows:
            order, whole = reported(row, by_order.get(text(row, "id"), []), self._listings)
            self._ids[order.client_id] = text(row, "id")
            self._done[order.client_id] = abs(sum(f.lots for f in order.fills))
            orders.append(order)
            complete = complete and whole
        return Report(
            venue=self.name, orders=tuple(orders), positions=held(positions, self._listings),
            cash_micros=micros(decimal(account.get("cash"), "cash")), complete=complete, ts_ns=self._clock_ns(),
        )  # fmt: skip

    # --- the senders --------------------------------------------------------------------------------

    def _send(self, client_id: str, body: dict[str, str]) -> None:
        """POST the order once. What may have arrived is lost, never refused."""
        try:
            answer = self._orders.post("/orders", dict(body))
            if not isinstance(answer, dict) or answer.get("client_order_id") != client_id:
                raise NoAnswerError(f"the answer is not about order {client_id}: {str(answer)[:200]}")
            self._ids[client_id] = text(answer, "id")
            self._hear(Acknowledged(client_id=client_id, venue_id=self._ids[client_id], ts_ns=self._clock_ns()))
        except (NoAnswerError, FigureError) as error:
            self._hear(Lost(client_id=client_id, reason=str(error), ts_ns=self._clock_ns()))
        except NotSentError as error:
            self._hear(RefusedByVenue(client_id=client_id, reason=str(error), ts_ns=self._clock_ns()))
        except RefusedError as error:
            if error.status == _TOO_MANY:
                self._throttle.told(error.wait_s)
            if error.status == 422 and "client_order_id" in error.text:  # in use: so there is such an order
                self._hear(Lost(client_id=client_id, reason=str(error), ts_ns=self._clock_ns()))
            else:
                self._hear(RefusedByVenue(client_id=client_id, reason=str(error), ts_ns=self._clock_ns()))
        finally:
            self._sending.discard(client_id)

    def _delete(self, client_id: str, rest: Rest) -> None:
        venue_id = self._ids.get(client_id)
        if venue_id is None:
            row = rest.order_named(client_id)
            venue_id = self._ids[client_id] = text(row if isinstance(row, dict) else {}, "id")
        rest.delete(f"/orders/{venue_id}")

    def _cancel(self, client_id: str, rest: Rest) -> None:
        """DELETE the order; a cancel may be said again, so it is, when the venue was busy or did not answer."""
        reason = "not known here"
        for _ in range(_CANCEL_TRIES):
            try:
                self._delete(client_id, rest)
                return
            except RefusedError as error:
                reason = str(error)
                if error.status != _TOO_MANY:
                    break
                self._throttle.told(error.wait_s)
                self._closing.wait(error.wait_s)
            except (NoAnswerError, NotSentError, FigureError) as error:
                reason = str(error)
                self._closing.wait(self._settings.times.retry_s)
        self._hear(CancelRefused(client_id=client_id, reason=reason, ts_ns=self._clock_ns()))

    def _cancel_all(self) -> None:
        for _ in range(_CANCEL_TRIES):
            try:
                self._cancels.delete("/orders")
                return
            except RefusedError as error:
                self._throttle.told(error.wait_s)
                self._closing.wait(error.wait_s)
            except (NoAnswerError, NotSentError):
                self._closing.wait(self._settings.times.retry_s)
        self._state(False, "the venue took no cancel of all orders; cancel there, or try again")

    # --- the stream ---------------------------------------------------------------------------------

    def _greet(self, send: Callable[[object], None], receive: Callable[[], Any]) -> None:
        settings = self._settings
        send({"action": "auth", "key": settings.key, "secret": settings.secret})
        self._expect(receive(), "authorization", lambda data: data.get("status") == "authorized")
        send({"action": "listen", "data": {"streams": ["trade_updates"]}})
        self._expect(receive(), "listening", lambda data: "trade_updates" in data.get("streams", []))

    @staticmethod
    def _expect(message: Any, stream: str, holds: Callable[[dict[str, Any]], bool]) -> None:
        data = message.get("data") if isinstance(message, dict) and message.get("stream") == stream else None
        if not isinstance(data, dict) or not holds(data):
            raise FigureError(f"{stream} was wanted, not {str(message)[:200]}")

    def _take(self, message: Any) -> None:
        if not isinstance(message, dict) or message.get("stream") != "trade_updates":
            return
        data = message.get("data")
        if not isinstance(data, dict):
            raise FigureError("trade_updates without data")
        for news in update(data, self._listings):
            if isinstance(news, Acknowledged):
                self._ids[news.client_id] = news.venue_id
            if isinstance(news, Filled):
                self._follow(news, data)
            self._hear(news)

    def _follow(self, news: Filled, data: dict[str, Any]) -> None:
        """The stream has no numbers, but each execution says how much is done: one that is missing shows."""
        said = str(data.get("execution_id"))
        if self._executions.setdefault(news.exec_id, said) != said:
            raise FigureError(f"two executions of {news.client_id} end at one quantity; ask for a report")
        done = self._listings.here(news.symbol).lots(decimal(data["order"]["filled_qty"], "filled_qty"))
        before, after = self._done.get(news.client_id, 0), abs(news.lots)
        self._done[news.client_id] = max(before, done)
        if done > before + after:
            self._hear(news)
            raise FigureError(
                f"order {news.client_id}: {done} lots are done, {before + after} were told; ask for a report"
            )

    def _state(self, is_up: bool, reason: str) -> None:
        self._is_up = is_up
        self._hear(Connection(venue=self.name, is_up=is_up, reason=reason, ts_ns=self._clock_ns()))


def _open(sender: Sender | None) -> Sender:
    if sender is None:
        raise VenueError("alpaca is not open; nothing was sent")
    return sender
