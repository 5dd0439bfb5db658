"""Canonical bytes and digests: what a thing *is*, independent of how a file stores it.

A digest covers the schema and the columns, with one bit pattern for NaN and no negative zero,
so equal content has equal digests on every machine and in every file format.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from modules.panel import FloatArray, Panel

Artifact = Panel | pl.DataFrame

_NAN_BITS = np.uint64(0x7FF8000000000000)
_NO_NULLS = b"-"
_READ_OTHERWISE = b"-+0123456789"  # bytes that a reader would take for a mark, or for a digit of the height


def canonical_floats(values: FloatArray) -> FloatArray:
    """Float64 in C order with every NaN as one bit pattern and -0.0 as 0.0 (a copy)."""
    out = np.array(values, dtype="<f8", order="C", copy=True)
    out += 0.0  # IEEE 754: -0.0 + 0.0 is +0.0; every other value keeps its bits
    out.view(np.uint64)[np.isnan(out)] = _NAN_BITS
    return out


def canonical_json(value: object) -> str:
    """JSON with sorted keys, no spaces, and no NaN (which JSON cannot carry)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest_json(value: object) -> str:
    """SHA-256 of the canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def digest_bytes(data: bytes) -> str:
    """SHA-256 of raw bytes (source files; never of a data file)."""
    return hashlib.sha256(data).hexdigest()


def digest_panel(panel: Panel) -> str:
    """Digest of a panel: axes, then the fields in name order."""
    h = hashlib.sha256(b"panel/1\n")
    names = sorted(panel.fields)
    h.update(canonical_json({"symbols": list(panel.symbols), "fields": names, "shape": list(panel.shape)}).encode())
    h.update(np.ascontiguousarray(panel.ts, dtype="<i8").tobytes())
    for name in names:
        h.update(canonical_floats(panel.fields[name]).tobytes())
    return h.hexdigest()


def digest_table(table: pl.DataFrame) -> str:
    """Digest of a table: schema, then each column's validity and values in column order.

    The bytes can be read back in one way only: the schema ends itself, the height ends at the first byte
    that is no digit, and from the height on every length is known or written before what it measures.
    Raises TypeError for a column type that has no canonical bytes (objects, categoricals, nested).
    """
    h = hashlib.sha256(b"table/1\n")
    h.update(canonical_json([[n, str(t)] for n, t in table.schema.items()]).encode())
    h.update(str(table.height).encode())
    for name in table.columns:
        column = table.get_column(name)
        h.update(_validity(column))
        _column_bytes(column, h.update)
    return h.hexdigest()


def _validity(column: pl.Series) -> bytes:
    """`-` where nothing is null, else one bit a row, after a `+` where its first byte could be taken for another."""
    if not column.null_count():
        return _NO_NULLS
    bits = np.packbits(column.is_null().to_numpy()).tobytes()
    return b"+" + bits if bits[0] in _READ_OTHERWISE else bits


_INT64_HOLDS = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32)


def _column_bytes(column: pl.Series, update: Callable[[Any], None]) -> None:
    dtype = column.dtype
    if dtype.is_float():
        update(canonical_floats(column.cast(pl.Float64).fill_null(0.0).to_numpy()).tobytes())
    elif dtype == pl.Boolean:
        update(np.packbits(column.fill_null(False).to_numpy()).tobytes())
    elif dtype == pl.UInt64:  # its upper half has no int64
        update(np.ascontiguousarray(column.fill_null(0).to_numpy(), dtype="<u8").tobytes())
    elif dtype in _INT64_HOLDS or isinstance(dtype, pl.Datetime | pl.Duration) or dtype == pl.Date:
        physical = column.to_physical().cast(pl.Int64)
        update(np.ascontiguousarray(physical.fill_null(0).to_numpy(), dtype="<i8").tobytes())
    elif dtype == pl.String or isinstance(dtype, pl.Enum):
        text = column.cast(pl.String).fill_null("")
        update(np.ascontiguousarray(text.str.len_bytes().to_numpy(), dtype="<u4").tobytes())
        update("".join(text.to_list()).encode())
    elif dtype == pl.Null:
        return
    else:
        raise TypeError(
            f"column {column.name} has type {dtype}, which has no canonical bytes; cast it to text or numbers"
        )


def digest_artifact(artifact: Artifact) -> str:
    """Digest of a panel or a table."""
    return digest_panel(artifact) if isinstance(artifact, Panel) else digest_table(artifact)


def digest_mapping(digests: Mapping[str, str] | Sequence[tuple[str, str]]) -> str:
    """One digest over named digests, independent of their order."""
    return digest_json(dict(sorted(dict(digests).items())))
