"""Facts to panel fields as they were known at each bar.

Row t of a field uses facts with `available_at` at or before the moment `known_at` of bar t, and nothing else: the
newest statement made by then of each figure, and of those the newest period (`modules/facts/history.py`). A figure
whose period ended more than `stale_days` before is NaN.

Market value. Back-adjusted prices times shares as filed is no market value: the adjusted price of 2009 is divided by
the split of 2014, which nobody knew. So `market_cap` is the close as it was traded, from records that carry an adjusted
close beside it, times the shares as filed, times the splits since they were filed. A split is a day on which the raw
and the adjusted return part by more than a tenth; dividends do not. A vendor whose "close" is itself adjusted for
later splits makes both wrong, and nothing in one file shows it. Data with corporate actions of their own (docs/data.md)
say both outright.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from modules.calendars import DAY_NS, close_of
from modules.contract import TIME
from modules.facts.concepts import BY_NAME
from modules.facts.fields import AVERAGE_SHARES, CLOSE_AS_TRADED, MARKET_CAP, SHARES, View, Window, view_of
from modules.facts.history import History, Stated
from modules.panel import FloatArray, IntArray, Panel, iso

SPLIT_RATIO = 1.1
MOST_APART = 10.0
Look = tuple[Window, bool]
"""A window, and whether that of a year ago is meant."""
Statement = tuple[int, int, int, float]
"""When it was made, the end of its period (both ns UTC), quarters, value."""
NEVER = np.iinfo(np.int64).max


class FactsError(ValueError):
    """Facts that cannot be put beside these bars; says what is missing and what to do."""


@dataclass(frozen=True)
class Sources:
    """What fields are made of: bars, what their symbols are, the records behind them, and facts."""

    bars: Panel
    instruments: pl.DataFrame
    records: pl.DataFrame
    facts: pl.DataFrame


def known_at(bars: Panel, instruments: pl.DataFrame) -> IntArray:
    """`[T, N]` ns UTC: the moment at which each bar is complete, or earlier where that is not certain.

    A bar labelled by its date: the close of that day's session by the symbol's calendar, or without one the end of the
    day (UTC). Any other bar, and the first, whose kind the past does not tell: its label, which for a bar stamped at
    its open is one bar early. Bars longer than a day count as known at the end of the day that labels them.
    """
    ts = bars.ts
    dated = np.cumsum(ts % DAY_NS != 0) == 0
    dated[:1] = False
    out = np.repeat(ts[:, None], len(bars.symbols), axis=1)
    for calendar, columns in _by_calendar(instruments, bars.symbols).items():
        out[:, columns] = np.where(dated, close_of(calendar, ts), ts)[:, None]
    return out


def _by_calendar(instruments: pl.DataFrame, symbols: Sequence[str]) -> dict[str, list[int]]:
    """Calendar to columns. Where a symbol had several, the latest known row says."""
    named = dict(instruments.sort("symbol", "valid_from").select("symbol", "calendar").iter_rows())
    found: dict[str, list[int]] = {}
    for column, symbol in enumerate(symbols):
        found.setdefault(named.get(symbol, ""), []).append(column)
    return found


def with_fundamentals(sources: Sources, names: Iterable[str], stale_days: int) -> Panel:
    """The bars with the fields `names` beside them, `[T, N]` each, NaN where nothing was known.

    A concept that the facts never state gives NaN (`not_stated`). Raises FactsError where no symbol of the bars has
    facts, for a name that is no concept, and where the close as traded is needed and the records do not carry it.
    """
    wanted = sorted(set(names) - set(sources.bars.fields))
    if not wanted:
        return sources.bars
    _check(sources, wanted)
    return _made(sources, wanted, stale_days)


def _made(sources: Sources, wanted: Sequence[str], stale_days: int) -> Panel:
    known = known_at(sources.bars, sources.instruments)
    made = _fields(sources, known, [n for n in wanted if not _needs_price(n)], stale_days)
    if len(made) < len(wanted):
        traded, splits = as_traded(sources)
        shares = _shares(sources, known, splits, stale_days)
        priced = {CLOSE_AS_TRADED: traded, MARKET_CAP: traded * shares[0], SHARES: shares[0]}
        made |= {n: priced.get(n, shares[1]) for n in wanted if n not in made}
    return sources.bars.with_fields(**made)


def _needs_price(name: str) -> bool:
    return name in (CLOSE_AS_TRADED, MARKET_CAP) or view_of(name).concept == SHARES


def not_stated(facts: pl.DataFrame, names: Iterable[str]) -> list[str]:
    """Concepts that `names` look at and the facts never state: their fields are NaN everywhere."""
    asked = {view_of(n).concept for n in names} & set(BY_NAME)
    return sorted(asked - set(facts.get_column("concept").unique().to_list()))


def _check(sources: Sources, wanted: Sequence[str]) -> None:
    facts = sources.facts
    mine = set(facts.get_column("symbol").unique().to_list())
    if not mine & set(sources.bars.symbols):
        raise FactsError(
            f"the facts know none of the bars' symbols: facts have {', '.join(sorted(mine)[:5])}, bars "
            f"{', '.join(sources.bars.symbols[:5])}; give both the same symbols (--venue or --instruments of data add)"
        )
    have = set(facts.get_column("concept").unique().to_list())
    priced = sorted(n for n in wanted if _needs_price(n))
    unknown = sorted({view_of(n).concept for n in wanted if n not in priced} - have - set(BY_NAME))
    if unknown:
        raise FactsError(
            f"{', '.join(unknown)} is neither a field of the bars nor a concept: the facts have "
            f"{', '.join(sorted(have))}; correct the name, or register facts that state it"
        )
    unadjusted = sources.records.get_column("adj_close").null_count() == sources.records.height
    if priced and unadjusted and "raw_close" not in sources.bars:
        raise FactsError(
            f"{', '.join(priced)} needs the close as traded, and the records have no adjusted close beside their "
            "close, which may be adjusted itself then; use bars with both (docs/data.md, Facts)"
        )


# --- figures --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Steps:
    """What was known of one view of one figure: from `since[i]` on `value[i]`, about a period that ended at `end[i]`,
    stated at `stated[i]`. NaN = nothing."""

    since: IntArray
    value: FloatArray
    end: IntArray
    stated: IntArray


def _steps(
    facts: pl.DataFrame, concept: str, looks: Sequence[Look], currency: Mapping[str, str]
) -> dict[str, tuple[_Steps, ...]]:
    """Per symbol the steps of each look at a concept. Only figures in the currency of the symbol count: nothing
    converts them."""
    table = facts.filter(pl.col("concept") == concept)
    row = BY_NAME.get(concept)
    if row is not None:
        money = pl.col("symbol").replace_strict(currency, default=None, return_dtype=pl.String)
        table = table.filter(pl.col("unit") == (pl.lit("shares") if row.dimension == "shares" else money))
    table = table.sort("symbol", "available_at", "event_time", "quarters", "unit")
    columns = [table.get_column(c).to_physical().to_list() for c in ("available_at", "event_time")]
    columns += [table.get_column(c).to_list() for c in ("quarters", "value")]
    statements = list(zip(*columns, strict=True))
    found, begin = {}, 0
    for symbol, count in table.group_by("symbol", maintain_order=True).len().iter_rows():
        found[str(symbol)] = _follow(statements[begin : begin + count], looks)
        begin += count
    return found


def _follow(statements: Sequence[Statement], looks: Sequence[Look]) -> tuple[_Steps, ...]:
    """One company's statements in the order in which they were made, and after each moment what could be said."""
    history = History()
    since: list[int] = []
    seen: list[list[Stated]] = [[] for _ in looks]
    for i, (moment, period_end, quarters, figure) in enumerate(statements):
        history.state(quarters, period_end, figure, moment)
        if i + 1 < len(statements) and statements[i + 1][0] == moment:
            continue
        since.append(moment)
        for found, (window, year_ago) in zip(seen, looks, strict=True):
            found.append(history.look(window, year_ago=year_ago))
    stamps = np.array(since, np.int64)
    return tuple(
        _Steps(
            stamps,
            np.array([s.value for s in found], np.float64),
            np.array([s.end_ns for s in found], np.int64),
            np.array([s.stated_ns for s in found], np.int64),
        )
        for found in seen
    )


