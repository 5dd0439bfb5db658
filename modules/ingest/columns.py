"""Guessing what a table's columns are, by name and by content. Every guess can be overridden and is shown."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from modules.datastore import MISSING_TEXT, DataError

_TIME = (
    "date",
    "datetime",
    "timestamp",
    "time",
    "ts",
    "ts_utc",
    "ts_et",
    "dates",
    "dt",
    "day",
    "event_time",
    "open_time",
    "trade_date",
    "tradedate",
    "period",
    "time_period",
    "bar_time",
    "date_time",
    "ts_event",
    "caldt",
)
_SYMBOL = (
    "symbol",
    "ticker",
    "sym",
    "pair",
    "instrument",
    "asset",
    "code",
    "secid",
    "permno",
    "isin",
    "stock",
    "coin",
    "name",
)
_VALUES: dict[str, tuple[str, ...]] = {
    "open": ("open", "open_price", "px_open"),
    "high": ("high", "high_price", "px_high"),
    "low": ("low", "low_price", "px_low"),
    "close": ("close", "close_price", "px_last", "price", "last", "settle", "prc"),
    "adj_close": ("adj_close", "adjusted_close", "adjclose", "adjusted", "close_adj", "close_adjusted", "adj_price"),
    "volume": ("volume", "vol", "shares", "qty", "volume_traded"),
    "split": ("split", "split_coefficient", "split_ratio", "split_factor", "stock_splits", "stock_split"),
    "dividend": ("dividend", "dividend_amount", "dividends", "div_cash", "divcash", "ex_dividend", "cash_dividend"),
    "member": ("member", "in_index", "in_universe", "is_member"),
}
_LETTERS = {"open": "o", "high": "h", "low": "l", "close": "c", "volume": "v"}
_INDEX = ("", "index", "level_0", "__index_level_0__", "unnamed_0", "row", "idx")
_MOSTLY = 0.9


def plain(name: str) -> str:
    """`Adj Close`, `adj.close` and `ADJ-CLOSE` are one name."""
    out = "".join(c if c.isalnum() else "_" for c in name.strip().lower())
    while "__" in out.strip("_"):
        out = out.replace("__", "_")
    return out if out.startswith("__") else out.strip("_")


def find_time(raw: pl.DataFrame, is_time: Callable[[pl.Series], bool]) -> str:
    """The time column: by name, else by type, else the first that reads as time. Raises DataError where none does."""
    names = _own(raw)
    schema = raw.schema  # built anew at each access, which thousands of columns would feel
    by_name = {plain(n): n for n in reversed(names)}
    candidates = [by_name[alias] for alias in _TIME if alias in by_name]
    candidates += [
        n for n in names if plain(n).startswith(("ts_", "date_", "time_")) or plain(n).endswith(("_date", "_time"))
    ]
    candidates += [n for n in names if schema[n].is_temporal()]
    # an unnamed first column is where many tools write the index of a series
    candidates += [n for n in names if schema[n] == pl.String or plain(n) in _INDEX]
    for name in candidates:
        if is_time(raw.get_column(name)):
            return name
    if candidates:
        column = raw.get_column(candidates[0])
        shown = ", ".join(repr(v) for v in column.drop_nulls().head(3).to_list())
        raise DataError(
            f"column {candidates[0]} does not read as time (first values {shown})",
            "write ISO dates like 2013-02-08, or name the time column",
        )
    raise DataError(f"no time column among {', '.join(names)[:300]}", "name it, or call it date")


def find_values(names: list[str]) -> dict[str, str]:
    """Field to column for a long table, by name; a field that no column holds is absent."""
    by_name = {plain(n): n for n in reversed(names)}
    found = {f: next((by_name[a] for a in aliases if a in by_name), "") for f, aliases in _VALUES.items()}
    letters = {f: by_name.get(letter, "") for f, letter in _LETTERS.items()}
    # C, O, L, V are tickers too: single letters count only as a full set
    if all(letters[f] for f in ("open", "high", "low", "close")) and not found["close"]:
        found |= {f: found[f] or name for f, name in letters.items()}
    return {f: name for f, name in found.items() if name}


def find_symbol(raw: pl.DataFrame, names: list[str], time_column: str) -> str:
    """The symbol column of a long table, "" where there is none (one symbol a file): by name, else the only text
    column, where it tells apart the rows of one time."""
    by_name = {plain(n): n for n in reversed(names)}
    for alias in _SYMBOL:
        if alias in by_name:
            return by_name[alias]
    schema = raw.schema
    texts = [n for n in names if schema[n] == pl.String and not mostly_numbers(raw.get_column(n))]
    if len(texts) != 1 or raw.get_column(texts[0]).null_count():
        return ""
    pairs = raw.select(time_column, texts[0])
    return texts[0] if pairs.n_unique() == raw.height > raw.get_column(time_column).n_unique() else ""


def quote_columns(names: list[str]) -> bool:
    """Bid and ask bars instead of trades."""
    have = {plain(n) for n in names}
    return {"bid_close", "ask_close"} <= have


def index_columns(raw: pl.DataFrame, names: list[str]) -> list[str]:
    """Columns that only number the rows."""
    return [n for n in names if plain(n) in _INDEX and _counts_up(raw.get_column(n))]


def mostly_numbers(column: pl.Series) -> bool:
    """Nine of ten present values read as numbers."""
    if column.dtype.is_numeric() or column.dtype == pl.Null:
        return True
    if column.dtype != pl.String:
        return False
    text = column.str.strip_chars()
    text = text.filter(~text.is_in(MISSING_TEXT).fill_null(True))
    if text.is_empty():
        return True
    number = text.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
    return number.count() >= _MOSTLY * text.len()


def decimal_comma(raw: pl.DataFrame, names: list[str]) -> bool:
    """Numbers written `1,5`: some value column reads as numbers only that way."""
    for name in names:
        column = raw.get_column(name)
        if column.dtype == pl.String:
            with_comma = column.str.contains(r"^\s*-?\d+,\d+\s*$").sum()
            with_point = column.str.contains(r"^\s*-?\d+\.\d+\s*$").sum()
            if with_comma and not with_point:
                return True
    return False


def _counts_up(column: pl.Series) -> bool:
    number = column.cast(pl.Int64, strict=False) if column.dtype in (pl.String, pl.Int64, pl.Int32, pl.UInt32) else None
    return number is not None and number.null_count() == 0 and bool((number.diff().drop_nulls() == 1).all())


def _own(raw: pl.DataFrame) -> list[str]:
    return [n for n in raw.columns if not n.startswith("source_")]
