"""Thirty days of minute bars through the whole system, each part a process: nothing grows, nothing is left open.

Exchange, risk core, runner with its desk, watcher and API. What the runner decides is the backtest of all of it.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from modules.artifacts import ArtifactStore
from modules.lockbox import strategy_of
from modules.panel import Panel, iso
from tests.cli.minutes import DAY_S, promoted
from tests.cli.test_live import account, backtest, decided_on, process

MINUTES, DAYS, WARM = 100, 30, 9
EVERY_S = 0.5


@dataclass
class Growth:
    """Anonymous memory in KiB and open descriptors of each process, by day."""

    pids: Mapping[str, int]
    kib: dict[str, list[list[int]]] = field(default_factory=lambda: defaultdict(list))
    files: dict[str, list[list[int]]] = field(default_factory=lambda: defaultdict(list))

    def look(self, day: int) -> None:
        for name, pid in self.pids.items():
            try:
                rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            except ProcessLookupError:
                continue  # it is ending just now
            now = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Anonymous:"))
            while len(self.kib[name]) <= day:
                self.kib[name].append([])
                self.files[name].append([])
            self.kib[name][day].append(now)
            self.files[name][day].append(sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()))

    def days(self, name: str) -> tuple[list[int], list[int]]:
        """Of each day: its usual memory and number of descriptors."""
        kib = [round(statistics.median(day)) for day in self.kib[name] if day]
        return kib, [round(statistics.median(day)) for day in self.files[name] if day]


def is_over(pid: int) -> bool:
    """Whether a child of ours has ended; it stays to be looked at until it is waited for."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"


@pytest.mark.soak
def test_thirty_days(tmp_path: Path) -> None:
    at, manifest = promoted(tmp_path, days=44, minutes=MINUTES)
    bars = ArtifactStore(at.workspace.artifacts).get(manifest.output("bars"))
    assert isinstance(bars, Panel)
    since_ns = (int(bars.ts[-1]) // (DAY_S * 10**9) - DAYS + 1) * DAY_S * 10**9
    since, log = iso(since_ns), (tmp_path / "log").open("w")
    with ExitStack() as stack:
        stack.enter_context(log)
        exchange, said = stack.enter_context(process(at, "exchange", "last", "--account", "t1", "--since", since))
        account(at, "t1", said["port"], list(bars.symbols), f"s{strategy_of(manifest)[:12]}")
        riskd, _ = stack.enter_context(process(at, "riskd", "--account", "t1"))
        watch, _ = stack.enter_context(process(at, "watch", "--account", "t1", "--port", "0"))
        api, _ = stack.enter_context(process(at, "api", "serve", "--account", "t1", "--port", "0"))
        live = subprocess.Popen(
            [sys.executable, "-m", "cli.main", "live", "last", "--venue", "sim", "--account", "t1", "--since", since],
            cwd=at.root, env={**os.environ, "PYTHONPATH": str(at.root), "CWS_HOME": str(at.workspace.home)},
            stdout=log, stderr=log,
        )  # fmt: skip
        stack.callback(live.wait)
        stack.callback(live.kill)
        growth = Growth({"exchange": exchange.pid, "riskd": riskd.pid, "watch": watch.pid, "api": api.pid,
                         "live": live.pid})  # fmt: skip
        tapes = at.workspace.home / "live" / "t1" / "tape"
        while not is_over(live.pid):
            day = len(list(tapes.glob("*.tape")))
            if day > len(growth.kib["live"]):
                print(day, {name: growth.days(name)[0][-1:] for name in growth.pids}, flush=True)
            if day:
                growth.look(day - 1)
            time.sleep(EVERY_S)
    words = (tmp_path / "log").read_text()
    assert live.returncode == 0, words[-2_000:]
    for name in growth.pids:
        kib, files = growth.days(name)
        print(name, "KiB", kib, "files", files)
        assert len(kib) == DAYS
        assert statistics.median(kib[-5:]) < 1.01 * statistics.median(kib[WARM : WARM + 5]), (name, kib)
        assert files[WARM] == files[-1] == min(files[WARM:]), (name, files)
    made = decided_on(tapes)
    assert [d.nav_micros for d in made] == backtest(at, manifest, since_ns)[0]
