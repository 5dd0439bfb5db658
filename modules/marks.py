"""Marks by which the store knows rows again that another set keeps in its lockbox, whatever the set is called.

A mark is a 64-bit hash, so that the lists of a lockbox hold no value and no name. Two kinds, because a set is told by
either: `name` marks a symbol (without its venue) on a UTC day, which survives new adjustments and other vendors; `move`
marks the day's relative change of value, which survives another name for the symbol. A file whose symbols are renamed
and whose values are changed by more than rounding is not known again: whoever holds a file can disguise it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from modules.contract import TIME
from modules.panel import IntArray

Words = NDArray[np.uint64]

DAY_NS = 86_400_000_000_000
CELLS: dict[str, pl.DataType] = {"symbol": pl.String(), "event_time": TIME, "value": pl.Float64()}
"""What a registration tells of its rows: `value` is a price whose relative change marks the day, or null."""

MOVE_STEP = 1e-6
"""Relative changes are told apart to this step: finer than two vendors' rounding of prices above a dollar differs."""

FEWEST_MOVES = 20
ALIKE_SHARE = 0.5
"""A symbol is known again by its moves where at least half of 20 or more of its days are in the other's lockbox."""

_A, _B = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_STEP = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, eq=False)
class Marked:
    """Cells by symbol and day, in order: time of the day's last cell (ns UTC), symbol, its two marks (0 = no move)."""

    time_ns: IntArray
    symbol: NDArray[np.object_]
    name: Words
    move: Words

    def before(self, limit_ns: int) -> Marked:
        """The cells before `limit_ns`."""
        return self._where(self.time_ns < limit_ns)

    def since(self, limit_ns: int) -> Marked:
        """The cells at or after `limit_ns`."""
        return self._where(self.time_ns >= limit_ns)

    def _where(self, keep: NDArray[np.bool_]) -> Marked:
        return Marked(self.time_ns[keep], self.symbol[keep], self.name[keep], self.move[keep])

    def found_in(self, sealed: pl.DataFrame) -> Marked:
        """Those of the cells that the marks `sealed` (as of `sealed_marks`) hold."""
        by = {
            kind: rows.get_column("mark").to_numpy()
            for (kind,), rows in sealed.partition_by("by", as_dict=True).items()
        }
        none = np.empty(0, np.uint64)
        hit = np.isin(self.name, by.get("name", none))
        moved = self.move != 0
        alike = moved & np.isin(self.move, _by(sealed, "move"))
        if alike.any():
            hit |= alike & self._mostly(alike, moved)
        return self._where(hit)

    def _mostly(self, alike: NDArray[np.bool_], moved: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Cells of symbols most of whose moves are `alike`. Days before the first that is say nothing: they lie before
        the other's lockbox."""
        table = pl.DataFrame(
            {"symbol": self.symbol.astype(str), "time": self.time_ns, "alike": alike, "moved": moved}
        ).with_columns(pl.col("time").filter("alike").min().over("symbol").alias("first"))
        counted = (pl.col("moved") & (pl.col("time") >= pl.col("first"))).sum().over("symbol")
        found = pl.col("alike").sum().over("symbol")
        keep = table.select(((found >= FEWEST_MOVES) & (found >= ALIKE_SHARE * counted)).fill_null(False))
        mostly: NDArray[np.bool_] = keep.to_series().to_numpy()
        return mostly


def mark(cells: pl.DataFrame) -> Marked:
    """Marks of `cells` (columns as CELLS), a row a symbol and UTC day. Rows without time or symbol have none."""
    days = (
        cells.drop_nulls(["symbol", "event_time"])
        .sort("symbol", "event_time")
        .group_by("symbol", pl.col("event_time").dt.truncate("1d").alias("day"), maintain_order=True)
        .agg(pl.col("event_time").last(), pl.col("value").last())
    )
    day = days.get_column("day").to_physical().to_numpy().astype(np.int64) // DAY_NS
    symbol = days.get_column("symbol").to_numpy().astype(object)
    value = days.get_column("value").fill_null(float("nan")).to_numpy().astype(np.float64)
    same = np.concatenate([[False], symbol[1:] == symbol[:-1]]) if symbol.size else np.zeros(0, np.bool_)
    before = np.concatenate([[np.nan], value[:-1]]) if value.size else value
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.where(same & (before > 0.0), value / before - 1.0, np.nan)
    steps = np.round(np.where(np.isfinite(change) & (np.abs(change) < 1e6), change, 0.0) / MOVE_STEP).astype(np.int64)
    return Marked(
        time_ns=days.get_column("event_time").to_physical().to_numpy().astype(np.int64),
        symbol=symbol,
        name=name_marks(symbol, day),
        move=np.where(steps != 0, _mixed(_words(day), _words(steps)), np.uint64(0)),
    )


def name_marks(symbols: NDArray[np.object_], days: IntArray) -> Words:
    """Marks of symbols on days (since 1970), element by element."""
    known = {s: _of_text(str(s).split(".", 1)[0].upper()) for s in set(symbols.tolist())}
    return _mixed(np.array([known[s] for s in symbols.tolist()], np.uint64), _words(days))


def sealed_marks(marked: Marked, seen: Words) -> pl.DataFrame:
    """`mark`, `by` of the cells of a lockbox, in the order of the marks, which tells nothing. Those whose name marks
    are `seen` lay open elsewhere before: they are `seen` and guarded against nothing."""
    fresh = ~np.isin(marked.name, seen)
    kinds = (("name", marked.name[fresh]), ("move", marked.move[fresh]), ("seen", marked.name[~fresh]))
    return pl.concat(
        pl.DataFrame({"mark": np.unique(words[words != 0])}, schema={"mark": pl.UInt64}).with_columns(by=pl.lit(by))
        for by, words in kinds
    )


def names_of(sealed: pl.DataFrame) -> Words:
    """The name marks of a lockbox, those that lay open before included."""
    marks: Words = sealed.filter(pl.col("by") != "move").get_column("mark").to_numpy()
    return marks


def open_spans(marked: Marked) -> pl.DataFrame:
    """`symbol`, `first`, `last` (days since 1970) of the cells before a lockbox."""
    table = pl.DataFrame({"symbol": marked.symbol.astype(str), "day": marked.time_ns // DAY_NS})
    return (
        table.group_by("symbol")
        .agg(pl.col("day").min().alias("first"), pl.col("day").max().alias("last"))
        .sort("symbol")
    )


def seen_in(names: Words, spans: pl.DataFrame, days: IntArray) -> Words:
    """Those of the name marks `names` that lie open where a set shows the symbols `spans` on the distinct `days`."""
    found = [np.empty(0, np.uint64)]
    for symbol, first, last in spans.iter_rows():
        shown = days[(days >= first) & (days <= last)]
        found.append(np.intersect1d(names, name_marks(np.array([symbol] * shown.size, object), shown)))
    return np.unique(np.concatenate(found))


def _by(sealed: pl.DataFrame, kind: str) -> Words:
    marks: Words = sealed.filter(pl.col("by") == kind).get_column("mark").to_numpy()
    return marks


def _of_text(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


def _words(values: IntArray) -> Words:
    return values.astype(np.int64).view(np.uint64)


def _mixed(one: Words, other: Words) -> Words:
    """One word of two: the finaliser of SplitMix64 (Steele, Lea and Flood 2014) over both. Wraps around by design."""
    with np.errstate(over="ignore"):
        word = _final(other + _STEP) ^ one
        return _final(word)


def _final(word: Words) -> Words:
    with np.errstate(over="ignore"):
        word = (word ^ (word >> np.uint64(30))) * _A
        word = (word ^ (word >> np.uint64(27))) * _B
        out: Words = word ^ (word >> np.uint64(31))
        return out
