"""Where two runs part: the first stage, artifact, column and row, with both values and their bits."""

from __future__ import annotations

import struct
from collections.abc import Mapping

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict, JsonValue

from modules.artifacts import ArtifactError, ArtifactStore
from modules.canonical import canonical_floats
from modules.contract import Stage
from modules.manifest import Manifest, StageRecord
from modules.panel import Panel, iso
from modules.task import Task

# The first stage behind the door: what it is given is not what ingest wrote, but what was known of it.
DOOR: Stage = "clean"


class Difference(BaseModel):
    """The first difference. `column` and `row` are null where a whole stage or artifact differs;
    `causes` says which of module, code, settings, skills, inputs, seed, start_ns differ at that stage; `environment`
    names what else is not the same: libraries, processor. With `same_bits` all outputs and metrics are equal, and
    only what made them moved."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: str
    module: str
    causes: tuple[str, ...]
    artifact: str | None = None
    column: str | None = None
    row: int | None = None
    event_time: str | None = None
    symbol: str | None = None
    recorded: JsonValue = None
    found: JsonValue = None
    recorded_bits: str | None = None
    found_bits: str | None = None
    message: str = ""
    environment: tuple[str, ...] = ()
    same_bits: bool = False


def first_difference(recorded: Manifest, found: Manifest, store: ArtifactStore) -> Difference | None:
    """Stage by stage: None where code, settings, skills, metrics and all output bits are the same."""
    difference = _first(recorded, found, store)
    moved = environment_changes(recorded.environment, found.environment)
    return difference.model_copy(update={"environment": moved}) if difference is not None and moved else difference


def environment_changes(recorded: Mapping[str, str], found: Mapping[str, str]) -> tuple[str, ...]:
    """What is not the same, as `numpy: 2.4.6, now 2.5.0`."""
    names = sorted(recorded.keys() | found.keys())
    return tuple(
        f"{n}: {recorded.get(n, 'not recorded')}, now {found.get(n, 'not there')}"
        for n in names
        if recorded.get(n) != found.get(n)
    )


def _first(recorded: Manifest, found: Manifest, store: ArtifactStore) -> Difference | None:
    """Bits before metrics, metrics before what only might have moved them."""
    pairs = [
        (old, new, _causes(old, new, recorded.task, found.task))
        for old, new in zip(recorded.stages, found.stages, strict=False)
    ]
    for old, new, causes in pairs:
        if old.stage == DOOR and old.inputs.get("records") != new.inputs.get("records"):
            return _at_the_door("records", old, new, recorded.task, found.task, causes, store)
        if "facts" in old.inputs.keys() & new.inputs.keys() and old.inputs["facts"] != new.inputs["facts"]:
            return _at_the_door("facts", old, new, recorded.task, found.task, causes, store)
        for name in sorted(set(old.outputs) | set(new.outputs)):
            if old.outputs.get(name) != new.outputs.get(name):
                return _locate(old, new, name, causes, store)
    if len(recorded.stages) != len(found.stages):
        longer = max(recorded.stages, found.stages, key=len)[len(pairs)]
        return Difference(stage=longer.stage, module=longer.module, causes=("stages",), message="one run stops earlier")
    for old, new, causes in pairs:
        metric = _first_metric(old, new)
        if metric is not None:
            return _metric_difference(old, new, metric, causes)
    for old, new, causes in pairs:
        if causes:
            return Difference(
                stage=old.stage,
                module=old.module,
                causes=causes,
                column=causes[0],
                recorded=_cause_value(old, recorded.task, causes[0]),
                found=_cause_value(new, found.task, causes[0]),
                message=f"{old.stage}/{old.module} gives the same bits, but its {' and '.join(causes)} changed",
                same_bits=True,
            )
    return None


def _metric_difference(old: StageRecord, new: StageRecord, metric: str, causes: tuple[str, ...]) -> Difference:
    a, b = old.metrics.get(metric), new.metrics.get(metric)
    base = Difference(
        stage=old.stage,
        module=old.module,
        causes=causes,
        column=f"metrics.{metric}",
        message=f"{old.stage}/{old.module} gives the same artifacts, but its metric {metric} differs",
    )
    return base.model_copy(update={"recorded": a, "found": b} if a is None or b is None else _cell(a, b))


def _first_metric(old: StageRecord, new: StageRecord) -> str | None:
    names = sorted(old.metrics.keys() | new.metrics.keys())
    return next((n for n in names if old.metrics.get(n) != new.metrics.get(n)), None)


def _at_the_door(
    artifact: str,
    old: StageRecord,
    new: StageRecord,
    recorded: Task,
    found: Task,
    causes: tuple[str, ...],
    store: ArtifactStore,
) -> Difference:
    """What went in was the same, and what was handed on differs: the tasks ask for other periods, symbols or facts, or
    the door between them has other code."""
    asks = ("end_ns", "symbols") if artifact == "records" else ("end_ns", "symbols", "facts_digest", "data_digest")
    asked = [f for f in asks if getattr(recorded, f) != getattr(found, f)]
    why = f"the tasks have another {' and '.join(asked)}" if asked else "the door (modules/door.py) gives otherwise"
    base = Difference(stage=old.stage, module=old.module, causes=causes, artifact=artifact)
    difference = _cells(base, old.inputs.get(artifact, ""), new.inputs.get(artifact, ""), store)
    return difference.model_copy(update={"message": "; ".join(filter(None, (difference.message, why)))})


def _causes(old: StageRecord, new: StageRecord, recorded: Task, found: Task) -> tuple[str, ...]:
    pairs: dict[str, tuple[object, object]] = {
        "module": (old.module, new.module),
        "code": (old.code_digest, new.code_digest),
        "settings": (old.settings_digest, new.settings_digest),
        "skills": (old.skills, new.skills),
        "inputs": (old.inputs, new.inputs),
        "seed": (recorded.seed, found.seed),
        "start_ns": (recorded.start_ns, found.start_ns),
    }
    return tuple(name for name, (a, b) in pairs.items() if a != b)


def _cause_value(record: StageRecord, task: Task, cause: str) -> JsonValue:
    values: dict[str, JsonValue] = {
        "module": record.module,
        "code": record.code_digest,
        "settings": record.settings,
        "skills": dict(record.skills),
        "inputs": dict(record.inputs),
        "seed": task.seed,
        "start_ns": task.start_ns,
    }
    return values[cause]


def _locate(old: StageRecord, new: StageRecord, name: str, causes: tuple[str, ...], store: ArtifactStore) -> Difference:
    base = Difference(stage=old.stage, module=old.module, causes=causes, artifact=name)
    if name not in old.outputs or name not in new.outputs:
        return base.model_copy(update={"message": f"only one run wrote {name}"})
    return _cells(base, old.outputs[name], new.outputs[name], store)


def _cells(base: Difference, recorded: str, found: str, store: ArtifactStore) -> Difference:
    """`base` with the first cell in which two artifacts differ."""
    name = base.artifact
    try:
        a, b = store.get(recorded), store.get(found)
    except ArtifactError as error:
        return base.model_copy(update={"message": f"{name} differs; its cells cannot be shown: {error}"})
    if isinstance(a, Panel) and isinstance(b, Panel):
        return _panel_difference(base, a, b)
    if isinstance(a, pl.DataFrame) and isinstance(b, pl.DataFrame):
        return _table_difference(base, a, b)
    return base.model_copy(update={"message": f"{name} is a panel in one run and a table in the other"})


def _panel_difference(base: Difference, a: Panel, b: Panel) -> Difference:
    if a.symbols != b.symbols:
        return base.model_copy(update={"column": "symbols", "recorded": list(a.symbols), "found": list(b.symbols)})
    rows = min(a.ts.size, b.ts.size)
    late = np.flatnonzero(a.ts[:rows] != b.ts[:rows])
    if late.size:
        row = int(late[0])
        return base.model_copy(
            update={"column": "ts", "row": row, "recorded": iso(int(a.ts[row])), "found": iso(int(b.ts[row]))}
        )
    if set(a.fields) != set(b.fields):
        return base.model_copy(update={"column": "fields", "recorded": sorted(a.fields), "found": sorted(b.fields)})
    first: tuple[int, str, int] | None = None
    for name in sorted(a.fields):
        bits_a = canonical_floats(a[name][:rows]).view(np.uint64)
        bits_b = canonical_floats(b[name][:rows]).view(np.uint64)
        cells = np.argwhere(bits_a != bits_b)
        if cells.size and (first is None or int(cells[0][0]) < first[0]):
            first = (int(cells[0][0]), name, int(cells[0][1]))
    if first is None:
        longer = a if a.ts.size > b.ts.size else b
        more = {"row": rows, "event_time": iso(int(longer.ts[rows]))}
        return base.model_copy(
            update={"column": "ts", **more, "message": f"{a.ts.size} rows against {b.ts.size}; this is the first more"}
        )
    row, name, column = first
    return base.model_copy(
        update={
            "column": name,
            "row": row,
            "event_time": iso(int(a.ts[row])),
            "symbol": a.symbols[column],
            **_cell(float(a[name][row, column]), float(b[name][row, column])),
        }
    )


def _table_difference(base: Difference, a: pl.DataFrame, b: pl.DataFrame) -> Difference:
    if a.schema != b.schema:
        return base.model_copy(
            update={"column": "schema", "recorded": str(dict(a.schema)), "found": str(dict(b.schema))}
        )
    rows = min(a.height, b.height)
    first: tuple[int, str] | None = None
    for name in a.columns:
        x, y = a.get_column(name).head(rows), b.get_column(name).head(rows)
        if x.dtype.is_float():
            differ = (
                (canonical_floats(x.fill_null(0.0).to_numpy()).view(np.uint64))
                != (canonical_floats(y.fill_null(0.0).to_numpy()).view(np.uint64))
            ) | (x.is_null() != y.is_null()).to_numpy()
        else:
            differ = x.ne_missing(y).to_numpy()
        at = np.flatnonzero(differ)
        if at.size and (first is None or int(at[0]) < first[0]):
            first = (int(at[0]), name)
    if first is None:
        longer = a if a.height > b.height else b
        more = {"row": rows, "message": f"{a.height} rows against {b.height}", **_where(longer, rows)}
        return base.model_copy(update=more)
    row, name = first
    old, new = a.get_column(name)[row], b.get_column(name)[row]
    where = _where(a, row)
    cell = (
        _cell(old, new)
        if isinstance(old, float) and isinstance(new, float)
        else {"recorded": _plain(old), "found": _plain(new)}
    )
    return base.model_copy(update={"column": name, "row": row, **where, **cell})


def _where(table: pl.DataFrame, row: int) -> dict[str, JsonValue]:
    return {k: str(table.get_column(k)[row]) for k in ("event_time", "symbol") if k in table.columns}


def _cell(old: float, new: float) -> dict[str, JsonValue]:
    return {
        "recorded": _plain(old),
        "found": _plain(new),
        "recorded_bits": struct.pack(">d", old).hex(),
        "found_bits": struct.pack(">d", new).hex(),
    }


def _plain(value: object) -> JsonValue:
    if isinstance(value, float):
        return value if value - value == 0.0 else str(value)
    return value if isinstance(value, str | int | bool | None) else str(value)
