"""One file of the store: some consecutive bars of one feature by one computation, named by the digest of its bytes.

The name is checked before a file is parsed: a parquet file with one byte turned can end the whole process in its
reader. What was parsed is checked once more, against the digest of its values.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from modules.artifacts import write_whole
from modules.canonical import canonical_floats, canonical_json
from modules.featurestore.availability import microseconds
from modules.featurestore.errors import DamagedError, FeatureStoreError
from modules.featurestore.identity import Source, Wanted
from modules.panel import FloatArray, IntArray

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER = "pieces"
MAX_CELLS = 1 << 20
MAX_TAIL = 16
_ROW_GROUP = 1 << 16
_TIME = pl.Datetime("us", "UTC")
_UNITS = ("D", "M", "Y")


class Piece(BaseModel):
    """What the log says of a file: the digest of its bytes and of its values, and which bars it holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sum: str
    values: str
    bars: int
    symbols: int
    start_ns: int
    end_ns: int

    @property
    def path(self) -> str:
        """Below the store's root."""
        return f"{FOLDER}/{self.sum[:2]}/{self.sum}.parquet"


@dataclass(frozen=True)
class Block:
    """Values `[T, N]` of one feature with their axes; `available` as the values, ns UTC."""

    ts: IntArray
    symbols: tuple[str, ...]
    available: IntArray
    values: FloatArray

    def rows(self, start: int, stop: int) -> Block:
        """Rows `start <= i < stop`."""
        part = slice(start, stop)
        return Block(self.ts[part], self.symbols, self.available[part], self.values[part])

    def digest(self) -> str:
        """Digest of the axes, the times and the bits of the values."""
        h = hashlib.sha256(canonical_json({"symbols": list(self.symbols), "bars": int(self.ts.size)}).encode())
        h.update(np.ascontiguousarray(self.ts, dtype="<i8").tobytes())
        h.update(np.ascontiguousarray(self.available, dtype="<i8").tobytes())
        h.update(canonical_floats(self.values).tobytes())
        return h.hexdigest()


def cuts(ts: IntArray, symbols: int, start: int) -> list[tuple[int, int]]:
    """Row spans from `start` on, split where a period ends: the longest of decade, year, month and day that keeps
    pieces below MAX_CELLS. Periods of the calendar, so that later bars move no earlier cut."""
    if start >= ts.size:
        return []
    periods = np.flatnonzero(np.diff(periods_of(ts, symbols)[start:])) + 1 + start
    edges = [start, *(int(p) for p in periods), int(ts.size)]
    return list(pairwise(edges))


def periods_of(ts: IntArray, symbols: int) -> IntArray:
    """The number of the period that each bar lies in."""
    moments = ts.astype("datetime64[ns]")
    labels = moments.astype("datetime64[Y]").astype(np.int64) // 10
    for unit in reversed(_UNITS):
        if np.unique(labels, return_counts=True)[1].max(initial=0) * symbols <= MAX_CELLS:
            break
        labels = moments.astype(f"datetime64[{unit}]").astype(np.int64)
    return labels


def encode(block: Block, wanted: Wanted, source: Source) -> bytes:
    """The file of a block: a row for each bar and symbol, bar after bar; NaN as null."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows, columns = block.values.shape
    values = canonical_floats(block.values)
    if bool(np.isinf(values).any()):
        raise FeatureStoreError(
            f"{wanted.feature} holds infinite values, which the language does not have",
            "store what `evaluate` gives",
        )
    n = rows * columns
    table = pa.table(
        {
            "event_time": _times("event_time", np.repeat(block.ts, columns)),
            "available_at": _times("available_at", block.available.ravel()),
            "symbol": _texts(block.symbols, np.tile(np.arange(columns, dtype=np.int32), rows)),
            "feature": _texts((wanted.feature,), np.zeros(n, dtype=np.int32)),
            "value": pl.Series(values.ravel()).fill_nan(None).to_arrow(),
            "computation": _texts((wanted.computation,), np.zeros(n, dtype=np.int32)),
            "data": _texts((source.data,), np.zeros(n, dtype=np.int32)),
            "data_version": _texts((source.version,), np.zeros(n, dtype=np.int32)),
        }
    )
    buffer = io.BytesIO()
    # Without Arrow's own schema, texts are texts to every reader, though they are written as a dictionary.
    pq.write_table(
        table,
        buffer,
        store_schema=False,
        use_dictionary=[c for c in table.column_names if c != "value"],
        compression="zstd",
        compression_level=1,
        row_group_size=_ROW_GROUP,
    )
    return buffer.getvalue()


# By way of polars: pyarrow imports pandas to look at an array, which takes a second.


def _times(name: str, ns: IntArray) -> pa.Array:
    return pl.Series(microseconds(name, ns)).cast(_TIME).to_arrow()


def _texts(texts: Sequence[str], places: NDArray[np.int32]) -> pa.DictionaryArray:
    """Texts by their place in a short list."""
    import pyarrow as pa

    return pa.DictionaryArray.from_arrays(pl.Series(places).to_arrow(), pl.Series(texts, dtype=pl.String).to_arrow())


def put(root: Path, block: Block, wanted: Wanted, source: Source) -> Piece:
    """Write a block's file, or find it there; on disk when this returns. Raises OSError."""
    content = encode(block, wanted, source)
    piece = Piece(
        sum=hashlib.sha256(content).hexdigest(),
        values=block.digest(),
        bars=int(block.ts.size),
        symbols=len(block.symbols),
        start_ns=int(block.ts[0]),
        end_ns=int(block.ts[-1]),
    )
    path = root / piece.path
    if path.is_file() and path.read_bytes() == content:
        os.utime(path)  # somebody counts on it from now on: see `sweep`
    else:
        write_whole(path, content)
    return piece


def get(root: Path, piece: Piece) -> Block:
    """Read a file. Raises DamagedError, before it is parsed, where its bytes are not those that were written."""
    path = root / piece.path
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DamagedError(f"{path} cannot be read ({error.strerror}), and the log counts on it", root) from error
    if hashlib.sha256(content).hexdigest() != piece.sum:
        raise DamagedError(f"{path} was changed or cut short", root)
    block = _decode(content, piece)
    if block.digest() != piece.values:
        raise DamagedError(f"{path} holds other values than the log says", root)
    return block


def _decode(content: bytes, piece: Piece) -> Block:
    table = pl.read_parquet(io.BytesIO(content), columns=["event_time", "available_at", "symbol", "value"])
    shape = (piece.bars, piece.symbols)
    return Block(
        ts=_ns(table, "event_time").reshape(shape)[:, 0],
        symbols=tuple(table.get_column("symbol").head(shape[1]).to_list()),
        available=_ns(table, "available_at").reshape(shape),
        values=table.get_column("value").fill_null(np.nan).to_numpy().reshape(shape),
    )


def _ns(table: pl.DataFrame, name: str) -> IntArray:
    return table.get_column(name).to_physical().to_numpy() * 1_000
