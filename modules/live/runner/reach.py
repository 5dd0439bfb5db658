"""How far back a programme looks, and what may be forgotten: a runner that trades for months must not grow with them.

A decision is a function of the last bars alone where its signal has no operator with an infinite memory, its sizing no
band that keeps what is held, and cleaning repairs nothing by what came before. Whether it is so is read off the
settings (`reach`) and then proved on the bars at hand (`forgettable`); where either says no, everything is kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from modules.contract import ContractError, ModuleSettings
from modules.engine.accounting import EngineError
from modules.feature.family import signal_of
from modules.feature.settings import FamilySettings
from modules.live.runner.decide import DecideError, Programme, decide_all
from modules.live.units import DAY_NS
from modules.panel import IntArray, Panel
from modules.signal import Node, SignalError, parse, warmup
from modules.signal.nodes import Call, distinct
from modules.signal.operators import find
from modules.signal.operators.row import Kind

KEPT_BARS: Final = 1_000
"""The last bars are kept whatever is read, and four times as many as are read."""
_FIELDS: Final = ("open", "high", "low", "close", "volume")
_STATED: Final = ("adj_close", "split", "dividend", "delisting", "member")
"""What cleaning reads over the whole of history."""


@dataclass(frozen=True)
class Forgotten:
    """Records without the bars of before, and the labels of those."""

    records: pl.DataFrame
    labels: IntArray


def reach(programme: Programme) -> int | None:
    """Bars that a decision reads, its own included; None = all there are, or it is not known."""
    modules = programme.modules
    clean, size = modules["clean"], modules["size"]
    node = _signal(modules["feature"].settings)
    if node is None or (clean.name, size.name) != ("quality", "rank_neutral"):
        return None
    rules, shape = clean.settings.model_dump(), size.settings.model_dump()
    if (rules["spike_action"], rules["stale_action"], rules["max_fill_bars"]) != ("flag", "flag", 0):
        return None
    if shape["no_trade_band"] != 0.0 or any(_remembers(part) for part in distinct(node)):
        return None
    return warmup(node) + int(shape["smoothing_bars"])


def forgettable(
    programme: Programme, records: pl.DataFrame, instruments: pl.DataFrame, facts: pl.DataFrame | None
) -> Forgotten | None:
    """The records that are needed on, whole UTC days; None = all of them. Weights on every bar that is left are made of
    both and compared, bit for bit, before anything is forgotten."""
    bars = reach(programme)
    if bars is None or facts is not None or records.is_empty():
        return None
    at = records["event_time"].to_physical()
    labels = at.unique().sort().to_numpy()
    least = max(KEPT_BARS, 4 * bars)
    if labels.size <= least:
        return None
    begin = int(labels[-least]) // DAY_NS * DAY_NS
    kept = records.filter(at >= begin)
    if kept.height == records.height or not _like(kept, records):
        return None
    known = records["available_at"].to_physical().max()
    assert isinstance(known, int), "there are records"
    try:
        before, whole = decide_all(programme, records, instruments, known)
        after, part = decide_all(programme, kept, instruments, known)
    except (DecideError, ContractError, EngineError, SignalError):
        return None  # the next bar says it
    rows = min(part.ts.size, whole.ts.size, after.ts.size - bars)
    if rows <= 0 or not (_same(before, after, rows) and _same(whole, part, rows)):
        return None
    return Forgotten(kept, before.ts[before.ts < begin])


def enough(programme: Programme, records: pl.DataFrame) -> bool:
    """Whether a programme decides on records of which the oldest are gone as on all of them."""
    bars = reach(programme)
    return bars is not None and bars < records["event_time"].n_unique()


def _signal(settings: ModuleSettings) -> Node | None:
    """The tree that a feature module evaluates."""
    if isinstance(settings, FamilySettings):
        return signal_of(settings)
    text = settings.model_dump().get("expr")
    return parse(text) if isinstance(text, str) else None


def _remembers(part: Node) -> bool:
    row = find(part.operator) if isinstance(part, Call) else None
    return row is not None and row.kind is Kind.STATE


def _like(kept: pl.DataFrame, records: pl.DataFrame) -> bool:
    """Whether the same symbols and fields are there, and nothing that is stated once for all."""
    if any(name in records.columns and records[name].null_count() < records.height for name in _STATED):
        return False
    there = [[n for n in _FIELDS if t[n].null_count() < t.height] for t in (kept, records)]
    return there[0] == there[1] and kept["symbol"].n_unique() == records["symbol"].n_unique()


def _same(whole: Panel, part: Panel, rows: int) -> bool:
    """Whether the last rows are equal."""
    return (
        whole.symbols == part.symbols
        and whole.fields.keys() == part.fields.keys()
        and np.array_equal(whole.ts[-rows:], part.ts[-rows:])
        and all(np.array_equal(whole[n][-rows:], part[n][-rows:], equal_nan=True) for n in whole.fields)
    )
