"""Bybit as a venue: requests through ccxt, orders and executions by the private stream."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from modules.live.messages import Ask, BuyingPower, Report
from modules.live.units import DAY_NS
from modules.live.venues.crypto.quotes import Quotes
from modules.live.venues.crypto.rest import CATEGORY, MONEY, Rest
from modules.live.venues.crypto.words import (
    TRADES,
    client_of,
    execution,
    funding,
    held,
    lots_done,
    new_order,
    order_news,
    reported,
    text,
)
from modules.live.venues.exact import FigureError, Listings, decimal, micros
from modules.live.venues.overhttp import Body, NoAnswerError, OverHttp, RefusedError
from modules.live.venues.port import Hear, VenueError
from modules.live.venues.stream import Stream, Times

LIVE_STREAM: Final = "wss://stream.bybit.com/v5/private"
DEMO_STREAM: Final = "wss://stream-demo.bybit.com/v5/private"
QUOTES_STREAM: Final = "wss://stream.bybit.com/v5/public/linear"
_INSTRUMENTS: Final = "public_get_v5_market_instruments_info"
_DAY_MS: Final = 86_400_000
_LONGEST_WINDOW_DAYS: Final = 7


@dataclass(frozen=True)
class CryptoSettings:
    """Keys, addresses (None = Bybit's own) and times. `days`: how far back a report goes, 7 at most."""

    key: str = field(repr=False)
    secret: str = field(repr=False)
    is_paper: bool = True
    url: str | None = None
    stream_url: str | None = None
    quotes_url: str | None = QUOTES_STREAM
    timeout_s: float = 10.0
    days: int = 3
    times: Times = field(default_factory=lambda: Times(ping_s=20.0))

    def __post_init__(self) -> None:
        if not 1 <= self.days <= _LONGEST_WINDOW_DAYS:
            raise ValueError(f"days {self.days}: Bybit lists 1 to {_LONGEST_WINDOW_DAYS} at a time")


class CryptoVenue(OverHttp):
    """One unified account at Bybit, in USDT perpetuals and one-way mode."""

    name = "ccxt"

    def __init__(
        self, settings: CryptoSettings, listings: Listings, clock_ns: Callable[[], int] = time.time_ns
    ) -> None:
        super().__init__(settings.timeout_s, settings.times.retry_s, clock_ns)
        self._settings, self._listings = settings, listings
        self._of_thread = threading.local()
        self._natives: dict[str, str] = {}
        self._days: dict[str, int] = {}
        self._news: Stream | None = None
        self._quotes: Quotes | None = None

    # --- the port -----------------------------------------------------------------------------------

    def open(self, hear: Hear) -> None:
        """Compare what is listed here with the exchange's own steps, then listen. Raises VenueError."""
        for listing in self._listings:
            self._agree(listing.symbol, self._answer(functools.partial(self._steps, listing.native)))
        self._start(hear)
        settings = self._settings
        url = settings.stream_url or (DEMO_STREAM if settings.is_paper else LIVE_STREAM)
        self._news = Stream(
            "ccxt-news", url, settings.times, greet=self._greet, take=self._take, state=self._state,
            beat=self._beat,
        )  # fmt: skip
        refused = self._news.start()
        if refused is None and settings.quotes_url is not None:
            url = settings.quotes_url
            self._quotes = Quotes(url, settings.times, self._listings)
            refused = self._quotes.start(hear)
        if refused is not None:
            self.close()
            raise VenueError(f"{url}: {refused}; check address and keys")

    def report(self) -> Report:
        """Ask for orders, executions, positions and the wallet."""
        before = dict(self._done)
        now_ms = self._clock_ns() // 1_000_000
        window = {"startTime": str(now_ms - self._settings.days * _DAY_MS), "endTime": str(now_ms + 60_000)}
        every = {"category": CATEGORY, "settleCoin": MONEY}

        def ask() -> tuple[list[Any], list[Any], list[Any], Any]:
            rest, rows = self._rest, {}
            for method, query in (
                ("private_get_v5_order_history", {"category": CATEGORY, "limit": "50", **window}),
                ("private_get_v5_order_realtime", {**every, "limit": "50", "openOnly": "1"}),
                ("private_get_v5_order_realtime", {**every, "limit": "50", "openOnly": "0"}),
            ):
                rows.update({row.get("orderId"): row for row in rest.pages(method, **query)})
            fills = list(rest.pages("private_get_v5_execution_list", category=CATEGORY, limit="100", **window))
            positions = list(rest.pages("private_get_v5_position_list", **every, limit="200"))
            wallet = rest.ask("private_get_v5_account_wallet_balance", accountType="UNIFIED")
            return list(rows.values()), fills, positions, wallet

        rows, fills, positions, wallet = self._answer(ask)
        try:
            report, power = self._report(rows, fills, positions, wallet, before)
        except FigureError as error:
            raise VenueError(f"{self.name}: the report cannot be read: {error}") from error
        self._hear(BuyingPower(micros=power, ts_ns=self._clock_ns()))
        return report

    def close(self) -> None:
        """Let what is queued out, then hang up."""
        self._end()
        for stream in (self._news, self._quotes):
            if stream is not None:
                stream.close()

    def _report(
        self, rows: list[Any], fills: list[Any], positions: list[Any], wallet: Any, before: dict[str, int]
    ) -> tuple[Report, int]:
        by_order: dict[str, dict[str, Any]] = {}
        for row in fills:
            if row.get("execType") in TRADES:
                fill = execution(row, self._listings)
                by_order.setdefault(text(row, "orderId"), {})[fill.exec_id] = fill
        orders, complete = [], True
        for row in rows:
            of_order = by_order.pop(text(row, "orderId"), {})
            order, whole = reported(row, of_order.values(), self._listings)
            self._natives[order.client_id] = text(row, "symbol")
            self._reported(order.client_id, abs(sum(f.lots for f in order.fills)), before)
            orders.append(order)
            complete = complete and whole
        lots, cost = held(positions, self._listings)
        accounts = wallet.get("list") or [{}]
        coins = {c.get("coin"): c for c in accounts[0].get("coin", [])}
        balance = decimal(coins.get(MONEY, {}).get("walletBalance") or "0", "walletBalance")
        power = micros(decimal(accounts[0].get("totalAvailableBalance") or "0", "totalAvailableBalance"))
        report = Report(
            venue=self.name, orders=tuple(orders), positions=lots, cash_micros=micros(balance - cost),
            complete=complete and not by_order, ts_ns=self._clock_ns(),
        )  # fmt: skip
        return report, power

    def _steps(self, native: str) -> list[Any]:
        return list(self._rest.pages(_INSTRUMENTS, category=CATEGORY, symbol=native))

    def _agree(self, symbol: str, found: list[Any]) -> None:
        """Raises VenueError where a lot or a tick of ours is no multiple of the exchange's."""
        listing = self._listings.here(symbol)
        try:
            if len(found) != 1 or found[0].get("symbol") != listing.native:
                raise FigureError(f"{listing.native} is not listed there")
            step = decimal(found[0]["lotSizeFilter"]["qtyStep"], "qtyStep")
            tick = decimal(found[0]["priceFilter"]["tickSize"], "tickSize")
            if listing.lot % step or listing.tick % tick:
                raise FigureError(f"lot {listing.lot} or tick {listing.tick} is no multiple of {step} or {tick}")
        except (FigureError, KeyError, TypeError, ArithmeticError) as error:
            raise VenueError(f"{self.name} {symbol}: {error}; list it as the exchange does") from error

    # --- the requests -------------------------------------------------------------------------------

    @property
    def _rest(self) -> Rest:
        """A client for each thread: its connections are not to be shared."""
        found: Rest | None = getattr(self._of_thread, "rest", None)
        if found is None:
            s = self._settings
            found = self._of_thread.rest = Rest(s.key, s.secret, s.url, s.timeout_s, is_paper=s.is_paper)
        return found

    def _ready(self) -> None:
        _ = self._rest

    def _body(self, ask: Ask, lots: int) -> Body:
        body = new_order(ask, lots, self._listings.here(ask.symbol))
        self._natives[ask.client_id] = body["symbol"]
        if ask.order_type == "limit" and ask.time_in_force == "day":
            self._days[ask.client_id] = self._clock_ns() // DAY_NS
        return body

    def _place(self, client_id: str, body: Body) -> str:
        answer = self._rest.ask("private_post_v5_order_create", **body)
        if answer.get("orderLinkId") != client_id:
            raise NoAnswerError(f"the answer is not about order {client_id}: {str(answer)[:200]}")
        return text(answer, "orderId")

    def _delete(self, client_id: str) -> None:
        native = self._natives.get(client_id)
        if native is None:
            query = {"category": CATEGORY, "settleCoin": MONEY, "orderLinkId": client_id}
            rows = list(self._rest.pages("private_get_v5_order_realtime", **query))
            if not rows:
                raise RefusedError(f"the venue has no open order {client_id}")
            native = self._natives[client_id] = text(rows[0], "symbol")
        query = {"category": CATEGORY, "symbol": native, "orderLinkId": client_id}
        self._rest.ask("private_post_v5_order_cancel", **query)

    def _delete_all(self) -> None:
        self._rest.ask("private_post_v5_order_cancel_all", category=CATEGORY, settleCoin=MONEY)

    # --- the stream ---------------------------------------------------------------------------------

    def _greet(self, send: Callable[[object], None], receive: Callable[[], Any]) -> None:
        expires = str(self._clock_ns() // 1_000_000 + 10_000)
        signature = self._rest.signature(f"GET/realtime{expires}")
        send({"op": "auth", "args": [self._rest.key, expires, signature]})
        self._expect(receive(), "auth")
        send({"op": "subscribe", "args": ["order", "execution"]})
        self._expect(receive(), "subscribe")

    @staticmethod
    def _expect(message: Any, op: str) -> None:
        if not isinstance(message, dict) or message.get("op") != op or message.get("success") is not True:
            raise FigureError(f"{op} was to succeed, not {str(message)[:200]}")

    def _take(self, message: Any) -> None:
        topic, rows = (message.get("topic"), message.get("data")) if isinstance(message, dict) else (None, None)
        if topic not in ("order", "execution"):
            return
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise FigureError(f"{topic} without rows: {str(message)[:200]}")
        for row in rows:
            if row.get("category") != CATEGORY:
                continue
            if topic == "order":
                for news in order_news(row):
                    self._hear(news)
            elif row.get("execType") in TRADES:
                self._executed(execution(row, self._listings), text(row, "execId"), lots_done(row, self._listings))
            elif row.get("execType") == "Funding":
                self._hear(funding(row, self._listings))
            if topic == "order" and row.get("orderStatus") not in ("New", "PartiallyFilled"):
                self._days.pop(client_of(row), None)

    def _beat(self) -> object:
        """That we are there; and end the orders of days that are over."""
        today = self._clock_ns() // DAY_NS
        for client_id in [i for i, day in list(self._days.items()) if day < today]:
            self.cancel(client_id)
            self._days.pop(client_id, None)
        return {"op": "ping"}
