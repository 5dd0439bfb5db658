"""The power goes under risk core, desk and runner, again and again; the venue goes on. Each part is a process.

Killed, and of tape and journals is left what was synced and any part of the rest: gone, cut, zeroed, with a hole.

1. Started again with the same words they trade on, to the backtest's decisions, each on a tape.
2. No order is at the venue twice, none is missing: the account ends as the backtest's, to the micro.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from modules.artifacts import ArtifactStore
from modules.live.journal.reading import LOG_NAME, read_journal
from modules.live.runner.tape import durable_bytes
from modules.lockbox import strategy_of
from modules.panel import Panel, iso
from tests.cli.minutes import promoted
from tests.cli.test_live import account, backtest, decided_on, process
from tests.traces.test_power_loss import left_over
from traces.checkpoint import CheckpointStore

BARS, LOSSES = 60, 6
UNSYNCED_NS = 2_000_000
"""A journal's entries wait so long for others before they are synced."""


def tear(place: Path, chance: random.Random) -> None:
    """What a loss of power leaves of an account's folder."""
    for tape in sorted((place / "tape").glob("*.tape"))[-1:]:
        whole = tape.read_bytes()
        tape.write_bytes(left_over(whole[: durable_bytes(tape)], whole, chance))
    for journal in (place / "desk" / "journal", place / "riskd" / "journal"):
        path = journal / LOG_NAME
        lines = path.read_bytes().rstrip(b"\0").splitlines(keepends=True)
        entries = list(read_journal(journal))
        signed = CheckpointStore(journal / "checkpoint").load().count
        first = max(signed, next(e.seq for e in entries if e.ts_ns > entries[-1].ts_ns - UNSYNCED_NS))
        path.write_bytes(left_over(b"".join(lines[:first]), b"".join(lines), chance))


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2))
def test_the_power_goes(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    at, manifest = promoted(tmp_path, days=9, minutes=200)
    bars = ArtifactStore(at.workspace.artifacts).get(manifest.output("bars"))
    assert isinstance(bars, Panel)
    since_ns = int(bars.ts[-BARS])
    place = at.workspace.home / "live" / "t1"
    live = [sys.executable, "-m", "cli.main", "live", "last", "--venue", "sim", "--account", "t1", "--since",
            iso(since_ns)]  # fmt: skip
    env = {**os.environ, "PYTHONPATH": str(at.root), "CWS_HOME": str(at.workspace.home), "NO_COLOR": "1"}
    with process(at, "exchange", "last", "--account", "t1", "--since", iso(since_ns)) as (_, exchange):
        account(at, "t1", exchange["port"], list(bars.symbols), f"s{strategy_of(manifest)[:12]}")
        for loss in range(LOSSES + 1):
            log = tmp_path / f"live{loss}.log"
            with process(at, "riskd", "--account", "t1") as (riskd, _), log.open("w") as words:
                made = subprocess.Popen(live, cwd=at.root, env=env, stdout=words, stderr=words)
                known = len(decided_on(place / "tape"))
                enough = known + chance.randint(1, 2 * BARS // LOSSES - 4)
                try:
                    while loss < LOSSES and made.poll() is None and len(decided_on(place / "tape")) < enough:
                        time.sleep(0.05)
                    if loss == LOSSES:
                        made.wait(600)
                    time.sleep(chance.random() * 0.1)
                finally:
                    done = made.poll()
                    for one in (made, riskd):
                        one.send_signal(signal.SIGKILL)
                        one.wait()
            assert done in (None, 0), (loss, log.read_text()[-2_000:])
            if done == 0:
                break
            tear(place, chance)
        assert done == 0
    navs, orders = backtest(at, manifest, since_ns)
    made_of = decided_on(place / "tape")
    assert [d.nav_micros for d in made_of] == navs
    tickets = [t.client_id for d in made_of for t in d.tickets]
    assert len(tickets) == len(set(tickets)) == orders
