"""Members of a feature family that say the same: mean rank correlation of their values over the bars of a mined run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
import polars as pl

from modules.artifacts import ArtifactError
from modules.canonical import digest_json
from modules.groups import with_groups
from modules.panel import FloatArray, Panel
from modules.registry import read_settings, settings_model
from modules.signal import SignalError, evaluate, fields_of
from supervisor.probes._port import Room
from traces.events import FeaturesCompared

FLOOR: Final = 0.95
SAMPLED_ROWS: Final = 200
MOST_FEATURES: Final = 200

_RUNS = """
SELECT z.name, z.code_digest, z.settings_digest, z.inputs, m.data_digest
FROM in_force z JOIN mined m USING (run_id)
WHERE z.stage = 'feature' AND (z.settings->>'$.members') IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY z.name, m.data_digest ORDER BY z.seq DESC) = 1
ORDER BY z.name, m.data_digest
"""
_ALREADY = "SELECT DISTINCT comparison_id FROM features_compared"


@dataclass(frozen=True)
class AlikeFeatures:
    """`features.compared` for each family in force, on each data set that mined runs read."""

    floor: float = FLOOR
    name: str = "alike_features"

    def measure(self, room: Room) -> tuple[str, ...]:
        """Families whose bars are no longer in the store are left out, and said."""
        known = set(room.mined.sql(_ALREADY).get_column("comparison_id").to_list())
        notes: list[str] = []
        for row in room.mined.sql(_RUNS).iter_rows(named=True):
            identity = [row["name"], row["code_digest"], row["settings_digest"], row["data_digest"], self.floor]
            comparison_id = digest_json(identity)[:16]
            if comparison_id in known:
                continue
            if room.late:
                return (*notes, f"time ran out: the features of {row['name']} were not compared")
            room.progress(f"comparing the features of {row['name']}")
            try:
                bars = cast(Panel, room.store.get(row["inputs"]["bars"]))
                instruments = cast(pl.DataFrame, room.store.get(row["inputs"]["instruments"]))
            except (ArtifactError, KeyError) as error:
                notes.append(f"the features of {row['name']} were not compared: {error}")
                continue
            compared = self._compared(comparison_id, row, with_groups(bars, instruments), room)
            if compared is None:
                return (*notes, f"time ran out: the features of {row['name']} were not compared")
            room.emit(compared)
        return tuple(notes)

    def _compared(
        self, comparison_id: str, row: Mapping[str, str], panel: Panel, room: Room
    ) -> FeaturesCompared | None:
        """None where time runs out: what was compiled by then is kept, so the next attempt comes further."""
        stage, _, name = row["name"].partition("/")
        family = cast(
            Any, settings_model(stage, name)
        )  # the supervisor knows no stage: a family is what has `features`
        readable = [f for f in family.features if fields_of(f.node) <= set(panel.fields)][:MOST_FEATURES]
        values = {}
        for feature in readable:
            if room.late:
                return None
            try:
                values[feature.reference] = evaluate(feature.node, panel)
            except SignalError:
                continue  # it looks further back than these bars go: nothing to compare
        return FeaturesCompared(
            comparison_id=comparison_id,
            module=row["name"],
            code_digest=row["code_digest"],
            settings_digest=row["settings_digest"],
            data_digest=row["data_digest"],
            features=tuple(values),
            used=tuple(cast(Any, read_settings(stage, name)).members),
            floor=self.floor,
            alike=alike(values, self.floor),
        )


def alike(values: Mapping[str, FloatArray], floor: float) -> dict[str, float]:
    """Pairs, `first second`, whose mean rank correlation over sampled rows has a size of at least `floor`."""
    names = list(values)
    if len(names) < 2:
        return {}
    ranks = np.stack([_ranks(values[n]) for n in names])  # [F, rows, N], NaN = missing
    found = {}
    for i, name in enumerate(names):
        for j in range(i + 1, len(names)):
            value = _mean_correlation(ranks[i], ranks[j])
            if abs(value) >= floor:
                found[f"{name} {names[j]}"] = value
    return found


def _ranks(values: FloatArray) -> FloatArray:
    """Ranks across symbols in `SAMPLED_ROWS` rows spread over the second half, where every feature is warm."""
    half = values.shape[0] // 2
    rows = np.unique(np.linspace(half, values.shape[0] - 1, min(SAMPLED_ROWS, values.shape[0] - half)).astype(np.int64))
    table = pl.DataFrame(values[rows].T).select(pl.all().fill_nan(None).rank("average"))
    return np.ascontiguousarray(table.cast(pl.Float64).fill_null(np.nan).to_numpy().T)


def _mean_correlation(a: FloatArray, b: FloatArray) -> float:
    """Mean over rows of the correlation over symbols that both know; 0 where no row tells."""
    both = ~np.isnan(a) & ~np.isnan(b)
    n = both.sum(axis=1)
    x, y = np.where(both, a, 0.0), np.where(both, b, 0.0)
    safe = np.maximum(n, 1)
    x = np.where(both, x - (x.sum(axis=1) / safe)[:, None], 0.0)
    y = np.where(both, y - (y.sum(axis=1) / safe)[:, None], 0.0)
    size = np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1))
    told = (n >= 3) & (size > 0.0)
    return float(((x * y).sum(axis=1)[told] / size[told]).mean()) if told.any() else 0.0


PROBE = AlikeFeatures()
