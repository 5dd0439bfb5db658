"""An account's folder with a real risk core beside it, in a process of its own, and a desk that decides on and on."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from modules.live.desk.desk import Desk, Identity
from modules.live.journal.file import FileJournal
from modules.live.messages import Hello, OrderType
from modules.live.orders.ids import client_id, decided_ns
from modules.live.orders.order import Ticket
from modules.live.riskd.client import RiskClient

WHO = Identity("main", "paper", "b1")
HELLO = Hello("desk", "paper", "b1", "main")
FREE = {
    "strategies": {"alpha": 1e6}, "messages_a_second": 1_000, "repeats_a_minute": 120, "stale_ms": 60_000,
    "max_net_nav": 1.0, "deadline_ms": 1_000,
}  # fmt: skip
SYMBOLS = [f"S{n:03}" for n in range(200)]
LISTED = [{"symbol": s, "sector": s, "sigma_day": 0.01, "adv_lots": 10**7, "located_lots": 10**6} for s in SYMBOLS]


def write_account(folder: Path) -> None:
    """What `riskd` needs to know of the account."""
    (folder / "limits.yaml").write_text(yaml.safe_dump(FREE))
    rows = {"account": "main", "mode": "paper", "venue": {"name": "sim"}, "instruments": LISTED}
    (folder / "riskd.yaml").write_text(yaml.safe_dump(rows))


@contextlib.contextmanager
def risk_core(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A risk core's process with a venue that keeps what it was told in a file; killed in the end."""
    line = [sys.executable, "-m", "tests.modules.live.desk.core", str(folder)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


@dataclass(frozen=True)
class Told:
    """What the venue was told, from its own file."""

    orders: dict[str, int]
    positions: dict[str, int]
    open: frozenset[str]


def told(folder: Path) -> Told:
    """The truth. Raises AssertionError where an order came twice."""
    orders: dict[str, int] = {}
    positions: dict[str, int] = {}
    waiting: set[str] = set()
    path = folder / "venue.jsonl"
    for line in path.read_text().splitlines() if path.exists() else ():
        what = json.loads(line)
        if "id" in what:
            assert what["id"] not in orders, f"order {what['id']} was sent twice"
            orders[what["id"]] = what["lots"]
            if what["filled"]:
                positions[what["symbol"]] = positions.get(what["symbol"], 0) + what["lots"]
            else:
                waiting.add(what["id"])
        elif "cancel" in what:
            waiting.discard(what["cancel"])
    return Told(orders, {s: n for s, n in sorted(positions.items()) if n}, frozenset(waiting))


def open_desk(folder: Path) -> Desk:
    """A desk that trades the account once `agreed` says so."""
    return Desk(
        WHO, lambda: RiskClient.connect(folder / "riskd.sock", HELLO, 5.0), FileJournal(folder / "journal"),
        settle_s=0.001, retry_s=0.001,
    )  # fmt: skip


def agreed(desk: Desk, seconds: float = 30.0) -> None:
    """Wait until orders may go out."""
    until = time.monotonic() + seconds
    while desk.cancel_only is not None:
        assert time.monotonic() < until, f"the desk stays cancel-only: {desk.cancel_only}"
        desk.tend()
        desk.poll(0.001)


def check(desk: Desk, folder: Path) -> None:
    """The book, once the venue agrees, is what the venue was told."""
    truth = told(folder)
    assert desk.book.positions == truth.positions
    assert {o.ticket.client_id for o in desk.book.open()} == truth.open
    assert truth.orders.keys() <= desk.book.orders.keys()


def decide(n: int) -> Ticket:
    """The ticket of decision number `n`: the same in every life."""
    chance = random.Random(n)
    symbol, lots = chance.choice(SYMBOLS), chance.choice([-5, -2, 2, 5])
    limit = chance.choice([None, None, 99_000_000 if lots > 0 else 101_000_000])
    kind: OrderType = "market" if limit is None else "limit"
    return Ticket(
        client_id("main", "alpha", n, symbol), "alpha", symbol, lots, "sim", kind, limit_micros=limit
    )  # fmt: skip


def trade(folder: Path, acks: int) -> None:
    """Be a desk until killed: decide, send, cancel what rests. Writes a line to `acks` for what is acknowledged.

    "ready" once it may trade; "id status" of an order once the journal's entry of it is durable.
    """
    desk = open_desk(folder)
    agreed(desk)
    check(desk, folder)
    os.write(acks, b"ready\n")
    known = [decided_ns(i) for i in desk.book.orders]
    n = max(0, max(known, default=0) - 3)  # the last decisions are made again
    waiting: list[tuple[int, bytes]] = []
    while True:
        outcome = desk.submit(decide(n))
        if outcome.status != "held":
            waiting.append((outcome.seq, f"{outcome.client_id} {outcome.status}\n".encode()))
            n += 1
        desk.poll(0.0)
        if n % 7 == 0:
            for order in list(desk.book.open())[:2]:
                desk.cancel(order.ticket.client_id)
        durable = desk.journal.durable
        while waiting and waiting[0][0] <= durable:
            os.write(acks, waiting.pop(0)[1])
        if desk.cancel_only is not None:
            agreed(desk)


def killed_desk(folder: Path, after_s: float) -> list[str]:
    """One life of `trade` in a process that is killed (-9) some time after it was ready; what it acknowledged."""
    reads, writes = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(reads)
            trade(folder, writes)
        except BaseException as error:  # noqa: BLE001 - it is told to the test, whatever it is
            os.write(writes, f"FAILED {type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(1)
    os.close(writes)
    try:
        with os.fdopen(reads, "rb") as acks:
            first = acks.readline().decode()
            assert first == "ready\n", first
            time.sleep(after_s)
            os.kill(pid, signal.SIGKILL)
            lines = acks.read().decode().splitlines(keepends=True)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    failed = [line for line in lines if line.startswith("FAILED")]
    assert not failed, failed
    return [line.strip() for line in lines if line.endswith("\n")]
