"""An account's folder, orders that pass, a risk core in this process (with or without its socket) or in its own."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import yaml

from modules.live.messages import Ask, Hello, Report, VenueNews
from modules.live.riskd.client import RiskClient
from modules.live.riskd.config import SOCKET, load_config
from modules.live.riskd.inbox import Inbox
from modules.live.riskd.rulings import Rulings
from modules.live.riskd.server import Server
from modules.live.riskd.start import prepared, served
from modules.live.venues.port import Venue
from tests.modules.live.riskd.child import RecordingVenue

DESK = Hello("desk", "paper", "b1", "demo")
VIEWER = Hello("viewer", "paper", "", "demo")
KILLER = Hello("kill", "paper", "", "demo")
START_S = 60.0
PATIENCE_S = 60.0
"""For what must happen, however loaded the machine is."""


@contextlib.contextmanager
def folder(**limits: object) -> Iterator[Path]:
    """An account named demo in a path short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="rd") as name:
        place = Path(name) / "demo"
        place.mkdir()
        write(place, **limits)
        yield place


def write(place: Path, **limits: object) -> None:
    """The account's files. `limits` go into the limits' file."""
    account = {
        "account": "demo",
        "mode": "paper",
        "venue": {"name": "sim"},
        "instruments": [
            {"symbol": s, "sector": "tech", "sigma_day": 0.02, "adv_lots": 10**7, "located_lots": 10**6}
            for s in ("AAA", "BBB")
        ],
        "limits": {"strategies": {"alpha": 500_000.0}},
    }
    (place / "riskd.yaml").write_text(yaml.safe_dump(account))
    loose = {"messages_a_second": 1_000, "repeats_a_minute": 120, "stale_ms": 60_000, "deadline_ms": 1_000}
    (place / "limits.yaml").write_text(yaml.safe_dump(loose | limits))


_count = 0


def order(lots: int = 10, symbol: str = "AAA", **changed: object) -> Ask:
    """An order that passes, sent now."""
    global _count  # client ids of one process differ
    _count += 1
    usual = {"client_id": f"c{_count}", "strategy": "alpha", "venue": "sim", "mode": "paper", "build": "b1"}
    return Ask(**(usual | {"symbol": symbol, "lots": lots, "sent_ns": time.time_ns()} | changed))  # type: ignore[arg-type]


def resting(lots: int = 10, price: float = 99.0, symbol: str = "AAA") -> Ask:
    """A limit order that the venue keeps."""
    return order(lots, symbol, order_type="limit", limit_price=price)


def drain(rulings: Rulings, inbox: Inbox) -> list[VenueNews]:
    """Let the core hear what the venue said."""
    heard = []
    while (news := inbox.take()) is not None:
        rulings.hear(news)
        heard.append(news)
    rulings.after_news()
    return heard


class HangingVenue(RecordingVenue):
    """Keeps whoever asks what it has waiting while `goes_on` is clear, and for `says_after_s`; all else works."""

    says_after_s = 0.0

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.goes_on, self.asked = threading.Event(), 0
        self.goes_on.set()

    def report(self) -> Report:
        self.asked += 1
        time.sleep(self.says_after_s)
        self.goes_on.wait(PATIENCE_S)
        return super().report()

    def cancel_all(self) -> None:
        for order in super().report().orders:
            if order.ended is None:
                self.cancel(order.client_id)
        self._tell(cancel_all=True)


@contextlib.contextmanager
def core(place: Path, venue: Venue | None = None, build: str = "b1") -> Iterator[tuple[Rulings, Inbox]]:
    """A risk core without its socket, in this thread."""
    with prepared(
        place, load_config(place), venue or RecordingVenue(place), build, limits_file=place / "limits.yaml"
    ) as (rulings, inbox, _):
        yield rulings, inbox


@contextlib.contextmanager
def server(place: Path, venue: Venue | None = None, spin_ms: int = 0) -> Iterator[Server]:
    """A risk core with its socket, in a thread of this process."""
    ready, made = threading.Event(), []
    config = load_config(place).model_copy(update={"spin_ms": spin_ms})

    def serve() -> None:
        with served(place, config, venue or RecordingVenue(place), "b1", limits_file=place / "limits.yaml") as it:
            made.append(it)
            ready.set()
            it.run()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        assert ready.wait(START_S)
        yield made[0]
    finally:
        for it in made:
            it.stop()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


@contextlib.contextmanager
def process(place: Path, kind: str = "plain") -> Iterator[subprocess.Popen[str]]:
    """A risk core in its own process; ended, however it stands, on the way out."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.modules.live.riskd.child", str(place), kind], stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        yield child
    finally:
        child.kill()
        child.wait(PATIENCE_S)
        assert child.stdout is not None
        child.stdout.close()


@contextlib.contextmanager
def client(place: Path, hello: Hello = DESK, timeout_s: float = PATIENCE_S) -> Iterator[RiskClient]:
    """A connection to whatever serves the account."""
    made = RiskClient.connect(place / SOCKET, hello, timeout_s)
    try:
        yield made
    finally:
        made.close()


def heard(one: RiskClient, kinds: tuple[type, ...], timeout_s: float = PATIENCE_S) -> list[VenueNews]:
    """News up to the first of these kinds."""
    found: list[VenueNews] = []
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        found += one.news(0.2)
        if any(isinstance(n, kinds) for n in found):
            return found
    raise AssertionError(f"no {kinds} in {found}")


def remove(place: Path) -> None:
    """Forget the account's journal, as a lost disk would."""
    shutil.rmtree(place / "riskd")
