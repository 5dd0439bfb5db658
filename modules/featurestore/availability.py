"""When a value could be known: once the last bar that it reads was.

A bar restated later takes the values that read it along: they hold what nobody knew when their own bar closed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import polars as pl

from modules.canonical import digest_json, digest_panel
from modules.contract import TIME
from modules.featurestore.errors import FeatureStoreError
from modules.featurestore.identity import Source
from modules.panel import IntArray, Panel, iso
from modules.signal import Call, Node
from modules.signal.operators import Kind, find


@dataclass(frozen=True)
class Measured:
    """Bars with their times of availability: `available` is `[T, N]` int64 ns UTC, what the records said in whole
    microseconds, rounded up."""

    bars: Panel
    available: IntArray
    source: Source


def measured(
    data: str, version: str, bars: Panel, records: pl.DataFrame, lockbox_ns: int, *, in_order: bool = False
) -> Measured:
    """Bars beside the records that they were made of; `in_order` lets no bar be known before an earlier one of its
    symbol. Raises FeatureStoreError where a bar has no record, or lies in the lockbox."""
    if bars.shape[0] and int(bars.ts[-1]) >= lockbox_ns:
        raise FeatureStoreError(
            f"the bars of {data} reach to {iso(int(bars.ts[-1]))}, into its lockbox, which begins at {iso(lockbox_ns)}",
            "end the period at or before that",
        )
    # A Delta timestamp holds microseconds, and a restatement may follow by one nanosecond: late rather than early.
    available = -(-bar_times(bars, records) // 1_000) * 1_000
    if in_order:
        available = np.maximum.accumulate(available, axis=0)
    digest = digest_json({"bars": digest_panel(bars), "available": hashlib.sha256(available.tobytes()).hexdigest()})
    return Measured(bars, available, Source(data, version, digest, lockbox_ns))


def bar_times(bars: Panel, records: pl.DataFrame) -> IntArray:
    """`[T, N]`: when each cell of the bars could be known. A cell without a record (a symbol that did not trade) is
    known to be empty once the last record of its row was there."""
    latest = (
        records.filter(pl.col("symbol").is_in(list(bars.symbols)))
        .group_by("symbol", "event_time")
        .agg(pl.col("available_at").max())
    )
    stamps = latest.get_column("event_time").cast(TIME).to_physical().to_numpy()
    rows = np.searchsorted(bars.ts, stamps)
    known = (rows < bars.ts.size) & (bars.ts[np.minimum(rows, bars.ts.size - 1)] == stamps)
    places = {symbol: i for i, symbol in enumerate(bars.symbols)}
    columns = np.array([places[s] for s in latest.get_column("symbol").to_list()], dtype=np.int64)
    times = latest.get_column("available_at").cast(TIME).to_physical().to_numpy()
    available = np.full(bars.shape, np.iinfo(np.int64).min, dtype=np.int64)
    available[rows[known], columns[known]] = times[known]
    last = available.max(axis=1, keepdims=True)
    bare = np.flatnonzero(last[:, 0] == np.iinfo(np.int64).min)
    if bare.size:
        raise FeatureStoreError(
            f"{bare.size} rows of the bars have no record (first {iso(int(bars.ts[bare[0]]))}), so nobody knows when "
            "they could be known",
            "give the records that these bars were made of",
        )
    return np.where(available == np.iinfo(np.int64).min, last, available)


@dataclass(frozen=True)
class Reach:
    """What one value reads: `bars` back, its own included (None = all), and whether other symbols too."""

    bars: int | None
    across: bool


def reach_of(node: Node) -> Reach:
    """The reach of a signal: windows add up along a path, the longest path counts."""
    if not isinstance(node, Call):
        return Reach(1, False)
    row = find(node.operator)
    if row is None:
        raise FeatureStoreError(f"unknown operator {node.operator}", "`cws signal ops` lists the operators")
    parts = [reach_of(i) for i in node.inputs]
    across = row.kind is Kind.CROSS or any(p.across for p in parts)
    if row.kind is Kind.STATE or any(p.bars is None for p in parts):
        return Reach(None, across)
    return Reach(max((p.bars or 1 for p in parts), default=1) + row.rows(node.numbers) - 1, across)


def known_at(node: Node, available: IntArray, cache: dict[Reach, IntArray] | None = None) -> IntArray:
    """`[T, N]`: when each value of the signal could be known, from when each bar could be."""
    reach = reach_of(node)
    kept = {} if cache is None else cache
    if reach not in kept:
        own = available.max(axis=1, keepdims=True) if reach.across else available
        kept[reach] = np.ascontiguousarray(np.broadcast_to(_latest(own, reach.bars), available.shape))
    return kept[reach]


def _latest(times: IntArray, bars: int | None) -> IntArray:
    """The largest of the last `bars` rows, per column."""
    if bars is None:
        return np.maximum.accumulate(times, axis=0)
    if bars == 1 or bool((np.diff(times, axis=0) >= 0).all()):
        return times
    # Windows of 1, 2, 4 ... rows; two that overlap make any length between.
    found, length = times.copy(), 1
    while length < bars:
        step = min(length, bars - length)
        found[step:] = np.maximum(found[step:], found[:-step].copy())
        length += step
    return found


def microseconds(name: str, times: IntArray) -> IntArray:
    """ns as the microseconds that a Delta timestamp holds. Raises FeatureStoreError where that would lose bits."""
    if bool((times % 1_000).any()):
        odd = int(times[times % 1_000 != 0].ravel()[0])
        raise FeatureStoreError(
            f"{name} {odd} ns is no whole number of microseconds, which is what a Delta timestamp holds",
            "label the bars in whole microseconds",
        )
    return times // 1_000