def _fields(sources: Sources, known: IntArray, names: Sequence[str], stale_days: int) -> dict[str, FloatArray]:
    """Fields of figures alone, `[T, N]` each."""
    out = {name: np.full(sources.bars.shape, np.nan) for name in names}
    by_concept: dict[str, list[str]] = {}
    for name in names:
        by_concept.setdefault(view_of(name).concept, []).append(name)
    currency = _currencies(sources.instruments)
    for concept, own in by_concept.items():
        steps = _steps(sources.facts, concept, [_look(view_of(n)) for n in own], currency)
        for column, symbol in enumerate(sources.bars.symbols):
            for name, one in zip(own, steps.get(symbol, ()), strict=False):
                out[name][:, column] = _at(one, known[:, column], stale_days)[0]
    return out


def _look(view: View) -> Look:
    return view.window, view.year_ago


def _at(steps: _Steps, known: IntArray, stale_days: int) -> tuple[FloatArray, IntArray]:
    """`(value, when it was stated)` at each moment `[T]`; NaN before the first, and where the period is stale."""
    at = np.searchsorted(steps.since, known, side="right") - 1
    clipped = np.maximum(at, 0)
    fresh = (at >= 0) & (known - steps.end[clipped] <= stale_days * DAY_NS)
    return np.where(fresh, steps.value[clipped], np.nan), np.where(fresh, steps.stated[clipped], NEVER)


def _currencies(instruments: pl.DataFrame) -> dict[str, str]:
    return {
        str(s): str(c) for s, c in instruments.sort("symbol", "valid_from").select("symbol", "currency").iter_rows()
    }


# --- shares and prices as traded ------------------------------------------------------------------


