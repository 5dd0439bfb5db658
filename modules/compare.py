"""Where two runs part: the first stage, artifact, column and row, with both values and their bits."""

from __future__ import annotations

import struct

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict, JsonValue

from modules.artifacts import ArtifactError, ArtifactStore
from modules.canonical import canonical_floats
from modules.manifest import Manifest, StageRecord
from modules.panel import Panel, iso


class Difference(BaseModel):
    """The first difference. `column` and `row` are null where a whole stage or artifact differs;
    `causes` says which of code, settings, skills, inputs, module differ at that stage."""

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


def first_difference(recorded: Manifest, found: Manifest, store: ArtifactStore) -> Difference | None:
    """Stage by stage: None where code, settings, skills and all output bits are the same."""
    for old, new in zip(recorded.stages, found.stages, strict=False):
        causes = _causes(old, new)
        for name in sorted(set(old.outputs) | set(new.outputs)):
            if old.outputs.get(name) != new.outputs.get(name):
                return _locate(old, new, name, causes, store)
        if causes:
            return Difference(
                stage=old.stage,
                module=old.module,
                causes=causes,
                column=causes[0],
                recorded=_cause_value(old, causes[0]),
                found=_cause_value(new, causes[0]),
                message=f"{old.stage}/{old.module} gives the same bits, but its {' and '.join(causes)} changed",
            )
    if len(recorded.stages) != len(found.stages):
        longer = max(recorded.stages, found.stages, key=len)[min(len(recorded.stages), len(found.stages))]
        return Difference(stage=longer.stage, module=longer.module, causes=("stages",), message="one run stops earlier")
    return None


def _causes(old: StageRecord, new: StageRecord) -> tuple[str, ...]:
    pairs = {
        "module": (old.module, new.module),
        "code": (old.code_digest, new.code_digest),
        "settings": (old.settings_digest, new.settings_digest),
        "skills": (old.skills, new.skills),
        "inputs": (old.inputs, new.inputs),
    }
    return tuple(name for name, (a, b) in pairs.items() if a != b)


def _cause_value(record: StageRecord, cause: str) -> JsonValue:
    values: dict[str, JsonValue] = {
        "module": record.module,
        "code": record.code_digest,
        "settings": record.settings,
        "skills": dict(record.skills),
        "inputs": dict(record.inputs),
    }
    return values[cause]


def _locate(old: StageRecord, new: StageRecord, name: str, causes: tuple[str, ...], store: ArtifactStore) -> Difference:
    base = Difference(stage=old.stage, module=old.module, causes=causes, artifact=name)
    if name not in old.outputs or name not in new.outputs:
        return base.model_copy(update={"message": f"only one run wrote {name}"})
    try:
        a, b = store.get(old.outputs[name]), store.get(new.outputs[name])
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
        return base.model_copy(update={"column": "ts", "row": rows, "message": f"{a.ts.size} rows against {b.ts.size}"})
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
        return base.model_copy(update={"row": rows, "message": f"{a.height} rows against {b.height}"})
    row, name = first
    old, new = a.get_column(name)[row], b.get_column(name)[row]
    where: dict[str, JsonValue] = {k: str(a.get_column(k)[row]) for k in ("event_time", "symbol") if k in a.columns}
    cell = (
        _cell(old, new)
        if isinstance(old, float) and isinstance(new, float)
        else {"recorded": _plain(old), "found": _plain(new)}
    )
    return base.model_copy(update={"column": name, "row": row, **where, **cell})


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
