"""A proposer's desk over a bench: what it may see, its comparisons confined to the mining period."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ablations.patch import Patch
from supervisor.bench import Bench
from supervisor.history import History
from supervisor.proposers.port import Desk
from supervisor.screen import Screened, patch_of, question_of, screen
from traces.events import PatchScreened


def desk_over(
    bench: Bench,
    history: History,
    *,
    deadline_s: float,
    seed: int = 0,
    note: Callable[[str], None] = lambda words: None,
) -> Desk:
    """`deadline_s` is of time.monotonic; after it `compare` begins nothing."""

    bench.known.update(history.screened)

    def compare(patches: Sequence[Patch]) -> Sequence[Screened]:
        return screen(bench, patches, deadline_s)

    def looked(module: str) -> Sequence[PatchScreened]:
        looks = [look for look in bench.known.values() if look.module == module]
        return [look for look in looks if (p := patch_of(look)) is not None and question_of(bench, p) == look.question]

    return Desk(history, bench.suite.digest, compare, deadline_s, seed, looked=looked, note=note)
