"""The usual volume of a symbol from an account's tapes.

1. Tables and rows of the tapes together, as last told by now; other symbols and what came later are not looked at.
2. The session that holds a window, by the calendar; where none does, why.
3. Where there is nothing to reckon with, it is said.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from modules.contract import TIME
from modules.live.algorithms.parent import AlgorithmError
from modules.live.analysis.usualvolume import curve_of, session_of
from modules.live.feeds.bars import BarShape
from modules.live.runner.account import AccountState
from modules.live.runner.tables import _keep as kept
from modules.live.runner.tape import Kind, TapeWriter
from modules.live.runner.taped import Began

MINUTE, DAY = 60 * 10**9, 86_400 * 10**9
SHAPE = BarShape(interval_s=300, bar_stamp="open", calendar="24/7")
TODAY = 20_000 * DAY


def bars(rows: list[tuple[str, int, int, float | None]]) -> pl.DataFrame:
    """Symbol, label, known, volume."""
    return pl.DataFrame(
        {
            "symbol": [r[0] for r in rows],
            "event_time": pl.Series([r[1] for r in rows], dtype=pl.Int64).cast(TIME),
            "available_at": pl.Series([r[2] for r in rows], dtype=pl.Int64).cast(TIME),
            "volume": pl.Series([r[3] for r in rows], dtype=pl.Float64),
            "close": [1.0] * len(rows),
        }
    )


def a_tape(folder: Path, known: pl.DataFrame, since: list[pl.DataFrame]) -> Path:
    """Tapes of two days, whose runner knew `known` on the second and heard of `since`."""
    for day, rows in (("2024-10-03", known.head(1)), ("2024-10-04", known)):
        state = AccountState(0, 0, 0, 0.0, {}, {}, {}, None)
        began = Began("a", "paper", "sim", "s", "b", ("AAA",), None, 0, 0, {}, state, records=kept(folder, rows))
        with TapeWriter(folder / f"{day}.tape", lambda: TODAY) as tape:
            tape.message(began)
            for more in (rows.head(0), *(since if day == "2024-10-04" else ())):
                tape.rows(Kind.RECORDS, more)
    return folder


def test_1_the_curve_of_what_was_known(tmp_path: Path) -> None:
    before, yesterday = TODAY - 2 * DAY, TODAY - DAY
    known = bars(
        [
            ("AAA", before, before + 5 * MINUTE, 30.0),
            ("AAA", before + 5 * MINUTE, before + 10 * MINUTE, 70.0),
            ("BBB", before, before + 5 * MINUTE, 1e9),
            ("AAA", yesterday, yesterday + 5 * MINUTE, 10.0),
        ]
    )
    since = [
        bars([("AAA", yesterday + 5 * MINUTE, yesterday + 10 * MINUTE, None)]),
        bars([("AAA", yesterday + 5 * MINUTE, TODAY - 1, 10.0)]),  # corrected
        bars([("AAA", yesterday + 5 * MINUTE, TODAY + 9 * MINUTE, 1e6)]),  # corrected after now
        bars([("AAA", TODAY, TODAY + 5 * MINUTE, 1e6)]),  # a session that has not closed
    ]
    folder = a_tape(tmp_path, known, since)
    curve = curve_of(folder, "AAA", SHAPE, TODAY + 6 * MINUTE)
    assert curve.days == 2 and curve.bucket_ns == 5 * MINUTE and len(curve.shares) == 288
    assert curve.shares[:2] == pytest.approx((0.4, 0.6)) and sum(curve.shares) == pytest.approx(1.0)


NEW_YORK = BarShape(calendar="XNYS")
OPEN = int(np.datetime64("2024-07-03T13:30", "ns").astype(np.int64))  # closes at 17:00 UTC that day


def test_2_the_session_of_a_window() -> None:
    assert session_of(NEW_YORK, OPEN, OPEN + 210 * MINUTE) == (OPEN, OPEN + 210 * MINUTE)
    assert session_of(SHAPE, TODAY, TODAY + DAY) == (TODAY, TODAY + DAY)
    assert session_of(BarShape(), TODAY + 1, TODAY + 2) == (TODAY, TODAY + DAY)  # no calendar: days of UTC
    for begin, end, why in (
        (OPEN + 200 * MINUTE, OPEN + 211 * MINUTE, "the market closes 10.0 minutes after the begin"),
        (OPEN - 1, OPEN + 9, "calendar XNYS has no session now"),
        (OPEN + 210 * MINUTE, OPEN + 211 * MINUTE, "has no session now"),
    ):
        with pytest.raises(AlgorithmError, match=why):
            session_of(NEW_YORK, begin, end)


def test_3_nothing_to_reckon_with(tmp_path: Path) -> None:
    for shape, symbol, why in (
        (BarShape(interval_s=86_400), "AAA", "do not say when in the day"),
        (SHAPE, "AAA", "no bar of AAA is on the account's tapes"),
    ):
        with pytest.raises(AlgorithmError, match=why):
            curve_of(tmp_path, symbol, shape, TODAY)
    folder = a_tape(tmp_path, bars([("AAA", TODAY, TODAY + 5 * MINUTE, 5.0)]), [])
    for symbol, why in (("BBB", "no bar of BBB"), ("AAA", "of 0 ns")):
        with pytest.raises(AlgorithmError, match=why):
            curve_of(folder, symbol, SHAPE, TODAY + 10 * MINUTE)  # its only session is today's
