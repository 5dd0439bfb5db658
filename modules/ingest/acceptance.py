"""What must hold of any ingest output, whichever module made it."""

from __future__ import annotations

import polars as pl

from modules.contract import FIRST_ROWS, Violation
from modules.crossings import RECORD_ACTIONS

_PRICES = ("open", "high", "low", "close", "adj_close")


def accept_records(records: pl.DataFrame, instruments: pl.DataFrame) -> list[Violation]:
    """Every record has an instrument and a close, and every price is positive and finite."""
    found = []
    known = set(instruments.get_column("symbol").to_list())
    strangers = sorted(set(records.get_column("symbol").unique().to_list()) - known)
    if strangers:
        found.append(Violation("records", "symbol without instrument", len(strangers), tuple(strangers[:FIRST_ROWS])))
    carried = sorted(RECORD_ACTIONS & set(records.columns))
    acted = pl.any_horizontal(pl.col(c).is_not_null() for c in carried) if carried else pl.lit(False)
    tests = {"close is missing": pl.col("close").is_null() & ~acted}
    for name in _PRICES:
        bad = (pl.col(name) <= 0.0) | pl.col(name).is_infinite() | pl.col(name).is_nan()
        tests[f"{name} is not a positive number"] = bad.fill_null(False)
    for rule, test in tests.items():
        bad_rows = records.filter(test)
        if bad_rows.height:
            rows = tuple(
                f"{row['symbol']} {row['event_time']:%Y-%m-%dT%H:%M:%S}"
                for row in bad_rows.head(FIRST_ROWS)
                .select("symbol", pl.col("event_time").dt.cast_time_unit("us"))
                .iter_rows(named=True)
            )
            found.append(Violation("records", rule, bad_rows.height, rows))
    return found
