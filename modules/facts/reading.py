"""Files of facts to one table of statements: SEC financial statement data sets, companyfacts, or a canonical table.

Every reader gives the columns of `STATEMENT`. What a file has and no concept asks for (other tags, parts of a company,
periods that are no whole quarters) is left out and counted; it is no error.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from modules.contract import TIME
from modules.datastore import DataError
from modules.dataversion import MISSING_TEXT
from modules.facts.concepts import BY_TAG
from modules.facts.times import EDGAR_ZONE, dates, moments
from modules.ingest.reading import read_raw

STATEMENT: dict[str, pl.DataType] = {
    "source_file": pl.String(),
    "source_row": pl.Int64(),
    "symbol": pl.String(),
    "cik": pl.Int64(),
    "concept": pl.String(),
    "priority": pl.Int64(),
    "event_time": TIME,
    "period_start": TIME,
    "quarters": pl.Int64(),
    "available_at": TIME,
    "unit": pl.String(),
    "value": pl.Float64(),
    "is_text": pl.Boolean(),
    "form": pl.String(),
    "accession": pl.String(),
    "filed": pl.Boolean(),
}
"""`filed`: the filing that a row belongs to is known. `is_text`: text stands where a number must be."""

QUARTER_DAYS = 91.3125
QUARTER_SLACK_DAYS = 25.0
"""A quarter is 12 to 16 weeks: what is further from a whole number of quarters than this is another period."""

_SUB = {"adsh", "cik", "form", "accepted"}
_NUM = {"adsh", "tag", "ddate", "qtrs", "uom", "value"}
_FACTS = {"cik", "tag", "end", "filed", "value"}
_CANONICAL = {"concept", "period_end", "value"}
_BESIDE = ({"tag", "version", "datatype"}, {"adsh", "report", "line", "stmt"})


@dataclass(frozen=True)
class Statements:
    """`table` has the columns of STATEMENT; `left_out`: why rows were not used, and how many."""

    table: pl.DataFrame
    left_out: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_statements(paths: Sequence[Path], zone: str | None = None) -> Statements:
    """All files together; their order does not matter. `zone`: of times without offset (default: US Eastern for the
    SEC's files, UTC for a canonical table). Raises DataError for a file that is none of the three kinds."""
    subs, nums, parts, notes = [], [], [], []
    left_out: dict[str, int] = {}
    for path, name in zip(paths, _names(paths), strict=True):
        table = _read(path).with_columns(pl.lit(name).alias("source_file"))
        table = table.rename({c: c.strip().lower() for c in table.columns if c != c.strip().lower()})
        have = set(table.columns)
        if have >= _SUB:
            subs.append(table)
        elif have >= _NUM:
            nums.append(table)
        elif have >= _FACTS:
            parts.append(_companyfacts(table, zone or EDGAR_ZONE, left_out))
        elif have >= _CANONICAL and have & {"available_at", "accepted", "filed"} and have & {"symbol", "cik"}:
            parts.append(_canonical(table, zone))
        elif any(have >= kind for kind in _BESIDE):
            notes.append(f"{name} describes tags or pages and holds no figures: not used")
        else:
            columns = ", ".join(sorted(have - {"source_row", "source_file"}))
            raise DataError(
                f"{path} is no file of facts; it has columns {columns[:200]}",
                "give sub and num of an SEC financial statement data set, companyfacts, or a table with symbol, "
                "concept, period_end, available_at, unit and value (docs/data.md, Facts)",
            )
    if nums and not subs:
        raise DataError("num was given without sub, which says when each filing was accepted", "add the sub file")
    if nums:
        parts.append(_financial_statements(_stacked(subs), _stacked(nums), zone or EDGAR_ZONE, left_out))
    if not parts:
        raise DataError("no file holds figures", "give the num file beside sub")
    return Statements(pl.concat(parts), {k: n for k, n in left_out.items() if n}, tuple(notes))


def _names(paths: Sequence[Path]) -> list[str]:
    """What each file is called in messages; with its folder where two share a name, as sub.txt of two quarters do."""
    if not paths:
        raise DataError("no file was named", "name the files that hold the facts")
    plain = [p.name for p in paths]
    names = [n if plain.count(n) == 1 else f"{p.parent.name}/{n}" for n, p in zip(plain, paths, strict=True)]
    if len(set(names)) < len(names):
        raise DataError(f"two files have the same name among {', '.join(names)}", "rename one of them")
    return names


def _read(path: Path) -> pl.DataFrame:
    return _companyfacts_json(path) if path.suffix == ".json" else read_raw(path)


def _stacked(tables: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """One table; columns that only some files have are null elsewhere. All text, for the same column may be text in
    one quarter's file and a number in the next."""
    return pl.concat([_as_text(t) for t in tables], how="diagonal")


def _as_text(table: pl.DataFrame) -> pl.DataFrame:
    keep = {"source_row": pl.Int64}
    return table.with_columns(
        pl.col(c).cast(pl.String) for c, dtype in table.schema.items() if c not in keep and not dtype.is_float()
    ).with_columns(pl.col(c).cast(pl.Float64) for c, dtype in table.schema.items() if dtype.is_float())


def _financial_statements(subs: pl.DataFrame, nums: pl.DataFrame, zone: str, left_out: dict[str, int]) -> pl.DataFrame:
    """num joined to sub by accession. Rows of segments and co-registrants are parts of a company."""
    filings = subs.select(
        pl.col("adsh").str.strip_chars(),
        _whole(subs.get_column("cik")).alias("cik"),
        pl.col("form").str.strip_chars(),
        moments(subs.get_column("accepted"), zone).alias("available_at"),
    ).unique()
    # A filing that two rows of sub describe differently has no known time.
    filings = filings.with_columns(pl.when(pl.len().over("adsh") == 1).then("available_at").alias("available_at"))
    filings = filings.sort(filings.columns).unique("adsh", keep="first", maintain_order=True)
    rows = nums.filter(pl.col("tag").str.strip_chars().is_in(list(BY_TAG)))
    left_out["tags that no concept uses"] = left_out.get("tags that no concept uses", 0) + nums.height - rows.height
    parts = [c for c in ("segments", "coreg") if c in rows.columns]
    whole = (
        rows.filter(pl.all_horizontal(pl.col(c).fill_null("").str.strip_chars() == "" for c in parts))
        if parts
        else rows
    )
    left_out["segments and co-registrants"] = rows.height - whole.height
    value, is_text = _number(whole.get_column("value"))
    end = dates(whole.get_column("ddate"))
    quarters = _whole(whole.get_column("qtrs"))
    table = whole.select(
        "source_file", "source_row",
        pl.lit(None, pl.String).alias("symbol"),
        *_concept(),
        end.alias("event_time"),
        quarters.alias("quarters"),
        pl.col("uom").str.strip_chars().alias("unit"),
        value.alias("value"), is_text.alias("is_text"),
        pl.col("adsh").str.strip_chars(),
    )  # fmt: skip
    long = pl.col("quarters") > 4
    left_out["periods of other lengths"] = left_out.get("periods of other lengths", 0) + table.filter(long).height
    table = table.filter(~long.fill_null(False))
    joined = table.join(filings, on="adsh", how="left").with_columns(
        pl.col("cik").is_not_null().alias("filed"), pl.col("form").fill_null(""), pl.col("adsh").alias("accession")
    )
    return joined.with_columns(_start_of_quarters()).select(_typed())


def _companyfacts(table: pl.DataFrame, zone: str, left_out: dict[str, int]) -> pl.DataFrame:
    """Facts with a filing date and no time of acceptance: known at the end of that day, Eastern time."""
    rows = table.filter(pl.col("tag").cast(pl.String).str.strip_chars().is_in(list(BY_TAG)))
    left_out["tags that no concept uses"] = left_out.get("tags that no concept uses", 0) + table.height - rows.height
    accession = "accession" if "accession" in rows.columns else "accn"
    return _periods(
        rows.select(
            "source_file", "source_row",
            pl.lit(None, pl.String).alias("symbol"),
            _whole(rows.get_column("cik")).alias("cik"),
            *_concept(),
            *_dated(rows, "start", "end"),
            _end_of_filing_day(rows.get_column("filed"), zone).alias("available_at"),
            _text(rows, "unit"),
            *_valued(rows),
            _text(rows, "form"),
            _text(rows, accession).alias("accession"),
        ),
        left_out,
    )  # fmt: skip


def _end_of_filing_day(column: pl.Series, zone: str) -> pl.Series:
    day = dates(column).dt.replace_time_zone(None).dt.date()
    return moments(day, zone)


def _canonical(table: pl.DataFrame, zone: str | None) -> pl.DataFrame:
    """A table in the system's own words."""
    have = set(table.columns)
    when = next(c for c in ("available_at", "accepted", "filed") if c in have)
    zone = zone or ("UTC" if when == "available_at" else EDGAR_ZONE)
    known = (
        moments(table.get_column(when), zone) if when != "filed" else _end_of_filing_day(table.get_column(when), zone)
    )
    rows = table.select(
        "source_file", "source_row",
        _text(table, "symbol"),
        (_whole(table.get_column("cik")) if "cik" in have else pl.lit(None, pl.Int64)).alias("cik"),
        _text(table, "concept"),
        pl.lit(0, pl.Int64).alias("priority"),
        *_dated(table, "period_start", "period_end"),
        known.alias("available_at"),
        _text(table, "unit", "USD"),
        *_valued(table),
        _text(table, "form"),
        _text(table, "accession"),
    )  # fmt: skip
    if "quarters" not in have:
        return _periods(rows, {})
    said = _whole(table.get_column("quarters")).alias("quarters")
    rows = rows.with_columns(said)
    no_start = pl.col("period_start").is_null()
    filled = rows.with_columns(_start_of_quarters().alias("nominal"))
    return filled.with_columns(
        pl.when(no_start | (pl.col("quarters") == 0)).then("nominal").otherwise("period_start").alias("period_start"),
        pl.lit(True).alias("filed"),
    ).select(_typed())


def _periods(rows: pl.DataFrame, left_out: dict[str, int]) -> pl.DataFrame:
    """The rows with `quarters` from their dates; other lengths are left out."""
    days = (pl.col("event_time") - pl.col("period_start")).dt.total_days() + 1
    quarters = (days / QUARTER_DAYS).round().cast(pl.Int64)
    instant = pl.col("period_start").is_null()
    rows = rows.with_columns(pl.when(instant).then(0).otherwise(quarters).cast(pl.Int64).alias("quarters"))
    backwards = pl.col("period_start") > pl.col("event_time")  # a wrong date, to be refused by name
    near = (days - quarters * QUARTER_DAYS).abs() <= QUARTER_SLACK_DAYS
    fits = instant | backwards | (near & pl.col("quarters").is_between(1, 4)) | pl.col("event_time").is_null()
    kept = rows.filter(fits.fill_null(True))
    left_out["periods of other lengths"] = left_out.get("periods of other lengths", 0) + rows.height - kept.height
    return kept.with_columns(pl.lit(True).alias("filed")).select(_typed())


def _start_of_quarters() -> pl.Expr:
    """The first day of the `quarters` whole quarters that end in the month of event_time; null for a moment."""
    expr = pl.lit(None, TIME)
    for n in (1, 2, 3, 4):
        first = pl.col("event_time").dt.month_start().dt.offset_by(f"-{3 * n - 1}mo")
        expr = pl.when(pl.col("quarters") == n).then(first).otherwise(expr)
    return expr.alias("period_start")


def _typed() -> list[pl.Expr]:
    return [pl.col(name).cast(dtype) for name, dtype in STATEMENT.items()]


def _concept() -> tuple[pl.Expr, pl.Expr]:
    tag = pl.col("tag").cast(pl.String).str.strip_chars()
    name = tag.replace_strict({t: c for t, (c, _) in BY_TAG.items()}, return_dtype=pl.String)
    place = tag.replace_strict({t: p for t, (_, p) in BY_TAG.items()}, return_dtype=pl.Int64)
    return name.alias("concept"), place.alias("priority")


def _dated(table: pl.DataFrame, start: str, end: str) -> tuple[pl.Series, pl.Series]:
    begins = (
        table.get_column(start) if start in table.columns else pl.repeat(None, table.height, dtype=pl.Date, eager=True)
    )
    return dates(begins).alias("period_start"), dates(table.get_column(end)).alias("event_time")


def _valued(table: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    value, is_text = _number(table.get_column("value"))
    return value.alias("value"), is_text.alias("is_text")


def _text(table: pl.DataFrame, name: str, default: str = "") -> pl.Expr:
    if name not in table.columns:
        return pl.lit(default).alias(name)
    return pl.col(name).cast(pl.String).str.strip_chars().fill_null("").alias(name)


def _whole(column: pl.Series) -> pl.Series:
    """Whole numbers, also as text (`3221.0`); null where there is none."""
    if column.dtype == pl.String:
        column = column.str.strip_chars().cast(pl.Float64, strict=False)
    if column.dtype.is_float():
        column = column.set((column != column.round(0)).fill_null(False) | column.is_nan().fill_null(False), None)
    return column.cast(pl.Int64, strict=False)


def _number(column: pl.Series) -> tuple[pl.Series, pl.Series]:
    """`(value, is text that is no number)`; missing and NaN are null."""
    if column.dtype != pl.String:
        value = column.cast(pl.Float64, strict=False).fill_nan(None)
        return value, pl.repeat(False, column.len(), dtype=pl.Boolean, eager=True)
    text = column.str.strip_chars()
    text = text.set(text.is_in(MISSING_TEXT).fill_null(False), None)
    value = text.cast(pl.Float64, strict=False)
    return value.fill_nan(None), text.is_not_null() & value.is_null()


def _companyfacts_json(path: Path) -> pl.DataFrame:
    """One company's file as the SEC's API gives it. Raises DataError where it is not of that form."""
    try:
        document = json.loads(path.read_bytes())
        rows = [
            {
                "cik": int(document["cik"]), "tag": str(tag), "unit": str(unit), "start": item.get("start"),
                "end": item["end"], "value": item["val"], "accession": item.get("accn"),
                "form": item.get("form"), "filed": item["filed"],
            }
            for taxonomy in document["facts"].values()
            for tag, fact in taxonomy.items()
            if tag in BY_TAG
            for unit, items in fact["units"].items()
            for item in items
        ]  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path} is no companyfacts file ({type(error).__name__}: {error})", "download it again"
        ) from error
    if not rows:
        raise DataError(f"{path} states no figure that a concept uses", "leave the file out")
    texts = dict.fromkeys(("tag", "unit", "start", "end", "accession", "form", "filed"), pl.String)
    table = pl.DataFrame(
        [{k: str(v) if k in texts and v is not None else v for k, v in row.items()} for row in rows],
        schema={"cik": pl.Int64, **texts, "value": pl.Float64},
        strict=False,
    )
    return table.with_row_index("source_row").with_columns(pl.col("source_row").cast(pl.Int64))
