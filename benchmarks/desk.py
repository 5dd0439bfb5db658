"""Order management: an order's whole way through the desk with the journal on, paced and at full speed."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path

from benchmarks.common import Row, on_processor
from modules.live.desk.collector import calm_collector
from modules.live.desk.desk import Desk, Identity
from modules.live.journal.file import FileJournal
from modules.live.messages import Acknowledged, Ask, Filled, Report, Ruled, VenueNews
from modules.live.orders.ids import client_id
from modules.live.orders.order import Ticket

WHO = Identity("bench", "paper", "b")
PACE = 907
PACED, FLAT_OUT = 4_000, 20_000


class FillingLink:
    """A risk core and a venue that take no time: every order is let out, acknowledged and filled."""

    def __init__(self) -> None:
        self._news: list[VenueNews] = []

    def ask(self, ask: Ask) -> Ruled:
        self._news.append(Acknowledged(ask.client_id, "v", 1))
        self._news.append(
            Filled(ask.client_id, f"e-{ask.client_id}", ask.symbol, ask.lots, 50.0, ask.lots * 50_000_000, 0, 1)
        )
        return Ruled(ask.client_id, 0, 0, ask.lots, None, None, 1)

    def rehearse(self, ask: Ask) -> None:
        pass

    def news(self, timeout_s: float) -> list[VenueNews]:
        news, self._news = self._news, []
        return news

    def report(self) -> Report:
        return Report("sim", (), {}, 0, True, 1)

    def cancel(self, client_id: str) -> None:
        pass

    def cancel_all(self, by: str, reason: str) -> None:
        pass

    def close(self) -> None:
        pass


def ticket(n: int) -> Ticket:
    symbol = f"S{n % 500}.NASDAQ"
    return Ticket(client_id("bench", "alpha", n, symbol), "alpha", symbol, 100 if n % 2 else -100, "sim")


def quantile(values: list[float], share: float) -> float:
    """The value that `share` of them do not exceed."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def rows() -> list[Row]:
    """An order's way: recorded, asked for, its ruling recorded, its acknowledgement and fill recorded and taken in."""
    folder = Path(tempfile.mkdtemp(prefix="desk"))
    try:
        with on_processor(0), FileJournal(folder / "journal") as journal:
            desk = Desk(WHO, FillingLink, journal)
            desk.recover()
            calm_collector()
            paced = _paced(desk)
            seconds = _flat_out(desk, journal)
    finally:
        shutil.rmtree(folder)
    return [
        Row(f"order management at {PACE}/s, journal on: p50", quantile(paced, 0.5) * 1e6, "us"),
        Row(f"order management at {PACE}/s, journal on: p99", quantile(paced, 0.99) * 1e6, "us", goal=228.0),
        Row(
            "orders managed a second, durable in the end", FLAT_OUT / seconds, "1/s", goal=5_000.0, sense="at_least"
        ),
    ]  # fmt: skip


def _paced(desk: Desk) -> list[float]:
    times = []
    due = time.perf_counter()
    for n in range(PACED):
        made = ticket(n)
        due += 1.0 / PACE
        while time.perf_counter() < due:
            desk.rehearse()
        began = time.perf_counter()
        desk.submit(made)
        desk.poll(0.0)
        times.append(time.perf_counter() - began)
    return times


def _flat_out(desk: Desk, journal: FileJournal) -> float:
    made = [ticket(n) for n in range(PACED, PACED + FLAT_OUT)]
    began = time.perf_counter()
    for one in made:
        desk.submit(one)
        desk.poll(0.0)
    journal.sync()
    return time.perf_counter() - began
