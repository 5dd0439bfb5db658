"""Statements to facts: every row is taken, or refused under a named rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from modules.contract import FIRST_ROWS, TIME
from modules.crossings import FactsSchema
from modules.facts.concepts import CONCEPTS
from modules.facts.reading import QUARTER_DAYS, QUARTER_SLACK_DAYS
from modules.panel import iso

# In order of precedence: a row is counted under the first rule it breaks.
RULES = (
    "unknown_filing",
    "unparseable_time",
    "unparseable_period",
    "missing_symbol",
    "invalid_concept",
    "starts_after_its_end",
    "invalid_quarters",
    "non_numeric",
    "missing_value",
    "non_finite",
    "invalid_unit",
    "invalid_text",
    "implausible_shares",
    "known_before_its_end",
    "conflicting_duplicate",
    "lower_priority",
    "duplicate_row",
)
HARMLESS = frozenset({"lower_priority", "duplicate_row", "missing_value"})
"""Rules whose rows carry nothing that another row does not, or nothing at all (a figure filed as nil)."""

FEWEST_SHARES = 500_000.0
"""Hardly a listed company has fewer; one in twenty of the first XBRL filings counts thousands or millions."""

FACT_COLUMNS = tuple(FactsSchema.columns())
STATED = ("symbol", "concept", "event_time", "quarters", "unit", "available_at")
_CONCEPT = r"^[a-z][a-z0-9_]{0,63}$"
_UNIT = r"^[A-Za-z][A-Za-z0-9/_-]{0,31}$"
_CURRENCY = r"^[A-Z]{3}$"
_TEXT = r"^[A-Za-z0-9/. _-]{0,40}$"


@dataclass(frozen=True)
class Judged:
    """`facts` hold to FactsSchema, with `source_file` and `source_row` beside. `refused`: rule to rows, only rules that
    fired; `bad`: those rows, with `rule`. `tried`: rows judged."""

    facts: pl.DataFrame
    refused: Mapping[str, int]
    bad: pl.DataFrame
    tried: int

    @property
    def refused_share(self) -> float:
        """Share of rows that broke a rule; repeats and nil figures do not count."""
        bad = sum(n for rule, n in self.refused.items() if rule not in HARMLESS)
        return bad / self.tried if self.tried else 0.0

    def first_rows(self, lockbox_start_ns: int | None = None) -> dict[str, tuple[str, ...]]:
        """Per rule the first offending rows. With a lockbox, rows in it or of no readable time are placed, their
        values not shown."""
        shown = {}
        limit = pl.lit(lockbox_start_ns).cast(TIME)
        for rule in self.refused:
            rows = self.bad.filter(pl.col("rule") == rule)
            is_open = pl.lit(True) if lockbox_start_ns is None else (pl.col("available_at") < limit).fill_null(False)
            opened = rows.filter(is_open).head(FIRST_ROWS)
            sealed = rows.filter(~is_open).head(FIRST_ROWS - opened.height)
            shown[rule] = (*map(_line, opened.iter_rows(named=True)), *map(_place, sealed.iter_rows(named=True)))
        return shown


def judge(statements: pl.DataFrame) -> Judged:
    """Facts of a table of statements (`modules/facts/reading.py`) whose symbols are in place."""
    rows = statements.with_columns(_rule().alias("rule")).sort("source_file", "source_row")
    rows = _only_the_first_tag(rows)
    rows = _mark_duplicates(rows)
    bad = rows.filter(pl.col("rule").is_not_null())
    counts = {str(r): int(n) for r, n in bad.group_by("rule").len().iter_rows()}
    good = rows.filter(pl.col("rule").is_null()).select(*FACT_COLUMNS, "source_file", "source_row")
    facts = good.sort(*STATED, "source_file", "source_row")
    return Judged(facts, {rule: counts[rule] for rule in RULES if rule in counts}, bad, rows.height)


def _rule() -> pl.Expr:
    spans = {c.name: c.span for c in CONCEPTS}
    shares = [c.name for c in CONCEPTS if c.dimension == "shares"]
    money = [c.name for c in CONCEPTS if c.dimension == "money"]
    concept = pl.col("concept")
    span = concept.replace_strict(spans, default="", return_dtype=pl.String)
    is_instant = pl.col("quarters") == 0
    days = (pl.col("event_time") - pl.col("period_start")).dt.total_days() + 1
    broken = {
        "unknown_filing": ~pl.col("filed"),
        "unparseable_time": pl.col("available_at").is_null(),
        "unparseable_period": pl.col("event_time").is_null(),
        "missing_symbol": pl.col("symbol").fill_null("") == "",
        "invalid_concept": ~concept.str.contains(_CONCEPT),
        "starts_after_its_end": pl.col("period_start") > pl.col("event_time"),
        "invalid_quarters": (~pl.col("quarters").is_between(0, 4)).fill_null(True)
        | ((span == "instant") & ~is_instant)
        | (span.is_in(["flow", "average"]) & is_instant)
        | ((days - pl.col("quarters") * QUARTER_DAYS).abs() > QUARTER_SLACK_DAYS).fill_null(False),
        "non_numeric": pl.col("is_text"),
        "missing_value": pl.col("value").is_null(),
        "non_finite": ~pl.col("value").is_finite(),
        "invalid_unit": ~pl.col("unit").fill_null("").str.contains(_UNIT)
        | (concept.is_in(shares) & (pl.col("unit") != "shares"))
        | (concept.is_in(money) & ~pl.col("unit").str.contains(_CURRENCY)),
        "invalid_text": ~pl.col("form").str.contains(_TEXT) | ~pl.col("accession").str.contains(_TEXT),
        "implausible_shares": concept.is_in(shares) & (pl.col("value") < FEWEST_SHARES),
        "known_before_its_end": pl.col("available_at") < pl.col("event_time"),
    }
    expr = pl.lit(None, pl.String)
    for name, test in reversed(broken.items()):
        expr = pl.when(test.fill_null(False)).then(pl.lit(name)).otherwise(expr)
    return expr


def _only_the_first_tag(rows: pl.DataFrame) -> pl.DataFrame:
    """Of the tags under which a figure is stated at one moment, the one of the highest priority."""
    best = pl.col("priority").filter(pl.col("rule").is_null()).min().over(*STATED)
    return rows.with_columns(
        pl.when(pl.col("rule").is_null() & (pl.col("priority") > best))
        .then(pl.lit("lower_priority"))
        .otherwise("rule")
        .alias("rule")
    )


def _mark_duplicates(rows: pl.DataFrame) -> pl.DataFrame:
    """Statements of one figure at one moment: equal ones go but for the first, differing ones all go: which of them
    counts, nobody said."""
    judged = rows.with_row_index("at")
    good = judged.filter(pl.col("rule").is_null())
    differ = pl.col("value").n_unique().over(STATED) > 1
    # Which of the equal rows stays must not depend on their order: the row whose texts come first.
    place = pl.struct("accession", "form", "period_start", "source_file", "source_row").rank("ordinal").over(STATED)
    verdict = good.select(
        "at",
        pl.when(differ)
        .then(pl.lit("conflicting_duplicate"))
        .when(place > 1)
        .then(pl.lit("duplicate_row"))
        .alias("why"),
    )
    rule = rows.get_column("rule").scatter(verdict.get_column("at"), verdict.get_column("why"))
    return rows.with_columns(rule)


def _where(row: Mapping[str, object]) -> str:
    symbol = row["symbol"] or (f"cik {row['cik']}" if row["cik"] is not None else "no symbol")
    return f"{row['source_file']} row {_number(row['source_row']) + 1} ({symbol} {row['concept']})"


def _place(row: Mapping[str, object]) -> str:
    return f"{_where(row)} values not shown: lockbox"


def _line(row: Mapping[str, object]) -> str:
    period, known = _shown(row["event_time"]), _shown(row["available_at"])
    return f"{_where(row)} period to {period}, known {known}, value {row['value']!r}"


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _shown(moment: object) -> str:
    if moment is None:
        return "not readable"
    return iso(int(pl.Series([moment]).cast(TIME).to_physical()[0]))
