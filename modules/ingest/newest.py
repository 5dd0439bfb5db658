"""The newest bars of a market, from files in the layout of a run's data set: what the run itself may not hold.

A run ends where the lockbox of its data begins, and a live market is decided on with the bars up to now. These rows are
registered nowhere: nothing can be researched or judged on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from modules.contract import Context, Module
from modules.datastore import DataError
from modules.ingest.adding import read_all
from modules.ingest.guessing import AddOptions
from modules.panel import iso


def newest_records(ingest: Module, paths: Sequence[Path], records: pl.DataFrame, now_ns: int) -> pl.DataFrame:
    """Records of the bars after the last of `records`, known by now, as the run's ingest module reads them.

    Raises DataError where the files hold none, or symbols that the run does not have.
    """
    raw = read_all(paths, AddOptions())
    made = ingest.run(ingest.inputs(raw=raw), ingest.settings, Context(seed=0, start_ns=0))
    found: pl.DataFrame = made.records  # type: ignore[attr-defined]  # every ingest module says records
    last = int(records["event_time"].to_physical().max())  # type: ignore[arg-type]  # a run has records
    known = pl.col("available_at").to_physical() <= now_ns
    new = found.filter((pl.col("event_time").to_physical() > last) & known)
    what = ", ".join(p.name for p in paths[:3])
    if new.is_empty():
        raise DataError(
            f"{what} holds no bar after {iso(last)}, where the run ends", "give the bars from there up to now"
        )
    strange = sorted(set(new["symbol"].unique()) - set(records["symbol"].unique()))
    if strange:
        raise DataError(f"{what} holds {', '.join(strange[:5])}, which the run does not", "leave these symbols out")
    return new.select(records.columns).cast(dict(records.schema))  # type: ignore[arg-type]