def as_traded(sources: Sources) -> tuple[FloatArray, FloatArray]:
    """`(close as traded, splits so far)`, `[T, N]` each: the shares of today for one share of the first bar.

    As the actions of the data state them, where there are any. Otherwise they are NaN and 1 where the records carry no
    adjusted close: then nobody can tell what their close is.
    """
    bars, records = sources.bars, sources.records
    if "raw_close" in bars:
        return bars["raw_close"], np.multiply.accumulate(bars["split"], axis=0)
    raw, adjusted = (_cells(records, bars, name) for name in ("close", "adj_close"))
    present = ~np.isnan(raw) & ~np.isnan(adjusted) & ~np.isnan(bars["close"])
    factor = np.where(present, adjusted / raw, np.nan)
    splits = np.ones(bars.shape)
    before = np.full(bars.shape[1], np.nan)
    for t in range(bars.shape[0]):
        with np.errstate(invalid="ignore"):
            step = factor[t] / before
            is_split = (step > SPLIT_RATIO) | (step < 1.0 / SPLIT_RATIO)
        splits[t] = np.where(is_split, step, 1.0)
        before = np.where(present[t], factor[t], before)
    return np.where(present, raw, np.nan), np.multiply.accumulate(splits, axis=0)


def _cells(records: pl.DataFrame, bars: Panel, name: str) -> FloatArray:
    column = {s: i for i, s in enumerate(bars.symbols)}
    table = records.filter(pl.col("symbol").is_in(list(column))).select("symbol", "event_time", name)
    stamps = table.get_column("event_time").to_physical().to_numpy()
    rows = np.searchsorted(bars.ts, stamps)
    inside = rows < bars.ts.size
    inside[inside] = bars.ts[rows[inside]] == stamps[inside]
    columns = np.array([column[s] for s in table.get_column("symbol").to_list()], dtype=np.int64)
    out = np.full(bars.shape, np.nan)
    values = table.get_column(name).fill_null(np.nan).to_numpy()
    out[rows[inside], columns[inside]] = values[inside]
    return out


def _shares(sources: Sources, known: IntArray, splits: FloatArray, stale_days: int) -> tuple[FloatArray, FloatArray]:
    """Shares outstanding, and those of a year before, in shares of each bar; where a company states none, the mean of
    its newest quarter. Where it states both and they are more than ten times apart, one is in thousands, and neither
    is used."""
    count, count_ago = _counted(sources, known, splits, stale_days, SHARES, "instant")
    mean, mean_ago = _counted(sources, known, splits, stale_days, AVERAGE_SHARES, "average")
    apart = (count > MOST_APART * mean) | (mean > MOST_APART * count)
    missing = np.isnan(count)
    # The year-ago count is of the same kind as today's: a mean against a count would look like an issue of shares.
    now, then = np.where(missing, mean, count), np.where(missing, mean_ago, count_ago)
    return np.where(apart, np.nan, now), np.where(apart, np.nan, then)


def _counted(
    sources: Sources, known: IntArray, splits: FloatArray, stale_days: int, concept: str, window: Window
) -> tuple[FloatArray, FloatArray]:
    out = (np.full(sources.bars.shape, np.nan), np.full(sources.bars.shape, np.nan))
    steps = _steps(sources.facts, concept, [(window, False), (window, True)], {})
    for column, symbol in enumerate(sources.bars.symbols):
        for values, one in zip(out, steps.get(symbol, ()), strict=False):
            value, stated = _at(one, known[:, column], stale_days)
            # A split counts from the first bar at which the figure was known: companies restate for earlier ones.
            first = np.searchsorted(known[:, column], stated, side="left")
            base = np.where(first > 0, splits[np.maximum(first - 1, 0), column], 1.0)
            values[:, column] = value * (splits[:, column] / base)
    return out


# --- proof ----------------------------------------------------------------------------------------


def looks_ahead(sources: Sources, full: Panel, stale_days: int, cuts: Iterable[int]) -> str | None:
    """The first cell of `full` (bars with their fields) that changes when the bars after a cut are taken away, and with
    them every fact and record that was not known at the last bar left. None = no such cell."""
    names = sorted(set(full.fields) - set(sources.bars.fields))
    for cut in cuts:
        bars = sources.bars.rows(0, cut + 1)
        last = pl.lit(int(known_at(bars, sources.instruments)[-1].max())).cast(TIME)
        records = sources.records.filter(pl.col("event_time") <= pl.lit(int(bars.ts[-1])).cast(TIME))
        facts = sources.facts.filter(pl.col("available_at") <= last)
        short = _made(Sources(bars, sources.instruments, records, facts), names, stale_days)
        for name in names:
            before, after = full[name][: cut + 1], short[name]
            differs = before.view(np.uint64) != after.view(np.uint64)
            if differs.any():
                row, column = (int(i[0]) for i in np.nonzero(differs))
                return (
                    f"{name} {iso(int(bars.ts[row]))} {bars.symbols[column]} = {before[row, column]!r}, "
                    f"without what came later {after[row, column]!r}"
                )
    return None
