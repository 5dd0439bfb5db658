"""`watch`: follow the ledger, and ask the miners again whenever something was appended that they read.

Polling, because a ledger may lie where nothing tells of changes; it looks at the size of one file, less and less often
while nothing happens. What it holds is the tables of `traces.tables`, which keep events and no more, and the findings.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from modules.datastore import DataStore
from modules.pipeline import Emit
from modules.workspace import Workspace
from supervisor.finding import Finding, Miner
from supervisor.mined import MINED_PURPOSES, mined_of
from supervisor.miners import MINERS
from supervisor.mining import Mining
from traces.log import LOG_NAME
from traces.tables import Tables

SHORTEST_S, LONGEST_S, GROWTH = 0.5, 30.0, 1.5
"""Seconds between two looks: at first, at most, and by what factor a look in vain puts off the next."""


@dataclass
class Watched:
    """What was done until it was stopped. `asked`: how often any miner was asked."""

    looks: int = 0
    changes: int = 0
    asked: int = 0
    findings: int = 0


def watch(
    workspace: Workspace,
    emit: Emit,
    *,
    found: Callable[[Sequence[Finding]], None],
    miners: Sequence[Miner] = MINERS,
    sleep: Callable[[float], None] = time.sleep,
) -> Watched:
    """Until KeyboardInterrupt, which ends it cleanly: every finding that was announced is in the ledger.

    `found` is told of findings that the ledger did not hold, once they are recorded. A failing ledger raises
    LedgerError.
    """
    done = Watched()
    tables = Tables(workspace.ledger, MINED_PURPOSES)
    mining = Mining(miners)
    data = DataStore(workspace.data)
    seen, pause_s = -1, SHORTEST_S
    try:
        while True:
            size = _size(workspace)
            done.looks += 1
            if size == seen:
                pause_s = min(LONGEST_S, pause_s * GROWTH)
            else:
                # Taken before reading: what is appended meanwhile is seen at the next look.
                seen, pause_s = size, SHORTEST_S
                done.changes += 1
                new = _look(workspace, data, tables, mining, emit)
                done.asked += len(mining.asked)
                done.findings += len(new)
                if new:
                    found(new)
            sleep(pause_s)
    except KeyboardInterrupt:
        return done
    finally:
        tables.close()


def _look(workspace: Workspace, data: DataStore, tables: Tables, mining: Mining, emit: Emit) -> list[Finding]:
    """What the miners see that the ledger does not hold yet; recorded."""
    mined = mined_of(workspace, data, tables)
    findings = mining.mine(mined)
    known = set(mined.sql("SELECT DISTINCT finding_id FROM finding_recorded").get_column("finding_id").to_list())
    new = [f for f in findings if f.finding_id not in known]
    for finding in new:
        emit(finding.event())
    return new


def _size(workspace: Workspace) -> int:
    """Bytes of the log; 0 where there is none yet."""
    path = workspace.ledger / LOG_NAME
    return path.stat().st_size if path.is_file() else 0
