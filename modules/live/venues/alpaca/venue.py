"""Alpaca as a venue: orders and cancels each have a thread and a REST client, updates and quotes a stream each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from modules.live.messages import Acknowledged, Ask, BuyingPower, Filled, Report
from modules.live.venues.alpaca.quotes import Quotes
from modules.live.venues.alpaca.rest import Rest
from modules.live.venues.alpaca.words import held, new_order, reported, text, update
from modules.live.venues.exact import FigureError, Listings, decimal, micros
from modules.live.venues.overhttp import Body, NoAnswerError, OverHttp
from modules.live.venues.port import Hear, VenueError
from modules.live.venues.stream import Stream, Times

PAPER_URL: Final = "https://paper-api.alpaca.markets"
LIVE_URL: Final = "https://api.alpaca.markets"
QUOTES_URL: Final = "wss://stream.data.alpaca.markets/v2/iex"


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


class AlpacaVenue(OverHttp):
    """One account at Alpaca."""

    name = "alpaca"

    def __init__(
        self, settings: AlpacaSettings, listings: Listings, clock_ns: Callable[[], int] = time.time_ns
    ) -> None:
        super().__init__(settings.timeout_s, settings.times.retry_s, clock_ns)
        self._settings, self._listings = settings, listings
        self._of_thread = threading.local()
        self._ids: dict[str, str] = {}
        self._updates: Stream | None = None
        self._quotes: Quotes | None = None

    # --- the port -----------------------------------------------------------------------------------

    def open(self, hear: Hear) -> None:
        """Look at the account, then listen. Raises VenueError."""
        account: Any = self._answer(lambda: self._rest.get("/account"))
        blocked = [f for f in ("trading_blocked", "account_blocked", "trade_suspended_by_user") if account.get(f)]
        if blocked:
            raise VenueError(f"{self.name}: the account says {', '.join(blocked)}; clear that at the venue first")
        self._start(hear)
        settings, url = self._settings, self._settings.updates_url
        self._updates = Stream(
            "alpaca-updates", url, settings.times, greet=self._greet, take=self._take, state=self._state
        )
        refused = self._updates.start()
        if refused is None and settings.quotes_url is not None:
            url = settings.quotes_url
            self._quotes = Quotes(url, settings.key, settings.secret, settings.times, self._listings)
            refused = self._quotes.start(hear)
        if refused is not None:
            self.close()
            raise VenueError(f"{url}: {refused}; check address and keys")

    def report(self) -> Report:
        """Ask for orders, executions, positions and cash."""
        since = datetime.now(UTC) - timedelta(days=self._settings.days)
        rest, before = self._rest, dict(self._done)

        def ask() -> tuple[list[Any], list[Any], list[Any], Any]:
            rows = {row.get("id"): row for row in rest.orders("open", "2000-01-01T00:00:00Z")}
            oldest = min([since.isoformat(), *(str(r.get("submitted_at")) for r in rows.values())])
            rows |= {row.get("id"): row for row in rest.orders("all", since.isoformat())}
            fills = list(rest.executions(oldest))
            return list(rows.values()), fills, list(rest.get("/positions") or []), rest.get("/account")

        rows, fills, positions, account = self._answer(ask)
        try:
            report = self._report(rows, fills, positions, account, before)
            power = micros(decimal(account.get("buying_power"), "buying_power"))
        except FigureError as error:
            raise VenueError(f"{self.name}: the report cannot be read: {error}") from error
        self._hear(BuyingPower(micros=power, ts_ns=self._clock_ns()))
        return report

    def close(self) -> None:
        """Let what is queued out, then hang up."""
        self._end()
        for stream in (self._updates, self._quotes):
            if stream is not None:
                stream.close()

    def _report(
        self, rows: list[Any], fills: list[Any], positions: list[Any], account: Any, before: dict[str, int]
    ) -> Report:
        by_order: dict[str, list[Any]] = {}
        for fill in fills:
            by_order.setdefault(text(fill, "order_id"), []).append(fill)
        orders, complete = [], True
        for row in rows:
            order, whole = reported(row, by_order.get(text(row, "id"), []), self._listings)
            self._ids[order.client_id] = text(row, "id")
            self._reported(order.client_id, abs(sum(f.lots for f in order.fills)), before)
            orders.append(order)
            complete = complete and whole
        return Report(
            venue=self.name, orders=tuple(orders), positions=held(positions, self._listings),
            cash_micros=micros(decimal(account.get("cash"), "cash")), complete=complete, ts_ns=self._clock_ns(),
        )  # fmt: skip

    # --- the requests -------------------------------------------------------------------------------

    @property
    def _rest(self) -> Rest:
        """A client for each thread: its connections are not to be shared."""
        found: Rest | None = getattr(self._of_thread, "rest", None)
        if found is None:
            s = self._settings
            found = self._of_thread.rest = Rest(s.key, s.secret, s.url, s.timeout_s)
        return found

    def _ready(self) -> None:
        _ = self._rest

    def _body(self, ask: Ask, lots: int) -> Body:
        return new_order(ask, lots, self._listings.here(ask.symbol))

    def _place(self, client_id: str, body: Body) -> str:
        answer = self._rest.post("/orders", dict(body))
        if not isinstance(answer, dict) or answer.get("client_order_id") != client_id:
            raise NoAnswerError(f"the answer is not about order {client_id}: {str(answer)[:200]}")
        self._ids[client_id] = text(answer, "id")
        return self._ids[client_id]

    def _delete(self, client_id: str) -> None:
        venue_id = self._ids.get(client_id)
        if venue_id is None:
            row = self._rest.order_named(client_id)
            venue_id = self._ids[client_id] = text(row if isinstance(row, dict) else {}, "id")
        self._rest.delete(f"/orders/{venue_id}")

    def _delete_all(self) -> None:
        self._rest.delete("/orders")

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
                listing = self._listings.there(data["order"]["symbol"])
                done = listing.lots(decimal(data["order"]["filled_qty"], "filled_qty"))
                self._executed(news, str(data.get("execution_id")), done)
            else:
                self._hear(news)
