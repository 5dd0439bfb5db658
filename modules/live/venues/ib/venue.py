"""Interactive Brokers as a venue: ib_async's client in a thread of its own, which alone touches it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ib_async.client import Client

from modules.live.messages import (
    Ask,
    BuyingPower,
    CancelRefused,
    Connection,
    Corrected,
    Filled,
    Lost,
    Moved,
    RefusedByVenue,
    Report,
    VenueNews,
)
from modules.live.venues.exact import FigureError, Listings
from modules.live.venues.ib import words
from modules.live.venues.ib.asking import Questions
from modules.live.venues.ib.ears import Ears, StrictDecoder
from modules.live.venues.ib.executions import Executions
from modules.live.venues.ib.orders import Orders
from modules.live.venues.ib.quotes import Quotes
from modules.live.venues.ib.report import Collected
from modules.live.venues.port import Hear, VenueError
from modules.live.venues.unanswered import Unanswered

_log = logging.getLogger(__name__)
_TICK_S: Final = 0.1
_CLIENT: Any = Client  # the library says no types of it


@dataclass(frozen=True)
class IbSettings:
    """Where TWS or IB Gateway listens, as which client, for which account. `fee_s`: how long fills wait for fees."""

    host: str
    port: int
    client: int
    account: str
    is_paper: bool = True
    market_data: bool = True
    answer_s: float = 5.0
    report_s: float = 30.0
    connect_s: float = 10.0
    fee_s: float = 0.5
    retry_s: float = 1.0
    longest_retry_s: float = 30.0


class IbVenue:
    """One account. The client pages orders at TWS's own limit of messages a second."""

    name = "ib"

    def __init__(self, settings: IbSettings, listings: Listings, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self._settings, self._listings, self._clock_ns = settings, listings, clock_ns
        self._unanswered = Unanswered(settings.answer_s, time.monotonic)
        self._hear: Hear = lambda news: None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: Any = None
        self._thread: threading.Thread | None = None
        self._first, self._closing = threading.Event(), threading.Event()
        self._gone: asyncio.Event | None = None
        self._why = ""
        self._refused: str | None = None
        self._is_up = False
        self._orders = Orders(settings.client)
        self._executions = Executions(settings.account, listings, self._executed, self._later)
        self._quotes = Quotes(listings)
        self._questions = Questions(settings.account, self._executions)
        self._held_cancels: list[str] = []
        self._numbers = itertools.count(1)

    # --- the port -----------------------------------------------------------------------------------

    def open(self, hear: Hear) -> None:
        """Connect to TWS. Raises VenueError where that fails the first time; later it is tried for ever."""
        self._hear = hear
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="ib", daemon=True)
        self._thread.start()
        if not self._first.wait(2 * self._settings.connect_s) or self._refused is not None:
            self.close()
            where = f"{self._settings.host}:{self._settings.port}"
            raise VenueError(
                f"{where}: {self._refused or 'no answer'}; check that TWS runs, its API port and the account"
            )

    def submit(self, ask: Ask, lots: int) -> None:
        """Hand the order to the client's thread."""
        listing = self._listings.here(ask.symbol)
        order = words.new_order(ask, lots, listing, self._settings.account)
        self._standing()
        self._unanswered.sent(ask.client_id)
        self._soon(self._place, ask.client_id, words.contract(listing), order)

    def cancel(self, client_id: str) -> None:
        """Hand the cancel to the client's thread."""
        self._standing()
        self._soon(self._cancel, client_id)

    def cancel_all(self) -> None:
        """Ask TWS for a global cancel: of every order, whoever made it."""
        self._standing()
        self._soon(self._cancel_all)

    def report(self) -> Report:
        """Ask for everything and wait."""
        self._standing()
        collected = Collected(self._listings, self._settings.account)
        self._soon(self._questions.report, collected)
        if not collected.wait(self._settings.report_s):
            self._soon(self._questions.give_up, collected)
            collected.wait(self._settings.report_s)
        if collected.broken is not None:
            raise VenueError(f"{self.name}: {collected.broken}; ask again")
        try:
            report = collected.report(self.name, self._clock_ns())
            power = collected.money("BuyingPower")
        except FigureError as error:
            raise VenueError(f"{self.name}: the report cannot be read: {error}") from error
        self._soon(self._reported, report)
        self._hear(BuyingPower(micros=power, ts_ns=self._clock_ns()))
        return report

    def close(self) -> None:
        """Hang up."""
        self._closing.set()
        with contextlib.suppress(VenueError):
            self._soon(self._leave, "closed here")
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout=5.0)

    def _standing(self) -> None:
        if not self._is_up:
            raise VenueError(f"{self.name}: no connection to the broker; nothing was sent. Wait for Connection")

    def _soon(self, job: Callable[..., None], *args: Any) -> None:
        loop = self._loop
        if loop is None or loop.is_closed():
            raise VenueError(f"{self.name} is not open; nothing was sent")
        try:
            loop.call_soon_threadsafe(job, *args)
        except RuntimeError as error:
            raise VenueError(f"{self.name} is closed; nothing was sent") from error

    # --- the thread: connections --------------------------------------------------------------------

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        wait = self._settings.retry_s
        while not self._closing.is_set():
            was_up = await self._connected()
            if not self._first.is_set():
                self._refused = self._why
                self._first.set()
                return
            wait = self._settings.retry_s if was_up else min(2 * wait, self._settings.longest_retry_s)
            until = time.monotonic() + wait
            while not self._closing.is_set() and time.monotonic() < until:
                await asyncio.sleep(min(_TICK_S, max(0.0, until - time.monotonic())))

    async def _connected(self) -> bool:
        """One connection from beginning to end: whether it stood; `_why` it ended."""
        settings, self._why = self._settings, "the venue hung up"
        self._gone = gone = asyncio.Event()
        self._client = client = _CLIENT(Ears(self))
        client.decoder = StrictDecoder(client.wrapper, self.on_unreadable)
        client.apiEnd += gone.set  # of this connection: the last one's end may be told late
        try:
            await client.connectAsync(settings.host, settings.port, settings.client, settings.connect_s)
            self._check(client.getAccounts())
        except (OSError, TimeoutError, FigureError) as error:
            self._why = f"{type(error).__name__}: {error}"
            client.disconnect()
            return False
        try:
            await self._stands(client, gone)
        except Exception as error:  # noqa: BLE001 a thread that died would look like a venue that says nothing
            _log.exception("ib: the connection ended by a fault of ours")
            self._why = f"{type(error).__name__}: {error}"
        finally:
            client.disconnect()
            self._ended()
        return True

    async def _stands(self, client: Any, gone: asyncio.Event) -> None:
        """From the logon on, until the connection is gone."""
        self._questions.begin(client)
        if self._settings.market_data:
            self._quotes.subscribe(client)
        self._state(True, "logged on")
        self._first.set()
        while not gone.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(gone.wait(), _TICK_S)
            for client_id in self._unanswered.late():
                self._lost(client_id, f"no answer within {self._settings.answer_s} s")

    def _check(self, accounts: list[str]) -> None:
        """Paper accounts begin with D: mode and account must agree. Raises FigureError."""
        account, is_paper = self._settings.account, self._settings.is_paper
        if account not in accounts:
            raise FigureError(f"account {account} is none of {', '.join(accounts)}")
        if account.startswith("D") != is_paper:
            raise FigureError(f"account {account} is {'live' if is_paper else 'paper'}, the mode is the other")

    def _leave(self, why: str) -> None:
        self._why = why
        if self._gone is not None:
            self._gone.set()

    def _ended(self) -> None:
        self._questions.fail(self._why)
        for fill in self._executions.ended():
            self._hear(fill)
        for client_id in self._unanswered.all():
            self._lost(client_id, self._why)
        self._orders.disconnected()
        held, self._held_cancels = self._held_cancels, []
        for client_id in held:
            self._hear(CancelRefused(client_id=client_id, reason=self._why, ts_ns=self._clock_ns()))
        if self._is_up:
            self._state(False, self._why)

    def _state(self, is_up: bool, reason: str) -> None:
        self._is_up = is_up
        self._hear(Connection(venue=self.name, is_up=is_up, reason=reason, ts_ns=self._clock_ns()))

    # --- the thread: what is asked ------------------------------------------------------------------

    def _place(self, client_id: str, contract: Any, order: Any) -> None:
        """The broker would take one id twice: this is where it is not sent twice.

        Nor is what was said to be lost meanwhile: a report may have told already that it never arrived.
        """
        if client_id not in self._unanswered:
            return
        if client_id in self._orders:
            self._unanswered.answered(client_id)
            self._lost(client_id, "the id was used before, so there may be such an order; this one was not sent")
            return
        try:
            order_id = self._client.getReqId()
            self._orders.placed(client_id, order_id)
            self._client.placeOrder(order_id, contract, order)
        except ConnectionError as error:
            self._unanswered.answered(client_id)
            self._lost(client_id, str(error))

    def _cancel(self, client_id: str) -> None:
        number = self._orders.number(client_id)
        if number is None:
            self._held_cancels.append(client_id)
            return
        if isinstance(number, str):
            self._hear(CancelRefused(client_id=client_id, reason=number, ts_ns=self._clock_ns()))
            return
        with contextlib.suppress(ConnectionError):
            self._client.cancelOrder(number)

    def _cancel_all(self) -> None:
        with contextlib.suppress(ConnectionError):
            self._client.reqGlobalCancel()

    def _reported(self, report: Report) -> None:
        for order in report.orders:
            self._orders.reported(order)

    # --- the thread: what is heard ------------------------------------------------------------------

    def _news(self, client_id: str, news: VenueNews) -> None:
        self._unanswered.answered(client_id)
        self._hear(news)

    def _lost(self, client_id: str, reason: str) -> None:
        self._hear(Lost(client_id=client_id, reason=reason, ts_ns=self._clock_ns()))

    def on_order(self, contract: Any, order: Any, state: Any) -> None:
        """An open order: who it is."""
        self._orders.opened(order)
        if self._questions.collected is not None and order.account in ("", self._settings.account):
            self._questions.collected.orders[order.permId] = (contract, order)
            self._questions.collected.states[order.permId] = state.status

    def on_status(self, order_id: int, status: str, filled: float, perm_id: int, client: int) -> None:
        """An order's state."""
        if self._questions.collected is not None:
            self._questions.collected.done[perm_id] = filled
            self._questions.collected.states[perm_id] = status
        news = self._orders.status(order_id, status, perm_id, client, self._clock_ns())
        if news is not None:
            self._news(news.client_id, news)

    def on_execution(self, contract: Any, execution: Any) -> None:
        """An execution, told as soon as its fee is known, or soon after."""
        if self._questions.collected is not None:
            self._questions.collected.execution(contract, execution)
        fill = self._executions.take(contract, execution)
        if fill is not None and self._orders.is_short(
            fill, self._listings.there(contract.symbol).lots(words.exact(execution.cumQty))
        ):  # one was missed: all are asked for
            self._questions.executions()

    def _later(self, job: Callable[[str], None], exec_id: str) -> asyncio.TimerHandle:
        assert self._loop is not None
        return self._loop.call_later(self._settings.fee_s, job, exec_id)

    def _executed(self, news: Filled | Corrected | Moved) -> None:
        if isinstance(news, Moved):
            self._hear(news)
        else:
            self._news(news.client_id, news)

    def on_fee(self, report: Any) -> None:
        """The fee of an execution."""
        if self._questions.collected is not None:
            self._questions.collected.fees[report.execId] = report.commission
        self._executions.fee(report, self._clock_ns(), is_asked=self._questions.collected is not None)

    def on_error(self, request: int, code: int, text: str) -> None:
        """An error of an order, of a cancel, or of the connection behind TWS."""
        at = self._clock_ns()
        if code in words.DOWN and self._is_up:
            self._state(False, f"{code}: {text}")
        elif code in words.UP and not self._is_up:
            self._state(True, f"{code}: {text}")
        if code == words.UP_WITHOUT_DATA and self._settings.market_data:
            self._quotes.subscribe(self._client)
        news = None if request in self._quotes else self._orders.error(request, code, text, at)
        if news is None:
            _log.info("ib: %s: %s", code, text)
        elif isinstance(news, CancelRefused):
            self._hear(news)
        elif isinstance(news, RefusedByVenue):
            self._news(news.client_id, news)

    def on_tick(self, request: int, kind: int, price: float) -> None:
        """A bid or an ask."""
        mark = self._quotes.take(request, kind, price, self._clock_ns())
        if mark is not None:
            self._hear(mark)

    def on_list(self, what: str, row: Any) -> None:
        """A row of a report."""
        if self._questions.collected is not None:
            self._questions.collected.lists[what].append(row)

    def on_end(self, what: str, request: int = 0) -> None:
        """The end of one of a report's lists."""
        if what == "orders":
            self._orders.is_listed = True
            held, self._held_cancels = self._held_cancels, []
            for client_id in held:
                self._cancel(client_id)
        self._questions.ended(what, request)

    def on_unreadable(self, error: Exception) -> None:
        """What a message said is not known: begin anew, and ask."""
        self._leave(f"a message cannot be read: {error}")
