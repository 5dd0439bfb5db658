"""A round trip to the risk core's process: frame in, ruling, journal, a venue that costs nothing, frame out.

The risk core is a process of its own with 500 instruments, its journal on; orders come at `A_SECOND`, one at a time.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from benchmarks.common import Row, on_processor
from modules.live.messages import Ask, Connection, Hello, Marked, Report
from modules.live.riskd.client import RiskClient
from modules.live.riskd.config import SOCKET, load_config
from modules.live.riskd.start import served
from modules.live.venues.port import Hear

INSTRUMENTS = 500
ORDERS = 4_000
A_SECOND = 907


class NullVenue:
    """Takes every order and says nothing."""

    name = "sim"

    def open(self, hear: Hear) -> None:
        """Say a price of each instrument."""
        now = time.time_ns()
        hear(Connection(self.name, True, "opened", now))
        for i in range(INSTRUMENTS):
            hear(Marked(f"S{i}", 50.0, now))

    def submit(self, ask: Ask, lots: int) -> None:
        """Nothing."""

    def cancel(self, client_id: str) -> None:
        """Nothing."""

    def cancel_all(self) -> None:
        """Nothing."""

    def report(self) -> Report:
        """An empty account."""
        return Report(self.name, (), {}, 10**13, True, time.time_ns())

    def close(self) -> None:
        """Nothing."""


def serve(folder: Path) -> None:
    """The child: until it is ended."""
    limits = folder / "limits.yaml"
    with on_processor(1), served(folder, load_config(folder), NullVenue(), "b", limits_file=limits) as server:
        print("ready", flush=True)
        server.run()


def _write(folder: Path) -> None:
    instruments = [
        {"symbol": f"S{i}", "sector": f"s{i % 11}", "sigma_day": 0.02, "adv_lots": 10**7, "located_lots": 10**6}
        for i in range(INSTRUMENTS)
    ]
    account = {
        "account": "bench",
        "mode": "paper",
        "venue": {"name": "sim"},
        "instruments": instruments,
        "limits": {"strategies": {"alpha": 5e6}},
        "spin_ms": 20.0,
    }
    (folder / "riskd.yaml").write_text(yaml.safe_dump(account))
    limits = {"messages_a_second": 1_000, "repeats_a_minute": 120, "stale_ms": 60_000, "deadline_ms": 1_000}
    (folder / "limits.yaml").write_text(yaml.safe_dump(limits))


def rows() -> list[Row]:
    """Half and 99 in 100 of the round trips are at most this long."""
    with tempfile.TemporaryDirectory(prefix="rb") as name:
        folder = Path(name) / "bench"
        folder.mkdir()
        _write(folder)
        child = subprocess.Popen([sys.executable, "-m", __name__, str(folder)], stdout=subprocess.PIPE, text=True)
        try:
            assert child.stdout is not None and child.stdout.readline() == "ready\n"
            with on_processor(0):
                took = sorted(_asked(folder))
        finally:
            child.kill()
            child.wait()
    return [
        Row("order to the risk core's process and back, half", took[len(took) // 2] / 1e3, "us", goal=40.0),
        Row("order to the risk core's process and back, 99 in 100", took[len(took) * 99 // 100] / 1e3, "us"),
    ]


def _asked(folder: Path) -> list[int]:
    client = RiskClient.connect(folder / SOCKET, Hello("desk", "paper", "b", "bench"), 5.0)
    took = []
    begun = time.perf_counter_ns()
    for i in range(ORDERS):
        while time.perf_counter_ns() < begun + i * 1_000_000_000 // A_SECOND:
            client.news(0.0)
        symbol, lots = f"S{i % INSTRUMENTS}", 1 if i // INSTRUMENTS % 2 else -1
        ask = Ask(f"c{i}", "alpha", symbol, lots, "sim", "paper", "b", 0)
        start = time.perf_counter_ns()
        ruled = client.ask(ask)
        took.append(time.perf_counter_ns() - start)
        assert ruled.allowed == lots, ruled
        client.news(0.0)
    client.close()
    return took


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
