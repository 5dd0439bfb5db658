"""as_of, over any records.

1. Nothing that became available after t is seen.
2. Each bar is seen once, in the version that became available last by t.
3. A view taken later shows no more of an earlier moment than was known then, and the same where nothing was restated
   in between.
4. The order of the rows does not matter.
"""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.bitemporal import as_of
from modules.contract import TIME
from tests.modules.ingest.tables import SCHEMA

row = st.tuples(st.sampled_from("ABC"), st.integers(0, 4), st.integers(0, 8), st.floats(1, 100))
rows = st.lists(row, max_size=40, unique_by=lambda r: r[:3])


def _records(found: list[tuple[str, int, int, float]]) -> pl.DataFrame:
    frame = pl.DataFrame(
        {
            "symbol": [r[0] for r in found],
            "event_time": pl.Series([r[1] for r in found], dtype=pl.Int64).cast(TIME),
            "available_at": pl.Series([r[1] + r[2] for r in found], dtype=pl.Int64).cast(TIME),
            "close": [r[3] for r in found],
        },
        schema={n: SCHEMA[n] for n in ("symbol", "event_time", "available_at", "close")},
    )
    return frame


@settings(max_examples=150, deadline=None)
@given(rows, st.integers(-1, 14), st.integers(0, 6), st.randoms(use_true_random=False))
def test_as_of(found: list[tuple[str, int, int, float]], t: int, wait: int, random: object) -> None:
    records = _records(found)
    expected: dict[tuple[str, int], tuple[int, float]] = {}
    for symbol, event, lag, close in found:
        if event + lag <= t:
            known = expected.get((symbol, event), (-1, 0.0))
            expected[symbol, event] = max(known, (event + lag, close))
    seen = as_of(records, t)
    got = seen.with_columns(pl.col("event_time", "available_at").to_physical()).rows()
    assert got == [(s, e, *expected[s, e]) for s, e in sorted(expected)]
    assert as_of(as_of(records, t + wait), t).height <= seen.height
    if not _restated_between(found, t, t + wait):
        assert as_of(as_of(records, t + wait), t).equals(seen)
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert as_of(_records(shuffled), t).equals(seen)


def _restated_between(found: list[tuple[str, int, int, float]], early: int, late: int) -> bool:
    """Whether a bar known by `early` was replaced by `late`: then the later view no longer holds the old version."""
    known = {(s, e) for s, e, lag, _ in found if e + lag <= early}
    return any((s, e) in known and early < e + lag <= late for s, e, lag, _ in found)
