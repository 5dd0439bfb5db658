"""How a boundary looks at an artifact: rules per panel field, dataframely schemas for tables, violations as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import dataframely as dy
import numpy as np
import polars as pl

from modules.panel import FloatArray, Panel, iso

FIRST_ROWS = 5


@dataclass(frozen=True)
class Violation:
    """One rule that an artifact breaks: how often, and where first."""

    port: str
    rule: str
    count: int
    first_rows: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f"; first: {'; '.join(self.first_rows)}" if self.first_rows else ""
        return f"{self.port}: {self.rule} ({self.count} rows){where}"


@dataclass(frozen=True)
class FieldRule:
    """What one panel field may hold. Infinite values are always refused."""

    required: bool = True
    nan: bool = True
    minimum: float | None = None
    exclusive_minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True)
class PanelSchema:
    """Rules per field; `others` says whether further fields may be present."""

    fields: Mapping[str, FieldRule]
    others: bool = False

    def check(self, port: str, value: object) -> list[Violation]:
        """Every rule that `value` breaks, with count and first rows."""
        if not isinstance(value, Panel):
            return [Violation(port, f"must be a Panel, is {type(value).__name__}", 1)]
        found = []
        if value.shape[0] == 0:
            found.append(Violation(port, "has zero rows", 0))
        if value.shape[1] == 0:
            found.append(Violation(port, "has zero symbols", 0))
        for name, rule in self.fields.items():
            if name in value:
                found += _check_field(port, name, rule, value)
            elif rule.required:
                found.append(Violation(port, f"field {name} is missing", value.shape[0]))
        if not self.others:
            found += [
                Violation(port, f"field {n} is not in the contract", value.shape[0])
                for n in value
                if n not in self.fields
            ]
        return found


def _check_field(port: str, name: str, rule: FieldRule, panel: Panel) -> list[Violation]:
    values = panel[name]
    broken: list[tuple[str, np.ndarray[Any, np.dtype[np.bool_]]]] = [(f"{name} is infinite", np.isinf(values))]
    if not rule.nan:
        broken.append((f"{name} is missing", np.isnan(values)))
    if rule.minimum is not None:
        broken.append((f"{name} below {rule.minimum}", values < rule.minimum))
    if rule.exclusive_minimum is not None:
        broken.append((f"{name} not above {rule.exclusive_minimum}", values <= rule.exclusive_minimum))
    if rule.maximum is not None:
        broken.append((f"{name} above {rule.maximum}", values > rule.maximum))
    return [
        Violation(port, what, int(mask.sum()), first_cells(panel, values, mask)) for what, mask in broken if mask.any()
    ]


def first_cells(panel: Panel, values: FloatArray, mask: np.ndarray[Any, np.dtype[np.bool_]]) -> tuple[str, ...]:
    """The first offending cells as `time symbol = value`."""
    rows, columns = np.nonzero(mask)
    return tuple(
        f"{iso(int(panel.ts[r]))} {panel.symbols[c]} = {float(values[r, c])!r}"
        for r, c in zip(rows[:FIRST_ROWS], columns[:FIRST_ROWS], strict=True)
    )


@dataclass(frozen=True)
class TableSchema:
    """A dataframely schema at a boundary."""

    schema: type[dy.Schema]
    allow_empty: bool = True
    optional: frozenset[str] = frozenset()
    """Columns that may be absent."""

    def check(self, port: str, value: object) -> list[Violation]:
        """Every rule that `value` breaks, with count and first rows."""
        if not isinstance(value, pl.DataFrame):
            return [Violation(port, f"must be a table, is {type(value).__name__}", 1)]
        if not self.allow_empty and value.is_empty():
            return [Violation(port, "has zero rows", 0)]
        expected = {name: column.dtype for name, column in self.schema.columns().items()}
        absent = [name for name in self.optional if name not in value.columns]
        value = value.with_columns(pl.lit(None, expected[name]).alias(name) for name in sorted(absent))
        wrong = [
            Violation(port, f"column {n} has type {value.schema.get(n)}; expected {t}", value.height)
            for n, t in expected.items()
            if value.schema.get(n) != t
        ]
        wrong += [
            Violation(port, f"column {n} is not in the contract", value.height)
            for n in value.columns
            if n not in expected
        ]
        if wrong:
            return wrong
        _, failure = self.schema.filter(value)
        bad = failure.invalid().head(FIRST_ROWS)
        rows = tuple(
            ", ".join(f"{k}={v}" for k, v in row.items() if v is not None) for row in bad.iter_rows(named=True)
        )
        return [Violation(port, rule, count, rows) for rule, count in failure.counts().items()]


class RawSchema(dy.Schema):
    """Ingest's only fixed rule for raw input: where each row came from. Other columns are free."""

    source_file = dy.String(nullable=False)
    source_row = dy.Int64(nullable=False, min=0)


@dataclass(frozen=True)
class RawTable:
    """A table as it came: any columns, plus `source_file` and `source_row`."""

    def check(self, port: str, value: object) -> list[Violation]:
        """Only provenance is required of raw input."""
        if not isinstance(value, pl.DataFrame):
            return [Violation(port, f"must be a table, is {type(value).__name__}", 1)]
        missing = [c for c in ("source_file", "source_row") if c not in value.columns]
        if missing:
            return [Violation(port, f"column {c} is missing", value.height) for c in missing]
        return TableSchema(RawSchema).check(port, value.select("source_file", "source_row"))
