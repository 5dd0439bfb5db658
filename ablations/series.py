"""Objective series as they stand in a record: whole numbers of 1e-9, packed as text.

Both arms are rounded to nano-returns before anything is measured, live and when a verdict is recomputed, so
a record is small enough to commit and still gives the verdict to the last bit.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from ablations.floor import FloorError, Series
from modules.canonical import digest_bytes
from modules.panel import FloatArray, IntArray

UNIT = 1e-9
_LARGEST = 2**31 - 1
MOST_CELLS = 2_000_000


class PackedSeries(BaseModel):
    """Arms x tasks x bars. `digest` covers shape, times and numbers, not how they are packed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tasks: int
    bars: int
    bars_per_year: float
    times: str
    values: str
    digest: str

    def unpack(self) -> tuple[IntArray, Series]:
        """`(ts, series)`. Raises FloorError where the numbers are not those of the digest."""
        if not (0 < self.tasks <= 1_000 and self.bars > 0 and 2 * self.tasks * self.bars <= MOST_CELLS):
            raise FloorError(f"series of {self.tasks} tasks and {self.bars} bars cannot be unpacked")
        cells = 2 * self.tasks * self.bars
        times, values = _inflate(self.times, 8 * self.bars), _inflate(self.values, 4 * cells)
        if _digest(self.tasks, self.bars, self.bars_per_year, times, values) != self.digest:
            raise FloorError("the record's series do not give its digest: they were changed")
        ts = np.frombuffer(times, dtype="<i8").astype(np.int64)
        whole = np.frombuffer(values, dtype="<i4").reshape(2, self.tasks, self.bars)
        return ts, _series(whole[0], whole[1], self.bars_per_year)


@dataclass(frozen=True)
class Rounded:
    """The series that is measured, and its packed form."""

    series: Series
    packed: PackedSeries


def round_series(ts: IntArray, arms: Sequence[tuple[FloatArray, FloatArray]], bars_per_year: float) -> Rounded:
    """Both arms of every task as nano-units. Raises FloorError for a value that is missing or beyond +-2.1."""
    whole = []
    for side in (0, 1):
        stacked = np.stack([pair[side] for pair in arms])
        if not np.isfinite(stacked).all():
            raise FloorError("an objective series holds NaN or infinity; every bar of the judged period needs a value")
        scaled = np.rint(stacked / UNIT)
        if float(np.abs(scaled).max(initial=0.0)) > _LARGEST:
            most = float(np.abs(stacked).max())
            raise FloorError(f"an objective series reaches {most:g} a bar; at most 2.1 can be recorded")
        whole.append(scaled.astype("<i4"))
    times = np.ascontiguousarray(ts, dtype="<i8").tobytes()
    values = whole[0].tobytes() + whole[1].tobytes()
    tasks, bars = whole[0].shape
    packed = PackedSeries(
        tasks=tasks,
        bars=bars,
        bars_per_year=bars_per_year,
        times=_deflate(times),
        values=_deflate(values),
        digest=_digest(tasks, bars, bars_per_year, times, values),
    )
    return Rounded(_series(whole[0], whole[1], bars_per_year), packed)


def _series(before: NDArray[np.int32], after: NDArray[np.int32], bars_per_year: float) -> Series:
    return Series(before.astype(np.float64) * UNIT, after.astype(np.float64) * UNIT, bars_per_year)


def _digest(tasks: int, bars: int, bars_per_year: float, times: bytes, values: bytes) -> str:
    return digest_bytes(f"series/1 {tasks} {bars} {bars_per_year!r}\n".encode() + times + values)


def _deflate(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 9)).decode()


def _inflate(text: str, size: int) -> bytes:
    try:
        box = zlib.decompressobj()
        data = box.decompress(base64.b64decode(text, validate=True), size)
    except (ValueError, zlib.error) as error:
        raise FloorError(f"the record's series cannot be unpacked: {error}") from error
    if len(data) != size or box.unconsumed_tail:
        raise FloorError(f"the record's series hold {len(data)} bytes; expected {size}")
    return data
