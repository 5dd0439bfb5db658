"""Tick to order: from a quote in the desk's process to the order's bytes written by the risk core's process.

Two processes, each on a processor of its own, as in life: the desk passes the quote through gates into the market,
decides, records the asking in its journal and asks over the Unix socket; the risk core rules, records, and writes the
order to a TCP socket. Both journals are files whose groups are made durable meanwhile, by a thread on the same
processor. Times are of the machine's one monotonic clock.
"""

from __future__ import annotations

import json
import multiprocessing
import shutil
import signal
import socket
import tempfile
import time
from pathlib import Path

import yaml

from benchmarks.common import Row, on_processor
from benchmarks.desk import quantile
from modules.engine.exchange.events import Instrument
from modules.live.desk.desk import Desk, Identity
from modules.live.feeds.dialects.binance import Binance
from modules.live.feeds.market import Market
from modules.live.feeds.symbols import symbol_map
from modules.live.journal.file import FileJournal
from modules.live.messages import Acknowledged, Ask, Connection, Filled, Hello, Marked, Report
from modules.live.orders.ids import client_id
from modules.live.orders.order import Ticket
from modules.live.riskd.client import RiskClient
from modules.live.riskd.config import load_config
from modules.live.riskd.start import served
from modules.live.venues.port import Hear
from modules.live.venues.sim.protocol import NewOrder
from modules.live.wire import encode

SYMBOLS = 50
TICKS = 4_000
WARM = 500
PACE = 500
PRICE = 50.0
STAMPS = "stamps.json"


class WritingVenue:
    """Writes every order to a TCP connection, notes when that was done, and fills it at once."""

    name = "sim"

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stamps: dict[str, int] = {}
        self._hear: Hear = lambda _news: None

    def open(self, hear: Hear) -> None:
        self._hear = hear
        hear(Connection(self.name, True, "opened", time.time_ns()))
        self.mark()

    def mark(self) -> None:
        """Prices anew, as a market would say them."""
        now = time.time_ns()
        for k in range(SYMBOLS):
            self._hear(Marked(symbol(k), PRICE, now))

    def submit(self, ask: Ask, lots: int) -> None:
        self._socket.sendall(encode(NewOrder(ask.client_id, ask.symbol, lots, ask.order_type, ask.time_in_force)))
        self.stamps[ask.client_id] = time.perf_counter_ns()
        now = time.time_ns()
        self._hear(Acknowledged(ask.client_id, ask.client_id, now))
        self._hear(Filled(ask.client_id, ask.client_id, ask.symbol, lots, PRICE, round(lots * PRICE * 1e6), 0, now))
        if len(self.stamps) % 100 == 0:
            self.mark()

    def cancel(self, client_id: str) -> None: ...

    def cancel_all(self) -> None: ...

    def report(self) -> Report:
        return Report(self.name, (), {}, 10_000_000 * 10**6, True, time.time_ns())

    def close(self) -> None:
        self._socket.close()


def symbol(k: int) -> str:
    """One of the instruments."""
    return f"S{k:02d}-USDT.BINANCE"


def risk_core(folder: Path, port: int) -> None:
    """The risk core's process."""
    venue = WritingVenue(port)
    with on_processor(1), served(folder, load_config(folder), venue, "b", limits_file=folder / "limits.yaml") as server:
        signal.signal(signal.SIGTERM, lambda *_: server.stop())
        server.run()
    (folder / STAMPS).write_text(json.dumps(venue.stamps))


