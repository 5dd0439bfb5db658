"""Everything that a report says beyond the headline, of one run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.report.series import RunSeries
from harness.report.study.calendar import (
    HeatMap,
    PeriodQuantiles,
    Seasonality,
    Year,
    heat_map,
    period_quantiles,
    seasonality,
    years,
)
from harness.report.study.dependence import Dependence, dependence
from harness.report.study.factors import Factors, market, own_factors
from harness.report.study.holdings import (
    Composition,
    Correlation,
    Exposure,
    Holding,
    composition,
    correlation,
    exposure,
    holdings,
)
from harness.report.study.market import Attribution, Beta, attribute, beta
from harness.report.study.path import Drawdown, Rolling, rolling, worst_drawdowns
from harness.report.study.trips import TripFigures, Trips, round_trips, trip_figures
from modules.engine.metrics import bars_per_year
from modules.panel import FloatArray
from modules.tail import Tails, tails


@dataclass(frozen=True, eq=False)
class Study:
    """The figures, by question. `given`: attribution to a user's factors, where some were given."""

    tails: Tails
    dependence: Dependence
    seasonality: tuple[Seasonality, ...]
    periods: tuple[PeriodQuantiles, ...]
    years: tuple[Year, ...]
    heat: HeatMap
    drawdowns: tuple[Drawdown, ...]
    rolling: Rolling
    market: FloatArray
    beta: Beta
    own: Attribution
    given: Attribution | None
    trips: Trips
    trip_figures: tuple[TripFigures, ...]
    exposure: Exposure
    composition: Composition
    holdings: tuple[Holding, ...]
    correlation: Correlation


def study(series: RunSeries, seed: int, given: Factors | None = None) -> Study:
    """All of it; `seed` is for the Monte Carlo draws alone and is shown with them."""
    account, book = series.account, series.book
    net, per_year = account.net_return, bars_per_year(account.ts)
    moved = market(book)
    trips = round_trips(book)
    earned = np.zeros(len(book.symbols))
    np.add.at(earned, trips.symbol, trips.profit)
    window = max(2, min(round(per_year), account.ts.size // 4))
    return Study(
        tails=tails(net, per_year, seed),
        dependence=dependence(net, per_year),
        seasonality=seasonality(account.ts, net),
        periods=period_quantiles(account.ts, net),
        years=years(account.ts, account.gross_return, net, account.turnover, per_year),
        heat=heat_map(account.ts, account.turnover, net),
        drawdowns=worst_drawdowns(account.ts, net),
        rolling=rolling(net, moved, window, per_year),
        market=moved,
        beta=beta(net, moved, per_year),
        own=attribute(net, own_factors(book), per_year),
        given=None if given is None else attribute(net, given, per_year),
        trips=trips,
        trip_figures=trip_figures(trips),
        exposure=exposure(book),
        composition=composition(book),
        holdings=holdings(book, earned),
        correlation=correlation(book, net),
    )
