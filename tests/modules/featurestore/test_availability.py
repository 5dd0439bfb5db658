"""When a value could be known.

1. No earlier than any bar that it reads, and no later than the last of the bars in its reach.
2. A cell without a record is known once the last record of its row is; bars without records are refused.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.contract import TIME
from modules.featurestore import FeatureStoreError, known_at, measured
from modules.featurestore.availability import Reach, bar_times, reach_of
from modules.panel import Panel
from modules.signal import evaluate, parse
from tests.modules.featurestore.made import DAY, HOUR, made_bars, made_records

REACHES = (
    ("close", Reach(1, False)),
    ("close / delay(close, 3)", Reach(4, False)),
    ("ts_mean(delta(close, 2), 5)", Reach(7, False)),
    ("ts_mean(close, 5) - ts_mean(close, 3)", Reach(5, False)),
    ("rank(close)", Reach(1, True)),
    ("ts_mean(rank(close), 4)", Reach(4, True)),
    ("month", Reach(1, False)),
)


@pytest.mark.parametrize(("text", "reach"), REACHES, ids=[t for t, _ in REACHES])
def test_1_reach(text: str, reach: Reach) -> None:
    assert reach_of(parse(text)) == reach


def test_1_a_memory_reaches_back_to_the_beginning() -> None:
    assert reach_of(parse("rank(ema(close, 5))")) == Reach(None, True)


@settings(max_examples=40, deadline=None)
@given(
    late=st.lists(st.tuples(st.integers(0, 29), st.integers(0, 2), st.integers(1, 60)), max_size=5),
    text=st.sampled_from([t for t, _ in REACHES if t != "month"]),
)
def test_1_known_with_the_last_bar_in_reach(late: list[tuple[int, int, int]], text: str) -> None:
    available = np.repeat(np.arange(30, dtype=np.int64)[:, None] * DAY, 3, axis=1)
    for row, column, days in late:
        available[row, column] += days * DAY
    node = parse(text)
    reach = reach_of(node)
    found = known_at(node, available)
    for row in range(30):
        for column in range(3):
            back = slice(max(0, row + 1 - (reach.bars or 30)), row + 1)
            seen = available[back] if reach.across else available[back, column]
            assert found[row, column] == seen.max()


@settings(max_examples=30, deadline=None)
@given(row=st.integers(0, 29), column=st.integers(0, 2), text=st.sampled_from([t for t, _ in REACHES if t != "month"]))
def test_1_a_value_that_a_bar_changes_is_known_no_earlier_than_that_bar(row: int, column: int, text: str) -> None:
    """The reach is not taken on trust: what changes when a bar does was read from it."""
    bars = made_bars(30)
    close = np.where(np.isnan(bars["close"]), 50.0, bars["close"])
    moved = close.copy()
    moved[row, column] *= 3.0
    node = parse(text)
    one, other = (evaluate(node, bars.with_fields(close=c)) for c in (close, moved))
    changed = one.view(np.uint64) != other.view(np.uint64)
    available = np.repeat(bars.ts[:, None], 3, axis=1).copy()
    available[row, column] = 10**5 * DAY
    assert (known_at(node, available)[changed] == 10**5 * DAY).all()


def test_2_cells_without_a_record() -> None:
    bars = made_bars(40)
    available = np.repeat(bars.ts[:, None] + HOUR, 3, axis=1)
    available[:, 1] += HOUR
    found = bar_times(bars, made_records(bars, available))
    there = ~np.isnan(bars["close"])
    assert np.array_equal(found[there], available[there])
    last = np.where(there, available, 0).max(axis=1)
    assert np.array_equal(found[~there], np.broadcast_to(last[:, None], there.shape)[~there])


def test_2_records_of_other_symbols_and_times_do_not_matter_and_restatements_do() -> None:
    bars = made_bars(10)
    records = made_records(bars)
    later = pl.DataFrame(
        {
            "symbol": ["S0", "OTHER", "S0"],
            "event_time": pl.Series([int(bars.ts[3]), int(bars.ts[3]), int(bars.ts[0]) - DAY]).cast(TIME),
            "available_at": pl.Series([int(bars.ts[9])] * 3).cast(TIME),
        }
    )
    found = bar_times(bars, pl.concat([records, later]))
    plain = bar_times(bars, records)
    assert found[3, 0] == bars.ts[9] and np.array_equal(np.delete(found, 3, axis=0), np.delete(plain, 3, axis=0))


def test_2_bars_without_records_are_refused() -> None:
    bars = made_bars(10)
    records = made_records(bars).filter(pl.col("event_time") != pl.lit(int(bars.ts[4])).cast(TIME))
    with pytest.raises(FeatureStoreError, match=r"1 rows of the bars have no record \(first 2000-01-05\)"):
        bar_times(bars, records)
    assert isinstance(bars, Panel)


def test_2_finer_times_are_rounded_up() -> None:
    bars = made_bars(10)
    available = np.repeat(bars.ts[:, None] + 1, 3, axis=1)
    there = ~np.isnan(bars["close"])
    found = measured("mine", "v", bars, made_records(bars, available), int(bars.ts[-1]) + 1).available
    assert (found[there] == (available + 999)[there]).all()
