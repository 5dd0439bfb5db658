"""A proposer's desk over a bench: what it may see, its comparisons confined to the mining period."""

from __future__ import annotations

from collections.abc import Sequence

from ablations.patch import Patch
from supervisor.bench import Bench
from supervisor.history import History
from supervisor.proposers.port import Desk
from supervisor.screen import Screened, screen


def desk_over(bench: Bench, history: History, *, deadline_s: float, seed: int = 0) -> Desk:
    """`deadline_s` is of time.monotonic; after it `compare` begins nothing."""

    bench.known.update(history.screened)

    def compare(patches: Sequence[Patch]) -> Sequence[Screened]:
        return screen(bench, patches, deadline_s)

    return Desk(history, bench.suite.digest, compare, deadline_s, seed)