def rows() -> list[Row]:
    """The times of `TICKS` orders at `PACE` a second."""
    folder = Path(tempfile.mkdtemp(prefix="tick"))
    try:
        taken = _measure(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    name = f"tick to order, two processes, journals on, {PACE}/s"
    return [
        Row(f"{name}: p50", quantile(taken, 0.5) * 1e6, "us", goal=80.0),
        Row(f"{name}: p99", quantile(taken, 0.99) * 1e6, "us", goal=200.0),
        Row(f"{name}: p99.9", quantile(taken, 0.999) * 1e6, "us"),
    ]


def _measure(folder: Path) -> list[float]:
    _configure(folder)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        core = multiprocessing.get_context("spawn").Process(target=risk_core, args=(folder, port))
        core.start()
        try:
            sink, _ = listener.accept()
            with sink, on_processor(0), FileJournal(folder / "desk" / "journal") as journal:
                sink.setblocking(False)
                began = _trade(folder, journal, sink)
        finally:
            core.terminate()
            core.join(20)
            if core.is_alive():
                core.kill()
    ended = json.loads((folder / STAMPS).read_text())
    return [(ended[i] - at) / 1e9 for i, at in began.items()][WARM:]


def _trade(folder: Path, journal: FileJournal, sink: socket.socket) -> dict[str, int]:
    """When each order's quote was there."""
    who = Identity("bench", "paper", "b")
    hello = Hello("desk", who.mode, who.build, who.account)
    desk = Desk(who, lambda: _connected(folder, hello), journal)
    names = [symbol(k) for k in range(SYMBOLS)]
    dialect = Binance(symbol_map("binance", names), ("bookTicker",))
    market = Market([Instrument(name, 0.01, 1.0) for name in names])
    if desk.recover():
        raise RuntimeError(f"the risk core does not agree: {desk.admission.breaks}")
    began: dict[str, int] = {}
    due = time.perf_counter()
    for n in range(TICKS):
        k = n % SYMBOLS
        side = 1 if n // SYMBOLS % 2 == 0 else -1
        data = {"s": f"S{k:02d}USDT", "b": f"{PRICE - 0.01:.2f}", "B": "100", "a": f"{PRICE + 0.01:.2f}", "A": "100"}
        quote = json.dumps({"stream": f"{data['s'].lower()}@bookTicker", "data": data}).encode()
        due += 1.0 / PACE
        while time.perf_counter() < due:
            desk.poll(0.0)
            desk.rehearse()
        now = time.time_ns()
        decoded = dialect.decode(quote, now)
        at = time.perf_counter_ns()
        market.take("binance", decoded)
        mark = market.marks[names[k]]
        wanted = side * int(500.0 / mark.price)
        made = client_id("bench", "alpha", now, mark.symbol)
        outcome = desk.submit(Ticket(made, "alpha", mark.symbol, wanted, "sim"))
        if outcome.status != "sent":
            raise RuntimeError(f"order {n} was {outcome}")
        began[made] = at
        desk.poll(0.0)
        if n % 200 == 0:
            _drain(sink)
    desk.close()
    return began


def _connected(folder: Path, hello: Hello) -> RiskClient:
    deadline = time.monotonic() + 60.0
    while True:
        try:
            return RiskClient.connect(folder / "riskd.sock", hello, 5.0)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _drain(sink: socket.socket) -> None:
    try:
        while sink.recv(1 << 20):
            pass
    except BlockingIOError:
        return


def _configure(folder: Path) -> None:
    instruments = [
        {"symbol": symbol(k), "sector": f"s{k % 11}", "sigma_day": 0.02, "adv_lots": 10**7, "located_lots": 10**6}
        for k in range(SYMBOLS)
    ]
    account = {
        "account": "bench", "mode": "paper", "venue": {"name": "sim"}, "instruments": instruments,
        "limits": {"strategies": {"alpha": 5_000_000.0}}, "spin_ms": 20.0,
    }  # fmt: skip
    limits = {
        "messages_a_second": 1000, "repeats_a_minute": 120, "max_leverage": 2.0, "stale_ms": 60000,
        "order_types": ["market"], "times_in_force": ["day"], "venues": ["sim"], "deadline_ms": 1000,
    }  # fmt: skip
    (folder / "riskd.yaml").write_text(yaml.safe_dump(account))
    (folder / "limits.yaml").write_text(yaml.safe_dump(limits))
