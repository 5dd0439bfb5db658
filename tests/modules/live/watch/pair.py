"""A risk core and a desk in processes of their own, over a venue that keeps orders: what is watched in these tests.

Run as a program it is the desk: `python -m tests.modules.live.watch.pair FOLDER`.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from modules.live.desk.asking import BookSeen, Decided, Level, Wanted
from modules.live.desk.control import Control
from modules.live.desk.desk import Desk, Identity
from modules.live.journal.file import FileJournal
from modules.live.messages import Hello
from modules.live.place import Place
from modules.live.riskd.client import RiskClient
from modules.live.riskd.config import SOCKET

ACCOUNT = "test"
BUILD = "b1"
CONFIG = {
    "account": ACCOUNT,
    "mode": "paper",
    "venue": {"name": "sim"},
    "instruments": [
        {"symbol": s, "sector": x, "sigma_day": 0.02, "adv_lots": 1_000_000}
        for s, x in (("AAA", "one"), ("BBB", "two"))
    ],
}
LIMITS = {
    "strategies": {"manual": 1_000_000.0},
    "venues": ["sim"],
    "stale_ms": 60_000,
    "messages_a_second": 1_000,
    "repeats_a_minute": 120,
    "deadline_ms": 1_000,
}
PATIENCE_S = 60.0


@dataclass
class Pair:
    """The two processes of an account below `home`. `close` ends whatever still runs."""

    home: Path
    processes: dict[str, subprocess.Popen[str]] = field(default_factory=dict)

    @property
    def place(self) -> Place:
        return Place(self.home / "live" / ACCOUNT)

    def start(self, *names: str) -> None:
        folder = self.place.folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / "riskd.yaml").write_text(yaml.safe_dump(CONFIG))
        (folder / "limits.yaml").write_text(yaml.safe_dump(LIMITS))
        commands = {
            "riskd": ["tests.modules.live.riskd.child", str(folder), "plain"],
            "desk": ["tests.modules.live.watch.pair", str(folder)],
        }
        for name in names:
            with (folder / f"{name}.err").open("w") as err:
                made = subprocess.Popen(
                    [sys.executable, "-m", *commands[name]], stdout=subprocess.PIPE, stderr=err, text=True
                )
            self.processes[name] = made
            assert made.stdout is not None
            assert made.stdout.readline() == "ready\n", (folder / f"{name}.err").read_text()

    def kill(self, name: str) -> None:
        process = self.processes.pop(name)
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()

    def close(self) -> None:
        for name in list(self.processes):
            self.kill(name)


@contextlib.contextmanager
def running(*names: str) -> Iterator[Pair]:
    """A pair with these processes, in a folder whose sockets have short names."""
    with tempfile.TemporaryDirectory(prefix="cws") as folder:
        pair = Pair(Path(folder))
        try:
            pair.start(*names)
            yield pair
        finally:
            pair.close()


def until(found: object) -> bool:
    """Whether `found()` comes true, within a patience that only a fault uses up."""
    assert callable(found)
    end = time.monotonic() + PATIENCE_S
    while not found():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def main(folder: Path) -> None:
    hello = Hello("desk", "paper", BUILD, ACCOUNT)
    with FileJournal(Place(folder).journal) as journal:
        desk = Desk(
            Identity(ACCOUNT, "paper", BUILD),
            lambda: RiskClient.connect(folder / SOCKET, hello, PATIENCE_S),
            journal,
            retry_s=0.2,
        )
        while desk.cancel_only is not None:
            desk.recover()
        control = Control(Place(folder).desk, desk)
        decided = time.time_ns()
        control.decided["manual"] = Decided(
            "manual", decided, (Wanted("AAA", 0.5, 0.01, 100), Wanted("BBB", None, 0.0, 0))
        )
        control.books["AAA"] = BookSeen("AAA", "sim", decided, (Level(99.99, 300),), (Level(100.01, 200),))
        control.feeds["recorded"] = None
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        print("ready", flush=True)
        while True:
            control.poll()
            desk.poll(0.005)
            desk.tend()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
