"""as_of is the only door to records."""

from __future__ import annotations

import polars as pl
import pytest

from modules.bitemporal import as_of
from modules.contract import TIME
from modules.panel import ns
from tests.modules.ingest.tables import records

ROWS = [
    ("A", "2020-01-02", "2020-01-02T21:00:00", 10.0),
    ("A", "2020-01-02", "2020-03-01", 5.0),  # restated after a split
    ("A", "2020-01-03", "2020-01-03T21:00:00", 11.0),
    ("B", "2020-01-02", "2020-02-01", 7.0),  # arrived late
]


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2020-01-02T20:59:59", []),
        ("2020-01-02T21:00:00", [("A", 10.0)]),
        ("2020-01-03T21:00:00", [("A", 10.0), ("A", 11.0)]),
        ("2020-02-01", [("A", 10.0), ("A", 11.0), ("B", 7.0)]),
        ("2020-02-29T23:59:59", [("A", 10.0), ("A", 11.0), ("B", 7.0)]),
        ("2020-03-01", [("A", 5.0), ("A", 11.0), ("B", 7.0)]),
    ],
)
def test_what_was_known_at_a_moment(moment: str, expected: list[tuple[str, float]]) -> None:
    seen = as_of(records(ROWS), ns(moment))
    assert list(seen.select("symbol", "close").iter_rows()) == expected


def test_order_of_rows_does_not_matter() -> None:
    table = records(ROWS)
    assert as_of(table.reverse(), ns("2021-01-01")).equals(as_of(table, ns("2021-01-01")))


def test_two_rows_that_became_known_at_once_are_refused() -> None:
    twice = records([ROWS[0], ("A", "2020-01-02", "2020-01-02T21:00:00", 99.0)])
    with pytest.raises(ValueError, match=r"1 records share symbol.*A 2020-01-02.*later available_at"):
        as_of(twice, ns("2021-01-01"))


def test_missing_and_mistyped_columns_are_named() -> None:
    with pytest.raises(ValueError, match="lack column available_at"):
        as_of(records(ROWS).drop("available_at"), 0)
    with pytest.raises(ValueError, match="column event_time has type"):
        as_of(records(ROWS).with_columns(pl.col("event_time").cast(pl.Datetime("us", "UTC"))), 0)
    assert records(ROWS).schema["event_time"] == TIME
