"""Does what is traded still look like its backtest? Four measures over the same days, each against its limit.

The shadow is the backtest of the very days: the tape's programme on the records that the runner had, from the bar on
which the account began, with what it held in cash then. On recorded data both are the same to the bit.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from modules.engine.accounting import MICROS
from modules.engine.bars import simulate
from modules.engine.result import Simulation
from modules.live.runner.days import Day, Figures, days, drawdown, sharpe
from modules.live.runner.days import figures as figures_of
from modules.live.runner.decide import DecideError, decide_all
from modules.live.runner.programmes import trading_of
from modules.live.runner.replay import Replayed, replay
from modules.live.runner.resume import tapes
from modules.live.runner.tables import records_on
from modules.panel import Panel, iso


class DriftLimits(BaseModel):
    """How far live figures may lie from those of the backtest of the same days, either way."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    daily_pnl_bps: float = Field(default=10.0, gt=0.0, description="mean distance of a day's return")
    sharpe: float = Field(default=0.5, gt=0.0)
    fill_rate: float = Field(default=0.05, gt=0.0, le=1.0)
    slippage_bps: float = Field(default=5.0, gt=0.0)


@dataclass(frozen=True)
class Measure:
    """One of the four. `distance` NaN = not to be said yet, which is no alarm."""

    name: str
    live: float
    shadow: float
    distance: float
    limit: float

    @property
    def holds(self) -> bool:
        """Whether live lies within the limit of the shadow."""
        return not self.distance > self.limit

    @property
    def sentence(self) -> str:
        """For the terminal and the alert."""
        word = "within" if self.holds else "BEYOND"
        return (
            f"{self.name}: live {self.live:.6g}, backtest {self.shadow:.6g}, apart {self.distance:.6g}, {word} the "
            f"limit {self.limit:g}"
        )


@dataclass(frozen=True)
class Drift:
    """What was found over the days of one strategy."""

    strategy: str
    first: str
    last: str
    days: int
    measures: tuple[Measure, ...]

    @property
    def holds(self) -> bool:
        """Whether live still is what was promoted."""
        return all(m.holds for m in self.measures)


def drift(folder: Path, limits: DriftLimits | None = None) -> Drift | None:
    """The days of the newest tape's strategy beside their backtest; None without a day.

    Raises TapeError, RegistryError, EngineError.
    """
    limits = limits or DriftLimits()
    found = tapes(folder)
    if not found:
        return None
    last = replay(found[-1])
    live = days(folder, last.began.strategy)
    first = live[0]
    records = records_of(found, last)
    begins = _first_bar(records["event_time"].to_physical().to_list(), first.day)
    programme = last.runner.programme
    known = records["available_at"].to_physical().max()
    if not isinstance(known, int):
        raise DecideError("the tapes hold no records, so there is nothing to compare with")
    bars, weights = decide_all(programme, records, last.runner.instruments, known, last.runner.facts)
    settings = trading_of(programme)
    simulated = simulate(
        bars, weights, last.runner.instruments, capital_usd=first.began.state.cash_micros / MICROS,
        costs=settings.costs, limits=settings.limits, start_ns=max(begins, programme.start_ns),
        min_order_usd=settings.min_order_usd, fill_without_open=settings.fill_without_open,
        liquidity=settings.liquidity,
    )  # fmt: skip
    shadow, returns = _shadow(bars, simulated, first)
    ours, own = figures_of(live), [d.net_return for d in live]
    apart = [abs(a - b) for a, b in zip(own, returns, strict=False)]
    pnl = 1e4 * math.fsum(apart) / len(apart) if apart else math.nan
    measures = (
        Measure("daily P&L, bps of NAV", _mean_bps(own), _mean_bps(returns), pnl, limits.daily_pnl_bps),
        _measure("Sharpe", ours.sharpe, shadow.sharpe, limits.sharpe),
        _measure("fill rate", ours.fill_rate, shadow.fill_rate, limits.fill_rate),
        _measure("slippage, bps", ours.slippage_bps, shadow.slippage_bps, limits.slippage_bps),
    )
    return Drift(last.began.strategy, first.day, live[-1].day, len(live), measures)


def records_of(found: list[Path], last: Replayed) -> pl.DataFrame:
    """All records that stand on tapes: what the last one has, before it what earlier ones had. Raises TapeError."""
    records = last.runner.all_records()
    if last.began.forgotten is None:
        return records
    parts = [records]
    for path in reversed(found[:-1]):
        earlier = records_on(path)
        oldest = parts[0]["event_time"].min()
        parts.insert(0, earlier.filter(pl.col("event_time") < oldest))
    return pl.concat(p for p in parts if p.height)


def _measure(name: str, live: float, shadow: float, limit: float) -> Measure:
    return Measure(name, live, shadow, abs(live - shadow), limit)


def _mean_bps(returns: list[float]) -> float:
    return 1e4 * math.fsum(returns) / len(returns) if returns else math.nan


def _first_bar(labels: list[int], day: str) -> int:
    """Label of the first bar of a day. Raises DecideError where the records have none."""
    there = [ts for ts in labels if iso(ts)[:10] >= day]
    if not there:
        raise DecideError(f"the tapes hold no bar of {day} or later")
    return min(there)


def _shadow(bars: Panel, simulated: Simulation, first: Day) -> tuple[Figures, list[float]]:
    """The figures of the backtest, and its returns by day."""
    labels = [iso(int(ts))[:10] for ts in simulated.ts]
    closing = {day: int(nav) for day, nav in zip(labels, simulated.bars.nav, strict=True)}
    navs = [first.first_nav_micros, *closing.values()]
    returns = [b / a - 1.0 for a, b in itertools.pairwise(navs)]
    fills, orders = simulated.fills, simulated.orders
    ordered = int(np.abs(orders.allowed).sum())
    value = np.abs(fills.notional) / MICROS
    at = bars["raw_close" if "raw_close" in bars else "close"][orders.row[fills.order], fills.symbol]
    slipped = np.where(np.isnan(at), 0.0, np.sign(fills.lots) * value * (fills.price - at) / fills.price)
    traded, fees = float(value.sum()), float((fills.commission + fills.spread + fills.impact).sum()) / MICROS
    made = Figures(
        days=len(returns),
        pnl_usd=(navs[-1] - navs[0]) / MICROS,
        sharpe=sharpe(returns, 252.0),
        fill_rate=float(np.abs(fills.lots).sum()) / ordered if ordered else math.nan,
        slippage_bps=1e4 * float(slipped.sum()) / traded if traded else math.nan,
        shortfall_bps=1e4 * (float(slipped.sum()) + fees) / traded if traded else math.nan,
        max_drawdown=drawdown(simulated.bars.nav.tolist()),
    )
    return made, returns
