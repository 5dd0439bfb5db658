"""The pictures of a sheet, in the order of the page."""

from __future__ import annotations

from harness.report.drawing import Chart
from harness.sheet import charts_information as i
from harness.sheet import charts_returns as r
from harness.sheet import charts_trading as t
from harness.sheet.figures import Sheet


def charts(sheet: Sheet) -> tuple[Chart, ...]:
    """What is drawn of one signal."""
    return (
        Chart("ic", "Rank IC of every bar, and moving means of rank and Pearson IC", lambda: i.draw_ic(sheet)),
        Chart("ic_histogram", "Histogram of the rank IC", lambda: i.draw_histogram(sheet)),
        Chart("ic_qq", "Rank IC against a normal distribution", lambda: i.draw_qq(sheet)),
        Chart("ic_months", "Mean rank IC by time", lambda: i.draw_months(sheet.information.calendar), inline=False),
        Chart("ic_sectors", "Rank IC within sectors", lambda: i.draw_sectors(sheet)),
        Chart("ic_decay", "Mean rank IC by horizon", lambda: i.draw_decay_ic(sheet)),
        Chart("spread_decay", "Top minus bottom by horizon", lambda: r.draw_decay_spread(sheet)),
        Chart("quantiles", "Mean return by quantile and horizon", lambda: r.draw_quantiles(sheet)),
        Chart("quantiles_violin", "Distribution of returns by quantile", lambda: r.draw_violin(sheet)),
        Chart("quantiles_cumulative", "Growth of each quantile over all symbols", lambda: r.draw_cumulative(sheet)),
        Chart("spread", "Top minus bottom: running sum and moving mean", lambda: r.draw_spread(sheet)),
        Chart("turnover", "New symbols in the outer quantiles", lambda: t.draw_turnover(sheet)),
        Chart("autocorrelation", "Rank autocorrelation of the signal", lambda: t.draw_autocorrelation(sheet)),
        Chart("costs", "Gross and net return by holding period", lambda: t.draw_costs(sheet)),
        Chart("capacity", "Return left by NAV", lambda: t.draw_capacity(sheet)),
        Chart("coverage", "Symbols with a price and with a value", lambda: t.draw_coverage(sheet)),
    )
