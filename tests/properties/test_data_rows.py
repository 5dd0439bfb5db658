"""Row rules of ingest/files, over any rows, against a plain Python reading of them.

1. Every row is kept, or refused under exactly the first rule it breaks: kept + refused = rows.
2. What is kept has the values of the file, sorted by symbol and time.
3. Neither records, nor counts, nor the content's digest depend on the order of the rows.
"""

from __future__ import annotations

import math
from collections import Counter
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.contract import TIME
from modules.dataversion import content_digest
from modules.ingest.layout import Layout
from modules.ingest.normalise import Normalised, normalise

pytestmark = pytest.mark.slow

LAYOUT = Layout(high_column="high", low_column="low", volume_column="volume")

number = st.sampled_from(["1", "2.5", "3", "", "NaN", "inf", "-1", "0", "abc", " 2 "])
row = st.tuples(
    st.sampled_from(["2020-01-01", "2020-01-02", "2020-01-03T00:00", "2020-02-30", "", "x"]),
    st.sampled_from(["A", "B", "", " A "]),
    *(number for _ in range(4)),
)
NAMES = ("date", "symbol", "high", "low", "close", "volume")


def _read(rows: list[tuple[str, ...]]) -> tuple[Normalised, str]:
    table = pl.DataFrame(rows, schema=dict.fromkeys(NAMES, pl.String), orient="row").with_columns(
        pl.lit("x.csv").alias("source_file"), pl.int_range(pl.len(), dtype=pl.Int64).alias("source_row")
    )
    result = normalise(table, LAYOUT)
    return result, content_digest(table.with_columns(result.row_times.cast(TIME).alias("source_event_time")), "date")


def _value(text: str) -> float | str | None:
    text = text.strip()
    if text in ("", "NaN"):
        return None
    try:
        return float(text)
    except ValueError:
        return text


def _first_rule(cells: tuple[str, ...]) -> str | None:
    day, symbol, *texts = cells
    if day[:10] not in ("2020-01-01", "2020-01-02", "2020-01-03"):
        return "unparseable_time"
    if not symbol.strip():
        return "missing_symbol"
    values = [_value(t) for t in texts]
    if any(isinstance(v, str) for v in values):
        return "non_numeric"
    high, low, close, volume = (v for v in values if not isinstance(v, str))
    if any(v is not None and math.isinf(v) for v in (high, low, close, volume)):
        return "non_finite"
    if high is None and low is None and close is None:
        return "no_price"
    if close is None:
        return "missing_close"
    if any(v is not None and v <= 0 for v in (high, low, close)):
        return "non_positive_price"
    if high is not None and low is not None and high < low:
        return "high_below_low"
    return "negative_volume" if volume is not None and volume < 0 else None


@settings(max_examples=150, deadline=None)
@given(st.lists(row, min_size=1, max_size=30), st.integers(0, 99))
def test_every_row_is_kept_or_refused_by_its_first_rule(rows: list[tuple[str, ...]], seed: int) -> None:
    result, digest = _read(rows)
    counts: Counter[str] = Counter()
    good: dict[tuple[str, str], list[tuple[object, ...]]] = {}
    for cells in rows:
        rule = _first_rule(cells)
        if rule is None:
            good.setdefault((cells[1].strip(), cells[0][:10]), []).append(tuple(_value(t) for t in cells[2:]))
        else:
            counts[rule] += 1
    kept = []
    for key in sorted(good):
        bars = good[key]
        if len(set(bars)) > 1:
            counts["conflicting_duplicate"] += len(bars)
            continue
        counts["duplicate_row"] += len(bars) - 1
        kept.append((*key, *bars[0]))
    assert dict(result.refused) == {rule: n for rule, n in counts.items() if n}
    assert result.records.height + sum(result.refused.values()) == len(rows) == result.tried
    day = pl.col("event_time").dt.to_string("%Y-%m-%d")
    assert result.records.select("symbol", day, "high", "low", "close", "volume").rows() == kept
    shuffled = list(rows)
    Random(seed).shuffle(shuffled)
    again, same_digest = _read(shuffled)
    assert again.records.equals(result.records)
    assert again.refused == result.refused
    assert same_digest == digest
