"""Results before and after a model's training cut-off, kept apart.

A model may have read what came of the bars that it is asked about: figures before the end of its training data say
nothing of its foresight. Only those after it are out of its sample.
"""

from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import polars as pl

from harness.drafters.port import Frozen
from modules.engine.metrics import bars_per_year, sharpe
from modules.panel import FloatArray

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


def around(nav: pl.DataFrame, evidence: pl.DataFrame, *, model: str, cutoff: date) -> Around:
    """The account and the evidence of a run, cut behind the day `cutoff` (UTC)."""
    behind = pl.lit(cutoff + timedelta(days=1)).cast(pl.Datetime("ns", "UTC"))
    early = pl.col("event_time").cast(pl.Datetime("ns", "UTC")) < behind
    return Around(
        model=model,
        cutoff=cutoff,
        before=_part(nav.filter(early), evidence.filter(early)),
        after=_part(nav.filter(~early), evidence.filter(~early)),
    )


def _part(nav: pl.DataFrame, evidence: pl.DataFrame) -> Part:
    if not nav.height:
        return Part(bars=0)
    ts = nav.get_column("event_time").dt.epoch("ns").to_numpy().astype(np.int64)
    returns: FloatArray = nav.get_column("net_return").to_numpy().astype(np.float64)
    ic = evidence.get_column("ic").drop_nulls().to_numpy().astype(np.float64)
    enough = nav.height >= FEWEST_BARS
    return Part(
        bars=nav.height,
        first=_day(int(ts[0])),
        last=_day(int(ts[-1])),
        net_sharpe=_known(sharpe(returns, bars_per_year(ts))) if enough else None,
        rank_correlation=_known(float(ic.mean())) if enough and ic.size else None,
    )


def _day(ns: int) -> date:
    return date(1970, 1, 1) + timedelta(days=ns // 86_400_000_000_000)


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
