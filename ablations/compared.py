"""What the gate takes from two runs of a task: whether the patch stayed where it belongs, and the series it judges."""

from __future__ import annotations

import polars as pl

from ablations.patch import Patch
from modules.artifacts import ArtifactStore
from modules.contract import STAGES
from modules.manifest import Manifest
from modules.panel import FloatArray, IntArray


class ObjectiveError(RuntimeError):
    """Runs whose objective cannot be read."""


def leak(baseline: Manifest, patched: Manifest, patch: Patch, name: str) -> str:
    """What differs upstream of the patched stage, or in another module's identity; "" where nothing does."""
    at = STAGES.index(patch.stage) if patch.changes and patch.stage in STAGES else len(STAGES)
    for old, new in zip(baseline.stages, patched.stages, strict=True):
        before = STAGES.index(old.stage) < at
        if before and old.outputs != new.outputs:
            return f"{name}: {old.stage}/{old.module} gives {new.digest[:12]} instead of {old.digest[:12]}"
        if old.code_digest != new.code_digest or old.module != new.module:
            return f"{name}: the code of {old.stage}/{old.module} differs between the arms"
        if old.stage not in {part.stage for part in patch.parts} and old.settings_digest != new.settings_digest:
            return f"{name}: the settings of {old.stage}/{old.module} differ, which the patch does not name"
    return ""


def objective_series(manifest: Manifest, objective: str, store: ArtifactStore) -> tuple[IntArray, FloatArray]:
    """`(ts, values)` of `artifact.column`, from the task's start on. Raises ObjectiveError."""
    artifact, _, column = objective.partition(".")
    table = store.get(manifest.output(artifact))
    if not isinstance(table, pl.DataFrame) or column not in table.columns or "event_time" not in table.columns:
        raise ObjectiveError(
            f"objective_series {objective!r} is no column of a table with event_time; mend the contract"
        )
    values = table.get_column(column)
    if values.null_count():
        raise ObjectiveError(f"objective_series {objective!r} has {values.null_count()} nulls; every bar needs a value")
    ts = table.get_column("event_time").to_physical().cast(pl.Int64).to_numpy()
    return ts, values.cast(pl.Float64).to_numpy()
