"""Results before and after a model's training cut-off, kept apart.

A model may have read what came of the bars that it is asked about: figures before the end of its training data say
nothing of its foresight. Only those after it are out of its sample.

runs/<run id>/trained.json   which model had part in the signal of a run, and the digest of the run it belongs to
"""

from __future__ import annotations

import math
from datetime import date, timedelta
from pathlib import Path
from typing import TypeAlias

import numpy as np
import polars as pl
from pydantic import ValidationError

from harness.drafters.port import Frozen
from modules.artifacts import write_whole
from modules.calendars import DAY_NS
from modules.engine.metrics import bars_per_year, sharpe
from modules.manifest import Manifest, RunError
from modules.panel import FloatArray, IntArray

FILE = "trained.json"
Series: TypeAlias = tuple[IntArray, FloatArray]
_EPOCH = date(1970, 1, 1)

FEWEST_BARS = 20
"""Fewer give no Sharpe ratio worth printing."""


class Part(Frozen):
    """One side of the cut-off. `net_sharpe` and `rank_correlation` are None where there are too few bars."""

    bars: int
    first: date | None = None
    last: date | None = None
    net_sharpe: float | None = None
    rank_correlation: float | None = None


class Around(Frozen):
    """The result of one run on both sides of `cutoff`, the last day that `model` can have been trained on."""

    model: str
    cutoff: date
    before: Part
    after: Part

    @property
    def words(self) -> str:
        """What a reader must know of it, in a sentence."""
        until = f"{self.model} was trained on data until {self.cutoff.isoformat()}"
        if self.after.bars == 0:
            return f"{until}: all {self.before.bars} bars lie before that, so it may know what came of them"
        if self.before.bars == 0:
            return f"{until}: all {self.after.bars} bars lie behind that, out of its sample"
        return f"{until}: {self.after.bars} of {self.before.bars + self.after.bars} bars are out of its sample"


class Trained(Frozen):
    """A model that had part in a signal, and the last day that it can have been trained on."""

    model: str
    cutoff: date


class _Kept(Frozen):
    run_digest: str
    trained: Trained


def around(returns: Series, ic: Series, trained: Trained) -> Around:
    """The account and the rank correlations of a run, `(ts, values)` each, cut behind the last day of training, UTC."""
    behind = (trained.cutoff - _EPOCH).days * DAY_NS + DAY_NS
    early, early_ic = returns[0] < behind, ic[0] < behind
    return Around(
        model=trained.model,
        cutoff=trained.cutoff,
        before=_part(returns[0][early], returns[1][early], ic[1][early_ic]),
        after=_part(returns[0][~early], returns[1][~early], ic[1][~early_ic]),
    )


def series_of(table: pl.DataFrame, column: str) -> Series:
    """`(ts, values)` of a table by event time, without its missing values."""
    known = table.drop_nulls(column)
    ts = known.get_column("event_time").dt.epoch("ns").to_numpy().astype(np.int64)
    return ts, known.get_column(column).to_numpy().astype(np.float64)


def keep_trained(runs: Path, manifest: Manifest, trained: Trained) -> None:
    """Put it beside the run, whole or not at all; keeping it twice changes nothing."""
    kept = _Kept(run_digest=manifest.digest, trained=trained)
    write_whole(runs / manifest.run_id / FILE, kept.model_dump_json(indent=1).encode() + b"\n")


def trained_of(runs: Path, manifest: Manifest) -> Trained | None:
    """Which model had part in the signal of a run; None where none is known. Raises RunError for a file that cannot be
    believed."""
    path = runs / manifest.run_id / FILE
    try:
        kept = _Kept.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        raise RunError(f"{path} cannot be read ({type(error).__name__}); research the hypothesis again") from error
    if kept.run_digest != manifest.digest:
        raise RunError(f"{path} is of other bits ({kept.run_digest[:12]}); research the hypothesis again")
    return kept.trained


def _part(ts: IntArray, returns: FloatArray, ic: FloatArray) -> Part:
    if not ts.size:
        return Part(bars=0)
    enough = ts.size >= FEWEST_BARS
    return Part(
        bars=int(ts.size),
        first=_day(int(ts[0])),
        last=_day(int(ts[-1])),
        net_sharpe=_known(sharpe(returns, bars_per_year(ts))) if enough else None,
        rank_correlation=_known(float(ic.mean())) if enough and ic.size else None,
    )


def _day(ns: int) -> date:
    return _EPOCH + timedelta(days=ns // DAY_NS)


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
