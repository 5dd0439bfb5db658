"""The volume curve of a symbol, from the account's newest tapes and their tables of records."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Final

import polars as pl

from modules.calendars import ALWAYS, UNKNOWN, sessions
from modules.live.algorithms.parent import AlgorithmError
from modules.live.algorithms.volume import VolumeCurve, volume_curve
from modules.live.feeds.bars import DAY_S, BarShape
from modules.live.runner.resume import tapes
from modules.live.runner.tables import table
from modules.live.runner.tape import Kind, payloads, read_messages
from modules.live.runner.taped import Began
from modules.live.units import SECOND_NS

LEAST_BUCKET_S: Final = 300
MOST_TAPES: Final = 40
"""Of which a day each: more than the sessions of a curve, since a runner keeps no more bars than it needs."""
_REMEDY: Final = "run the account on minute bars (cws live), or work the order evenly: --by twap"


def session_of(shape: BarShape, begin_ns: int, end_ns: int) -> tuple[int, int]:
    """Open and close of the session that holds a window. Raises AlgorithmError where none holds all of it."""
    for opened, close in reversed(_sessions(shape)):
        if opened <= begin_ns < close:
            if end_ns > close:
                raise AlgorithmError(
                    f"the market closes {(close - begin_ns) / 60 / SECOND_NS:.1f} minutes after the begin, before the "
                    "window is over; give --minutes up to that"
                )
            return opened, close
        if close <= begin_ns:
            break
    raise AlgorithmError(f"calendar {shape.calendar} has no session now; a curve is of a session: wait for the open")


def curve_of(tape: Path, symbol: str, shape: BarShape, now_ns: int) -> VolumeCurve:
    """From bars that were known by `now_ns`, of sessions that had closed. Raises AlgorithmError, TapeError."""
    if shape.interval_s >= DAY_S:
        raise AlgorithmError(f"bars of {shape.interval_s} s do not say when in the day volume trades; {_REMEDY}")
    ends, volume = _bars(tape, symbol, shape, now_ns)
    if not ends:
        raise AlgorithmError(f"no bar of {symbol} is on the account's tapes; {_REMEDY}")
    known = [s for s in _sessions(shape) if ends[0] <= s[1] <= now_ns]
    return volume_curve(
        ends, volume, known, now_ns, bucket_ns=max(LEAST_BUCKET_S, shape.interval_s) * SECOND_NS
    )  # fmt: skip


def _bars(tape: Path, symbol: str, shape: BarShape, now_ns: int) -> tuple[list[int], list[float]]:
    """The ends of all bars with their volume, as last told by `now_ns`."""
    tables, rows = set[str](), list[pl.DataFrame]()
    for path in tapes(tape)[-MOST_TAPES:]:
        began = next((m for m in read_messages(path) if isinstance(m, Began)), None)
        if began is not None and began.records:
            tables.add(began.records)
        rows += [pl.read_ipc(io.BytesIO(body)) for _, _, body in payloads(path, {Kind.RECORDS})]
    rows += [table(tape, digest) for digest in sorted(tables)]
    if not rows:
        return [], []
    length = shape.interval_s * SECOND_NS if shape.bar_stamp == "open" else 0
    end = pl.col("event_time").to_physical() + length
    bars = (
        pl.concat([r.select("symbol", "event_time", "available_at", "volume") for r in rows])
        .filter((pl.col("symbol") == symbol) & (pl.col("available_at").to_physical() <= now_ns))
        .sort("event_time", "available_at")
        .group_by("event_time", maintain_order=True)
        .last()
        .select(end.alias("end"), pl.col("volume").fill_null(0.0).fill_nan(0.0))
        .filter(pl.col("end") <= now_ns)
    )
    return bars["end"].to_list(), bars["volume"].to_list()


def _sessions(shape: BarShape) -> list[tuple[int, int]]:
    """Open and close of each session; days of UTC where there is no calendar, as bars are made."""
    known = sessions(ALWAYS if shape.calendar in (UNKNOWN, "") else shape.calendar)
    assert known is not None
    return list(zip(known.open_ns.tolist(), known.close_ns.tolist(), strict=True))
