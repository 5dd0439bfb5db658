"""A cleaning module against faults that were planted by a seed: what it misses, and what it takes for a fault.

The records are those of the newest mined run of the module, so nothing of the judging period is read. A fault counts as
found where a rule that is meant for its kind touches one of its bars, or the bar after it. An alarm is a hit of a rule
away from every planted fault; a true fault of the data as delivered would count as one, so precision is a lower bound.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final, cast

import polars as pl

from modules.artifacts import ArtifactError
from modules.canonical import digest_json
from modules.contract import Context
from modules.registry import load_module
from supervisor.miners._seeded import RULES_OF
from supervisor.probes._planting import CLEAR_BARS, Planted, plant
from supervisor.probes._port import Room
from traces.events import FaultsPlanted

SEED: Final = 20_170_401
METHOD: Final = "planting 2"
"""Changed by whoever changes what is planted or what counts as found: modules are then tried again."""

_RUNS = """
SELECT z.name, z.run_id, z.code_digest, z.settings_digest, z.inputs, z.outputs, m.data_digest
FROM in_force z JOIN mined m USING (run_id) WHERE z.stage = 'clean'
QUALIFY row_number() OVER (PARTITION BY z.name, m.data_digest ORDER BY z.seq DESC) = 1
ORDER BY z.name, m.data_digest
"""
_ALREADY = "SELECT DISTINCT trial_id FROM faults_planted"


@dataclass(frozen=True)
class SeededFaults:
    """`faults.planted` for each cleaning module in force, on each data set that mined runs read, once a seed."""

    seed: int = SEED
    name: str = "seeded_faults"

    def measure(self, room: Room) -> tuple[str, ...]:
        """Modules whose records are no longer in the store are left out, and said."""
        known = set(room.mined.sql(_ALREADY).get_column("trial_id").to_list())
        notes: list[str] = []
        for row in room.mined.sql(_RUNS).iter_rows(named=True):
            trial_id = digest_json(
                [METHOD, row["name"], row["code_digest"], row["settings_digest"], row["data_digest"], self.seed]
            )[:16]
            if trial_id in known:
                continue
            if room.late:
                return (*notes, f"time ran out: {row['name']} was not tried on planted faults")
            room.progress(f"planting faults for {row['name']}")
            try:
                tables = [room.store.get(d) for d in (row["inputs"]["records"], row["inputs"]["instruments"])]
                before = room.store.get(row["outputs"]["quality"])
            except (ArtifactError, KeyError) as error:
                notes.append(f"{row['name']} was not tried on planted faults: {error}")
                continue
            records, instruments, quality = (cast(pl.DataFrame, table) for table in (*tables, before))
            room.emit(self._tried(trial_id, row, plant(records, self.seed), instruments, quality))
        return tuple(notes)

    def _tried(
        self, trial_id: str, row: dict[str, str], planted: Planted, instruments: pl.DataFrame, before: pl.DataFrame
    ) -> FaultsPlanted:
        stage, _, name = row["name"].partition("/")
        module = load_module(stage, name)
        inputs = module.inputs(records=planted.records, instruments=instruments)
        outputs = module.run(inputs, module.settings, Context(seed=self.seed, start_ns=0))
        hits = _hits(getattr(outputs, "quality"))  # noqa: B009  a contract's field, unknown to the type of all outputs
        touched = _touched(planted)
        found = Counter(
            fault.kind
            for fault in planted.faults
            if any(
                _keys(planted, fault.symbol, fault.first, fault.last + 1) & hits[r]
                for r in RULES_OF[fault.kind]
                if r in hits
            )
        )
        alarms = {rule: len(keys - touched) for rule, keys in hits.items()}
        standing = {rule: len(keys - touched) for rule, keys in _hits(before).items()}
        return FaultsPlanted(
            trial_id=trial_id,
            module=row["name"],
            code_digest=row["code_digest"],
            settings_digest=row["settings_digest"],
            data_digest=row["data_digest"],
            seed=self.seed,
            cells=sum(ts.size for ts in planted.bars.values()),
            planted=dict(Counter(fault.kind for fault in planted.faults)),
            found={kind: found[kind] for kind in sorted({f.kind for f in planted.faults})},
            alarms=alarms,
            standing=standing,
        )


Key = tuple[str, int]


def _hits(quality: pl.DataFrame) -> dict[str, set[Key]]:
    """Symbol and time of what each rule touched."""
    hits: dict[str, set[Key]] = {}
    for rule, symbol, at in quality.select("rule", "symbol", pl.col("event_time").to_physical()).iter_rows():
        hits.setdefault(rule, set()).add((symbol, at))
    return hits


def _keys(planted: Planted, symbol: str, first: int, last: int) -> set[Key]:
    """Bars `first` to `last` of a symbol, with the days between them and the next: a weekend bar stands there."""
    bars = planted.bars[symbol]
    start, stop = int(bars[max(first, 0)]), int(bars[min(last, bars.size - 1)])
    between = {int(t) for t in bars[max(first, 0) : last + 1]}
    if stop - start <= 4 * CLEAR_BARS * 86_400_000_000_000:
        between |= set(range(start, stop + 1, 86_400_000_000_000))
    return {(symbol, t) for t in between}


def _touched(planted: Planted) -> set[Key]:
    """Every bar whose hits may come of a fault: its own, and what its neighbours are compared with."""
    found: set[Key] = set()
    for fault in planted.faults:
        found |= _keys(planted, fault.symbol, fault.first - 2, fault.last + CLEAR_BARS // 2 + 2)
    return found


PROBE = SeededFaults()
