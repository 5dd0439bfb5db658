"""Corporate actions from a file of their own: read when the set is added, judged row by row, put beside the bars.

The rows stand among the raw rows of the set, in columns named `source_action*`, so that the lockbox seals those that
lie in it and the digest of the set covers them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from modules.calendars import DAY_NS, UNKNOWN, close_of
from modules.contract import FIRST_ROWS, TIME
from modules.datastore import DataError
from modules.ingest import columns
from modules.ingest.layout import DAY_S, Layout
from modules.ingest.reading import read_raw
from modules.panel import IntArray

KINDS = ("split", "dividend", "delisting", "rename", "member")
FIELDS = ("split", "dividend", "delisting", "member")
"""Kinds that become a column of the records; a rename changes whose records they are."""
ACTION, SYMBOL, VALUE, TO, MOMENT = (f"source_action{s}" for s in ("", "_symbol", "_value", "_to", "_time"))

RULES = (
    "action_without_time",
    "action_without_symbol",
    "unknown_action",
    "action_without_value",
    "split_not_positive",
    "negative_dividend",
    "delisting_return_below_minus_one",
    "member_not_0_or_1",
    "rename_without_new_symbol",
    "unknown_symbol",
    "conflicting_action",
    "conflicting_rename",
    "duplicate_action",
)
HARMLESS = frozenset({"duplicate_action"})
"""In order of precedence, like the rules of bars."""

_NAMES = {
    "kind": ("kind", "action", "type", "event", "action_type"),
    "value": ("value", "amount", "ratio", "return", "factor"),
    "to": ("new_symbol", "to", "successor", "new_ticker", "to_symbol"),
    "symbol": ("symbol", "ticker", "old_symbol", "instrument"),
    "date": ("date", "ex_date", "effective_date", "event_date", "day", "timestamp"),
}
_KIND_WORDS = {
    "splits": "split", "stock_split": "split", "div": "dividend", "dividends": "dividend", "cash_dividend": "dividend",
    "delist": "delisting", "delisted": "delisting", "symbol_change": "rename", "ticker_change": "rename",
    "renamed": "rename", "membership": "member",
}  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """`records` with what the actions add. `bad`: refused rows with `rule`, `event_time` and where they stand."""

    records: pl.DataFrame
    bad: pl.DataFrame
    tried: int
    notes: tuple[str, ...]


def read_actions(path: Path) -> pl.DataFrame:
    """A file of actions as raw rows: symbol, date (ISO), kind, value, new symbol. Text is kept where it is wrong, so
    that the row is refused by name. Raises DataError where a column is missing."""
    raw = read_raw(path)
    by_name = {columns.plain(c): c for c in reversed(raw.columns) if not c.startswith("source_")}
    found = {f: next((by_name[n] for n in names if n in by_name), None) for f, names in _NAMES.items()}
    missing = [f for f in ("symbol", "date", "kind") if found[f] is None]
    if missing:
        raise DataError(
            f"{path} has no column {', '.join(missing)}; it has {', '.join(by_name.values())[:300]}",
            f"give columns symbol, date, kind ({', '.join(KINDS)}), value, and new_symbol for a rename",
        )

    def text(field: str) -> pl.Series:
        name = found[field]
        column = pl.repeat(None, raw.height, dtype=pl.String, eager=True) if name is None else raw.get_column(name)
        return column.cast(pl.String).str.strip_chars().replace("", None)

    kind = text("kind").str.to_lowercase().str.replace_all(r"[ -]+", "_").replace(_KIND_WORDS)
    date = text("date").str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
    return raw.select("source_file", "source_row").with_columns(
        kind.fill_null("").alias(ACTION),
        text("symbol").alias(SYMBOL),
        text("value").alias(VALUE),
        text("to").alias(TO),
        date.cast(pl.Datetime("ns")).dt.replace_time_zone("UTC").alias(MOMENT),
    )


def is_action(raw: pl.DataFrame) -> pl.Expr:
    """Which raw rows are actions."""
    return pl.col(ACTION).is_not_null() if ACTION in raw.columns else pl.lit(False)


def with_actions(records: pl.DataFrame, raw: pl.DataFrame, layout: Layout) -> Judged:
    """The records with the actions of `raw` (its action rows) beside them.

    An action on the day of a bar stands in that bar's record; any other is a record of its own, without prices. Renamed
    symbols get their last name from their first bar on: who they are did not change.
    """
    symbols = set(records.get_column("symbol").unique().to_list())
    rows = _judged(raw, records, symbols)
    rows, refused_names, notes = _names_in_order(rows, records)
    rows = rows.with_columns(pl.col("rule").fill_null(refused_names))
    good = rows.filter(pl.col("rule").is_null())
    out = _beside(records, good.filter(pl.col("kind") != "rename"), layout)
    for old, new, when in _renames(good):
        out = out.with_columns(
            pl.when((pl.col("symbol") == old) & (pl.col("event_time") < when))
            .then(pl.lit(new))
            .otherwise("symbol")
            .alias("symbol")
        )
    bad = rows.filter(pl.col("rule").is_not_null())
    return Judged(out.sort("symbol", "event_time", "available_at"), bad, rows.height, tuple(notes))


def _judged(raw: pl.DataFrame, records: pl.DataFrame, symbols: set[str]) -> pl.DataFrame:
    """`source_file, source_row, event_time, symbol, kind, value, to, rule` of each action row."""
    targets = raw.filter(pl.col(ACTION) == "rename").get_column(TO).drop_nulls().to_list()
    rows = raw.select(
        "source_file",
        "source_row",
        pl.col(MOMENT).alias("event_time"),
        pl.col(SYMBOL).alias("symbol"),
        pl.col(ACTION).alias("kind"),
        _number(raw.get_column(VALUE)).alias("value"),
        pl.col(TO).alias("to"),
    )
    kind, value = pl.col("kind"), pl.col("value")
    needs_value = kind.is_in(["split", "dividend", "member"])
    needs_value |= (kind == "delisting") & raw.get_column(VALUE).is_not_null()
    keys = ["symbol", "event_time", "kind"]
    broken = {
        "action_without_time": pl.col("event_time").is_null(),
        "action_without_symbol": pl.col("symbol").is_null(),
        "unknown_action": ~kind.is_in(KINDS),
        "action_without_value": needs_value & (value.is_null() | ~value.is_finite()),
        "split_not_positive": (kind == "split") & (value <= 0.0),
        "negative_dividend": (kind == "dividend") & (value < 0.0),
        "delisting_return_below_minus_one": (kind == "delisting") & (value < -1.0),
        "member_not_0_or_1": (kind == "member") & ~value.is_in([0.0, 1.0]),
        "rename_without_new_symbol": (kind == "rename") & (pl.col("to").is_null() | (pl.col("to") == pl.col("symbol"))),
        "unknown_symbol": ~pl.col("symbol").is_in([*symbols, *targets]),
    }
    rule = pl.lit(None, pl.String)
    for name, test in reversed(broken.items()):
        rule = pl.when(test.fill_null(False)).then(pl.lit(name)).otherwise(rule)
    rows = rows.with_columns(rule.alias("rule"))
    stated = [pl.col("value"), pl.col("to")]
    differ = pl.any_horizontal(c.n_unique().over([*keys, "rule"]) > 1 for c in stated)
    again = pl.int_range(pl.len()).over([*keys, "rule"]) > 0
    late = pl.when(differ).then(pl.lit("conflicting_action")).when(again).then(pl.lit("duplicate_action"))
    rows = rows.with_columns(pl.when(pl.col("rule").is_null()).then(late).otherwise("rule").alias("rule"))
    return _against_columns(rows, records)


def _against_columns(rows: pl.DataFrame, records: pl.DataFrame) -> pl.DataFrame:
    """Refuse an action that the price file states otherwise for the same bar."""
    for field in FIELDS:
        if field not in records.columns:
            continue
        said = records.select("symbol", "event_time", pl.col(field).alias("said")).unique(["symbol", "event_time"])
        rows = rows.join(said, on=["symbol", "event_time"], how="left", maintain_order="left")
        other = (pl.col("kind") == field) & pl.col("rule").is_null() & (pl.col("said") != pl.col("value"))
        rows = rows.with_columns(
            pl.when(other.fill_null(False)).then(pl.lit("conflicting_action")).otherwise("rule").alias("rule")
        ).drop("said")
    return rows


def _number(column: pl.Series) -> pl.Series:
    """Numbers, and ratios written `3:2` or `3/2`."""
    text = column.cast(pl.String).str.strip_chars()
    parts = text.str.extract_groups(r"^(\d+(?:\.\d+)?)\s*[:/]\s*(\d+(?:\.\d+)?)$").struct.unnest()
    first, second = (parts.to_series(i).cast(pl.Float64, strict=False) for i in (0, 1))
    return text.cast(pl.Float64, strict=False).fill_nan(None).fill_null(first / second)


def _renames(good: pl.DataFrame) -> list[tuple[str, str, pl.Expr]]:
    rows = good.filter(pl.col("kind") == "rename").sort("event_time", "symbol")
    stamps = rows.get_column("event_time").to_physical().to_list()
    names = zip(rows.get_column("symbol").to_list(), rows.get_column("to").to_list(), stamps, strict=True)
    return [(old, new, pl.lit(when).cast(TIME)) for old, new, when in names]


def _names_in_order(rows: pl.DataFrame, records: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series, list[str]]:
    """Refuses a rename to a name that another symbol bore before that day: two histories would become one."""
    first: dict[str, int] = {
        str(s): int(t) for s, t in records.group_by("symbol").agg(pl.col("event_time").min().to_physical()).iter_rows()
    }
    verdict: list[str | None] = [None] * rows.height
    notes = []
    index = rows.with_row_index("at").filter((pl.col("kind") == "rename") & pl.col("rule").is_null())
    for at, old, new, when in (
        index.sort("event_time", "symbol").select("at", "symbol", "to", pl.col("event_time").to_physical()).iter_rows()
    ):
        if new in first and first[new] < when:
            verdict[at] = "conflicting_rename"
        elif old not in first or first[old] >= when:
            verdict[at] = "unknown_symbol"
        else:
            first[new] = first.pop(old)
            notes.append(f"{old} bears the name {new} from its first bar on")
    return rows, pl.Series(verdict, dtype=pl.String), notes


def _beside(records: pl.DataFrame, actions: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """The records with a column for each kind of action that there is, and a record for each day without a bar."""
    kinds = [f for f in FIELDS if f in records.columns or (actions.get_column("kind") == f).any()]
    value = pl.when(pl.col("kind") == "delisting").then(pl.col("value").fill_null(0.0)).otherwise("value")
    wide = actions.group_by("symbol", "event_time").agg(
        value.filter(pl.col("kind") == f).first().alias(f"{f} stated") for f in kinds
    )
    keys = ["symbol", "event_time"]
    out = records.join(wide, on=keys, how="left", maintain_order="left")
    alone = wide.join(records.select(keys).unique(), on=keys, how="anti").sort(keys)
    label = alone.get_column("event_time").to_physical().to_numpy()
    alone = alone.with_columns(pl.Series("available_at", _known(label, layout)).cast(TIME))
    out = pl.concat([out, alone], how="diagonal")
    have = [pl.coalesce(*([f] if f in records.columns else []), f"{f} stated").cast(pl.Float64).alias(f) for f in kinds]
    return out.with_columns(have).drop(f"{f} stated" for f in kinds)


def _known(label: IntArray, layout: Layout) -> IntArray:
    """When an action on a day without a bar was known, ns UTC: when a bar of that day would have been."""
    if not layout.daily:
        return label
    if layout.interval_s > DAY_S or layout.calendar == UNKNOWN:
        return label + max(layout.interval_s * 1_000_000_000, DAY_NS)
    return np.asarray(close_of(layout.calendar, label), dtype=np.int64)


def shown(bad: pl.DataFrame, rule: str, *, sealed: bool = False, most: int = FIRST_ROWS) -> tuple[str, ...]:
    """The first refused actions of a rule, without values where `sealed`."""
    out = []
    for row in bad.filter(pl.col("rule") == rule).head(most).iter_rows(named=True):
        when = "no date" if row["event_time"] is None else f"{row['event_time']:%Y-%m-%d}"
        said = "values not shown: lockbox" if sealed else f"{row['kind']} {row['value']!r} {row['to'] or ''}".strip()
        out.append(f"{row['source_file']} row {row['source_row'] + 1} ({row['symbol'] or 'no symbol'} {when}) {said}")
    return tuple(out)


def already_adjusted(records: pl.DataFrame) -> bool:
    """Whether the closes of a file with a split column are adjusted for splits already: at most splits, the return
    without the ratio is the smaller one."""
    closes = records.filter(pl.col("close").is_not_null()).sort("symbol", "event_time", "available_at")
    move = (pl.col("close") / pl.col("close").shift(1).over("symbol")).alias("move")
    at = closes.with_columns(move).filter(pl.col("split").is_not_null() & pl.col("move").is_not_null())
    if at.is_empty():
        return False
    plain, undone = at.get_column("move").to_numpy(), (at.get_column("move") * at.get_column("split")).to_numpy()
    size: Sequence[float] = (np.maximum(undone, 1.0 / undone) > np.maximum(plain, 1.0 / plain)).tolist()
    return 2 * sum(size) > len(size)
