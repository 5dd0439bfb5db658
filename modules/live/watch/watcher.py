"""Looks at an account: asks the risk core and the desk as a viewer, follows the desk's journal. One thread."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from modules.live.desk.asking import Stand
from modules.live.desk.client import DeskClient, DeskUnavailableError
from modules.live.desk.desk import KEPT_DAYS
from modules.live.journal.opening import Store, read_along
from modules.live.journal.port import Entry, JournalError
from modules.live.messages import Hello, Marked, Status, VenueNews
from modules.live.orders import ids
from modules.live.orders.fold import Fold
from modules.live.orders.order import Order
from modules.live.place import Place
from modules.live.risk.limits import HARD_STALE_MS, LimitsError
from modules.live.riskd.client import RiskClient, RiskSilentError, RiskUnavailableError
from modules.live.riskd.config import ConfigError, load_config
from modules.live.units import DAY_NS
from modules.live.watch.seen import MOST_KEPT, Seen, Tally

EVERY_S: Final = 0.25
"""How often status and stand are asked for."""

ANSWER_S: Final = 0.5
"""How long each may take to answer."""

MOST_BEHIND: Final = 2_000
"""News that a listener has not taken; beyond it he is let go."""


@dataclass
class Watcher:
    """One account. `entries_heard`: told of every entry of the journal, in order (spans are made of them)."""

    place: Place
    clock_ns: Callable[[], int] = time.time_ns
    entries_heard: list[Callable[[Entry], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._risk: RiskClient | None = None
        self._desk: DeskClient | None = None
        self._fold, self._tally = Fold(self.place.account), Tally()
        self._shown_tally = Tally()
        self._marks: dict[str, Marked] = {}
        self._status: Status | None = None
        self._stand: Stand | None = None
        self._why: dict[str, str | None] = {"riskd": "not asked yet", "desk": "not asked yet", "journal": None}
        self._orders: tuple[Order, ...] = ()
        self._paid: dict[str, int] = {}
        self._paid_before: dict[str, int] = {}  # by orders that are forgotten
        self._day = 0
        self._asked_at = float("-inf")
        self._stale_ns, self._lot_sizes, store = _configured(self.place)
        self._reader = read_along(self.place.journal, f"{self.place.account}-desk", store)

    def look(self, wait_s: float = 0.0) -> list[VenueNews]:
        """Look once; waits up to `wait_s` for news, and returns them. `seen` is what is known then."""
        news: list[VenueNews] = []
        if self._risk is not None:
            try:
                news = self._risk.news(wait_s)
            except RiskUnavailableError as error:
                self._no_risk(str(error))
        elif wait_s > 0.0:
            time.sleep(wait_s)
        for told in news:
            if type(told) is Marked:
                self._marks[told.symbol] = told
        now = time.monotonic()
        if now - self._asked_at >= EVERY_S:
            self._asked_at = now
            self._ask_risk()
            self._ask_desk()
        self._follow()
        return news

    @property
    def seen(self) -> Seen:
        """What is known now."""
        return Seen(
            account=self.place.account,
            at_ns=self.clock_ns(),
            riskd=self._why["riskd"],
            desk=self._why["desk"],
            journal=self._why["journal"],
            status=self._status,
            stand=self._stand,
            marks=dict(self._marks),
            orders=self._orders,
            stale_ns=self._stale_ns,
            paid_micros=self._paid,
            lot_sizes=self._lot_sizes,
            tally=self._shown_tally,
        )

    def close(self) -> None:
        """Hang up."""
        for client in (self._risk, self._desk):
            if client is not None:
                client.close()
        self._risk = self._desk = None

    # --- one of them each ---------------------------------------------------------------------------

    def _ask_risk(self) -> None:
        try:
            if self._risk is None:
                # A viewer is let in whatever it says of mode and build; the answer tells what they are.
                hello = Hello("viewer", "paper", "", self.place.account)
                self._risk = RiskClient.connect(self.place.riskd, hello, ANSWER_S)
            self._status = self._risk.status()
            self._why["riskd"] = None
            for p in self._status.positions:  # prices that were said before this watch began
                if p.price is not None and p.price_ns is not None and p.symbol not in self._marks:
                    self._marks[p.symbol] = Marked(p.symbol, p.price, p.price_ns)
        except (RiskUnavailableError, RiskSilentError) as error:
            self._no_risk(str(error))

    def _no_risk(self, why: str) -> None:
        if self._risk is not None:
            self._risk.close()
        self._risk, self._status, self._why["riskd"] = None, None, why

    def _ask_desk(self) -> None:
        try:
            if self._desk is None:
                self._desk = DeskClient(self.place.desk, ANSWER_S)
            self._stand = self._desk.stand()
            self._why["desk"] = None
        except DeskUnavailableError as error:
            if self._desk is not None:
                self._desk.close()
            self._desk, self._stand, self._why["desk"] = None, None, str(error)

    def _follow(self) -> None:
        """Take in what the journal has that was not taken in yet. One that broke stays broken until a restart."""
        if self._why["journal"] is not None:
            return
        came = False
        try:
            for entry in self._reader.new():
                came = True
                self._fold.take(entry.message)
                self._tally.take(entry)
                for heard in self.entries_heard:
                    heard(entry)
        except JournalError as error:
            self._why["journal"] = str(error)
        if came:
            self._forget()
            self._orders, self._paid = _shown(self._fold, self._paid_before)
            self._shown_tally = self._tally.copy()

    def _forget(self) -> None:
        """Let go of what ended days ago, as the desk does; what it cost stays."""
        newest = next(reversed(self._fold.book.orders), None)
        if newest is None or not ids.is_of(self.place.account, newest):
            return
        day = ids.decided_ns(newest) // DAY_NS
        if day <= self._day:
            return
        self._day, before_ns = day, (day - KEPT_DAYS) * DAY_NS
        known = dict(self._fold.book.orders)
        self._fold.forget(before_ns)
        for client_id in known.keys() - self._fold.book.orders.keys():
            gone = known[client_id]
            symbol = gone.ticket.symbol
            if gone.fills:
                self._paid_before[symbol] = self._paid_before.get(symbol, 0) + gone.paid_micros
        self._tally.forget(before_ns)


def _configured(place: Place) -> tuple[int, dict[str, float], Store]:
    """How old a price may be, ns; lot sizes; where journals are. Defaults where the account's file cannot be read."""
    try:
        config = load_config(place.folder)
        return (
            config.in_force().stale_ms * 1_000_000,
            {row.symbol: row.lot_size for row in config.instruments},
            config.journal,
        )
    except (ConfigError, LimitsError):
        return HARD_STALE_MS * 1_000_000, {}, Store()


