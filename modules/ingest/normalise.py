"""Raw rows to records: every row is read, or refused under a named rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from modules.calendars import DAY_NS, UNKNOWN, close_of
from modules.contract import FIRST_ROWS, TIME
from modules.datastore import MISSING_TEXT, DataError
from modules.ingest import actions
from modules.ingest.layout import DAY_S, VALUE_FIELDS, Layout
from modules.ingest.times import Times, read_times
from modules.ingest.vintages import KNOWN_AT, with_restatements

# In order of precedence: a row is counted under the first rule it breaks.
RULES = (
    "unparseable_time",
    "missing_symbol",
    "non_numeric",
    "non_finite",
    "no_price",
    "missing_close",
    "missing_adj_close",
    "non_positive_price",
    "high_below_low",
    "negative_volume",
    "impossible_split",
    "negative_dividend",
    "member_not_0_or_1",
    "conflicting_duplicate",
    "duplicate_row",
)
# What says that there was no action: no new shares, as many as before, no cash.
_NONE = {"split": [0.0, 1.0], "dividend": [0.0]}
HARMLESS = frozenset({"duplicate_row"}) | actions.HARMLESS
"""Rules whose rows carry nothing that another row does not."""


@dataclass(frozen=True)
class Normalised:
    """`records` hold to RecordsSchema. `refused`: rule to rows, only rules that fired; `first`: rule to the first
    offending rows. `bad`: all of those, with `rule` and `event_time`. `row_times`: event_time per raw row, null where
    unreadable. `tried`: rows judged."""

    records: pl.DataFrame
    refused: Mapping[str, int]
    first: Mapping[str, tuple[str, ...]]
    bad: pl.DataFrame
    row_times: pl.Series
    tried: int
    notes: tuple[str, ...]
    bad_actions: pl.DataFrame | None = None

    @property
    def refused_share(self) -> float:
        """Share of rows that broke a rule; identical repeats do not count."""
        bad = sum(n for rule, n in self.refused.items() if rule not in HARMLESS)
        return bad / self.tried if self.tried else 0.0


def normalise(raw: pl.DataFrame, layout: Layout) -> Normalised:
    """Records of a raw table (with `source_file`, `source_row`) by `layout`.

    Raises DataError where a named column is missing or the time column mixes zones.
    """
    stated = raw.filter(actions.is_action(raw))
    if stated.height == 0:
        return _of_bars(raw, layout)
    priced = ~raw.select(actions.is_action(raw).alias("x")).to_series()
    found = _of_bars(raw.filter(priced), layout)
    judged = actions.with_actions(found.records, stated, layout)
    counts = {str(r): int(n) for r, n in judged.bad.group_by("rule").len().iter_rows()}
    own = {rule: counts[rule] for rule in actions.RULES if rule in counts}
    refused = {r: found.refused.get(r, 0) + own.get(r, 0) for r in dict.fromkeys([*found.refused, *own])}
    first = {r: (*found.first.get(r, ()), *actions.shown(judged.bad, r))[:FIRST_ROWS] for r in refused}
    times = raw.get_column(actions.MOMENT).scatter(priced.arg_true(), found.row_times)
    return Normalised(
        judged.records,
        refused,
        first,
        found.bad,
        times.alias("event_time"),
        found.tried + judged.tried,
        found.notes + judged.notes,
        judged.bad,
    )


def _of_bars(raw: pl.DataFrame, layout: Layout) -> Normalised:
    _require_columns(raw, layout)
    times = read_times(raw.get_column(layout.time_column), layout)
    event = _labels(times, layout)
    rows = _long_rows(raw, layout) if layout.layout == "long" else _wide_rows(raw, layout)
    stamped = raw.select("source_file", "source_row").with_columns(
        event.alias("event_time"), _available(event, times, layout).alias("available_at")
    )
    if KNOWN_AT in raw.columns:
        stamped = stamped.with_columns(raw.get_column(KNOWN_AT))
    rows = (
        rows.with_columns(stamped[rows.get_column("row")].get_columns())
        if layout.layout == "wide"
        else rows.hstack(stamped.get_columns())
    )
    rows = rows.with_columns(_rule(layout).alias("rule"))
    rows = _mark_duplicates(rows, layout.delivered)
    bad = rows.filter(pl.col("rule").is_not_null())
    counts = {str(r): int(n) for r, n in bad.group_by("rule").len().iter_rows()}
    refused = {rule: counts[rule] for rule in RULES if rule in counts}
    good = rows.filter(pl.col("rule").is_null())
    notes = _order_note(good)
    records, restated = with_restatements(good, layout)
    if restated:
        notes += (f"{restated} restated or late bars from later vintages",)
    first = {rule: _first_rows(bad.filter(pl.col("rule") == rule), raw, layout) for rule in refused}
    return Normalised(records, refused, first, bad, event, rows.height, notes)


def first_outside(
    result: Normalised, raw: pl.DataFrame, layout: Layout, lockbox_start_ns: int
) -> dict[str, tuple[str, ...]]:
    """`result.first` without a value of the lockbox: rows in it, or of no readable time, are placed and not shown."""
    shown = {}
    for rule in result.refused:
        rows = result.bad.filter(pl.col("rule") == rule)
        is_open = (pl.col("event_time") < pl.lit(lockbox_start_ns).cast(TIME)).fill_null(False)
        opened = _first_rows(rows.filter(is_open), raw, layout)
        sealed = _first_rows(rows.filter(~is_open).head(FIRST_ROWS - len(opened)), raw, layout, sealed=True)
        shown[rule] = (*opened, *sealed)
        if result.bad_actions is not None:
            is_open = (pl.col("event_time") < pl.lit(lockbox_start_ns).cast(TIME)).fill_null(False)
            known = actions.shown(result.bad_actions.filter(is_open), rule)
            unseen = actions.shown(result.bad_actions.filter(~is_open), rule, sealed=True)
            shown[rule] = (*shown[rule], *known, *unseen)[:FIRST_ROWS]
    return shown


def refuse_if_too_many(result: Normalised, limit_share: float, what: str) -> None:
    """Raise DataError where nothing is left, or more than `limit_share` of the rows broke a rule."""
    if result.records.height and result.refused_share <= limit_share:
        return
    lines = [f"{rule}: {n} rows (first: {'; '.join(result.first[rule])})" for rule, n in result.refused.items()]
    broken = "\n  - ".join(["", *lines]) if lines else " it holds no rows with values"
    head = (
        f"{what}: {result.refused_share:.1%} of {result.tried} rows break a rule, allowed are {limit_share:.1%}"
        if result.records.height
        else f"{what}: no usable rows of {result.tried}"
    )
    raise DataError(
        f"{head}:{broken}", "correct the file, name its columns, or give --max-refused-share where the rest is good"
    )


def _require_columns(raw: pl.DataFrame, layout: Layout) -> None:
    named = [layout.time_column]
    if layout.layout == "long":
        named += [layout.symbol_column, *(layout.column_of(f) for f in layout.delivered)]
    for name in named:
        if name and name not in raw.columns:
            have = ", ".join(c for c in raw.columns if not c.startswith("source_"))
            raise DataError(
                f"column {name!r} is not in the table; it has {have[:300]}", "name the columns of this file"
            )


def _labels(times: Times, layout: Layout) -> pl.Series:
    if layout.daily:
        return times.wall.dt.truncate("1d").dt.replace_time_zone("UTC").alias("event_time")
    return times.instant.alias("event_time")


def _available(event: pl.Series, times: Times, layout: Layout) -> pl.Series:
    """The moment from which each bar could be known, ns UTC: never earlier than its end."""
    known = event.is_not_null()
    label = event.to_physical().fill_null(0).to_numpy()
    if not layout.daily:
        at = label if layout.bar_stamp == "close" else label + layout.interval_s * 1_000_000_000
    elif layout.interval_s > DAY_S or layout.calendar == UNKNOWN:
        at = _end_without_calendar(label, times, layout)
    else:
        at = close_of(layout.calendar, label)
    return pl.Series("available_at", at).cast(TIME).set(~known, None)


def _end_without_calendar(
    label: np.ndarray[tuple[int], np.dtype[np.int64]], times: Times, layout: Layout
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    length = max(layout.interval_s * 1_000_000_000, DAY_NS)
    after = pl.Series(label + length).cast(pl.Datetime("ns"))
    local = (
        after.dt.replace_time_zone(layout.timezone, ambiguous="latest", non_existent="null").to_physical().fill_null(0)
    )
    stamped = times.instant.to_physical().fill_null(0).to_numpy() + length
    out: np.ndarray[tuple[int], np.dtype[np.int64]] = np.maximum(np.maximum(label + length, local.to_numpy()), stamped)
    return out


def _number(column: pl.Series, decimal: str) -> tuple[pl.Series, pl.Series]:
    """`(value, is text that is no number)`; missing and NaN are null."""
    if column.dtype == pl.String:
        text = column.str.strip_chars()
        text = text.set(text.is_in(MISSING_TEXT).fill_null(False), None)
        if decimal == ",":
            text = text.str.replace(",", ".", literal=True)
        value = text.cast(pl.Float64, strict=False)
        return value.fill_nan(None), text.is_not_null() & value.is_null()
    if column.dtype.is_numeric() or column.dtype == pl.Null:
        value = column.cast(pl.Float64)
        return value.fill_nan(None), pl.repeat(False, column.len(), eager=True)
    return pl.repeat(None, column.len(), dtype=pl.Float64, eager=True), column.is_not_null()


def _long_rows(raw: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    symbol = raw.get_column(layout.symbol_column).cast(pl.String).str.strip_chars().alias("symbol")
    columns = [symbol.set((symbol == "").fill_null(False), None)]
    texts = []
    for field in layout.delivered:
        name = layout.column_of(field)
        if name == "":
            columns.append(pl.repeat(None, raw.height, dtype=pl.Float64, eager=True).alias(field))
            continue
        value, is_text = _number(raw.get_column(name), layout.decimal)
        if field in _NONE:
            value = value.set(value.is_in(_NONE[field]).fill_null(False), None)
        columns.append(value.alias(field))
        texts.append(is_text.alias(f"text {field}"))
    table = pl.DataFrame([*columns, *texts])
    return table.with_columns(pl.any_horizontal(t.name for t in texts).alias("text")).drop(t.name for t in texts)


def _wide_rows(raw: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """One row per delivered cell. A missing cell is a symbol that did not trade, no refusal."""
    names = [c for c in raw.columns if c != layout.time_column and not c.startswith("source_")]
    values, texts = [], []
    for name in names:
        value, is_text = _number(raw.get_column(name), layout.decimal)
        values.append(value.alias(name))
        if is_text.any():
            texts.append(
                pl.DataFrame({"row": np.flatnonzero(is_text.to_numpy()), "symbol": name}).cast({"row": pl.UInt32})
            )
    cells = pl.DataFrame(values).with_row_index("row").unpivot(index="row", variable_name="symbol", value_name="close")
    cells = cells.filter(pl.col("close").is_not_null()).with_columns(pl.lit(False).alias("text"))
    if texts:
        broken = pl.concat(texts).select(
            "row", "symbol", pl.lit(None, pl.Float64).alias("close"), pl.lit(True).alias("text")
        )
        cells = pl.concat([cells, broken])
    absent = [pl.lit(None, pl.Float64).alias(f) for f in VALUE_FIELDS if f != "close"]
    return cells.with_columns(absent)


def _rule(layout: Layout) -> pl.Expr:
    prices = [f for f in VALUE_FIELDS if f != "volume"]
    adjusted = layout.adj_close_column != "" and layout.layout == "long"
    broken = {
        "unparseable_time": pl.col("event_time").is_null() | pl.col("available_at").is_null(),
        "missing_symbol": pl.col("symbol").is_null(),
        "non_numeric": pl.col("text"),
        "non_finite": pl.any_horizontal(pl.col(f).is_infinite() for f in VALUE_FIELDS),
        "no_price": pl.all_horizontal(pl.col(f).is_null() for f in prices),
        "missing_close": pl.col("close").is_null(),
        "missing_adj_close": pl.col("adj_close").is_null() & pl.lit(adjusted),
        "non_positive_price": pl.any_horizontal(pl.col(f) <= 0.0 for f in prices),
        "high_below_low": pl.col("high") < pl.col("low"),
        "negative_volume": pl.col("volume") < 0.0,
    }
    tests = {
        "split": ("impossible_split", (pl.col("split") < 0.0) | pl.col("split").is_infinite()),
        "dividend": ("negative_dividend", (pl.col("dividend") < 0.0) | pl.col("dividend").is_infinite()),
        "member": ("member_not_0_or_1", ~pl.col("member").is_in([0.0, 1.0])),
    }
    broken |= dict(tests[field] for field in layout.actions)
    expr = pl.lit(None, pl.String)
    for name, test in reversed(broken.items()):
        expr = pl.when(test.fill_null(False)).then(pl.lit(name)).otherwise(expr)
    return expr


def _mark_duplicates(rows: pl.DataFrame, fields: tuple[str, ...]) -> pl.DataFrame:
    """Repeats of one bar within one vintage: identical ones go but for the first, differing ones all go."""
    keys = ["symbol", "event_time", *([KNOWN_AT] if KNOWN_AT in rows.columns else [])]
    repeated = pl.col("rule").is_null() & pl.struct(*keys, "rule").is_duplicated()
    at = rows.with_row_index("at").filter(repeated).select("at", *keys, *fields)
    if at.is_empty():
        return rows
    differ = pl.any_horizontal(pl.col(f).n_unique().over(keys) > 1 for f in fields)
    again = pl.col("at") != pl.col("at").min().over(keys)
    verdict = at.select(
        "at",
        pl.when(differ).then(pl.lit("conflicting_duplicate")).when(again).then(pl.lit("duplicate_row")).alias("why"),
    )
    rule = rows.get_column("rule").scatter(verdict.get_column("at"), verdict.get_column("why"))
    return rows.with_columns(rule)


def _order_note(good: pl.DataFrame) -> tuple[str, ...]:
    late = good.select((pl.col("event_time").diff().over("symbol") < pl.duration(nanoseconds=0)).sum()).item()
    return (f"times were not in order in {late} places: sorted",) if late and KNOWN_AT not in good.columns else ()


def _first_rows(bad: pl.DataFrame, raw: pl.DataFrame, layout: Layout, *, sealed: bool = False) -> tuple[str, ...]:
    """The first offending rows, with values as the file has them, unless `sealed`."""
    shown = []
    for row in bad.head(FIRST_ROWS).iter_rows(named=True):
        place = (pl.col("source_file") == row["source_file"]) & (pl.col("source_row") == row["source_row"])
        cell = raw.filter(place).row(0, named=True)
        columns = (
            {f: layout.column_of(f) for f in layout.delivered} if layout.layout == "long" else {"close": row["symbol"]}
        )
        values = ", ".join(f"{f}={cell[c]!r}" for f, c in columns.items() if c and cell[c] is not None)
        symbol = row["symbol"] or "no symbol"
        where = f"{row['source_file']} row {row['source_row'] + 1} ({symbol} {cell[layout.time_column]})"
        shown.append(f"{where} {'values not shown: lockbox' if sealed else values}".strip())
    return tuple(shown)