def _shown(fold: Fold, before: Mapping[str, int]) -> tuple[tuple[Order, ...], dict[str, int]]:
    """Those that may be open, then the last that ended, the newest first; and what each symbol's fills cost."""
    open_: list[Order] = []
    ended: list[Order] = []
    paid = dict(before)
    for order in reversed(fold.book.orders.values()):
        if order.fills:
            symbol = order.ticket.symbol
            paid[symbol] = paid.get(symbol, 0) + order.paid_micros
        if order.is_open:
            open_.append(order)
        elif len(ended) < MOST_KEPT:
            ended.append(order)
    return (*open_, *ended), paid


class WatchThread:
    """A watcher in a thread of its own. `seen` may be read from any thread; listeners get news through queues."""

    def __init__(self, watcher: Watcher, each: Callable[[Seen], None] = lambda _seen: None) -> None:
        self._watcher, self._each = watcher, each
        self._lock = threading.Lock()
        self._listeners: list[queue.Queue[VenueNews | None]] = []
        self._seen = watcher.seen
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="cws-watch", daemon=True)
        self._thread.start()

    @property
    def seen(self) -> Seen:
        """What was seen last."""
        return self._seen

    def listen(self) -> queue.Queue[VenueNews | None]:
        """News from now on. None is the last: the watch ended, or the listener was too slow."""
        made: queue.Queue[VenueNews | None] = queue.Queue(MOST_BEHIND + 1)
        with self._lock:
            self._listeners.append(made)
        return made

    def leave(self, listener: queue.Queue[VenueNews | None]) -> None:
        """No more news for this one."""
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)

    def close(self) -> None:
        """End the thread; every listener hears None."""
        self._ended.set()
        self._thread.join(5.0)

    def _work(self) -> None:
        while not self._ended.is_set():
            news = self._watcher.look(EVERY_S)
            self._seen = seen = self._watcher.seen
            self._each(seen)
            if news:
                self._tell(news)
        self._watcher.close()
        with self._lock:
            for listener in self._listeners:
                _end(listener)

    def _tell(self, news: list[VenueNews]) -> None:
        with self._lock:
            for listener in list(self._listeners):
                if listener.qsize() + len(news) > MOST_BEHIND:
                    self._listeners.remove(listener)
                    _end(listener)
                    continue
                for told in news:
                    listener.put_nowait(told)


def _end(listener: queue.Queue[VenueNews | None]) -> None:
    """None as the last one; there is always room for it."""
    listener.put_nowait(None)
