"""What a reader must know before the figures: zero trades, costs not modelled, luck."""

from __future__ import annotations

from collections.abc import Mapping

from harness.report.series import RunSeries
from harness.report.statistics import Statistics
from modules.manifest import Manifest

NEXT_CLOSE = "net_sharpe_next_close"
"""The control that execute reports where it filled at the close of the decision."""

READS_LEVEL = "reads_level"
"""1 where feature/expression found that restating a history for a split changes the signal."""

LEVEL_WARNING = (
    "READS THE FUTURE, PERHAPS: the signal depends on the level of prices or volumes, and the level of adjusted data "
    "holds later splits and dividends. Believe no figure below unless the prices were never adjusted."
)

SHORT_YEARS = 3.0
REFUSED_SHARE = 0.10


def warnings(series: RunSeries, stats: Statistics, metrics: Mapping[str, float]) -> tuple[str, ...]:
    """Plain sentences, the gravest first; empty where there is nothing to say."""
    said = []
    if series.fills == 0:
        said.append("ZERO TRADES: no order was filled, so every return below is zero. Look at the signal's coverage.")
    if metrics.get(READS_LEVEL):
        said.append(LEVEL_WARNING)
    if not series.has_volume:
        said.append(
            "Market impact is not modelled: the data carry no volume. Net figures leave out the cost of size; "
            "spread, commission and borrow are charged."
        )
    later = metrics.get(NEXT_CLOSE)
    if later is not None and series.without_open > 0:
        control = f"Filled at the next close instead, the net Sharpe ratio is {later:.2f}."
        said.append(f"{early_fills(series.without_open)} {control}")
    failed = [
        f"{c.name} {'missing' if c.value is None else f'{c.value:.4g}'} (asked {c.threshold:g})"
        for c in series.judgement
        if not c.passed
    ]
    if failed:
        said.append(f"The backtest judged the signal as failed: {', '.join(failed)}.")
    sharpe = stats.net.sharpe
    if stats.luck_sharpe is not None and sharpe is not None and 0 < sharpe < stats.luck_sharpe:
        said.append(
            f"A net Sharpe ratio of {sharpe:.2f} is below the {stats.luck_sharpe:.2f} that the best of as many "
            "worthless trials as this workspace has recorded would show by luck."
        )
    if stats.years < SHORT_YEARS:
        said.append(
            f"Short history: {stats.years:.1f} years. The standard error of a yearly Sharpe ratio is about "
            f"{(1 / max(stats.years, 1e-9)) ** 0.5:.2f}."
        )
    orders = sum(series.decisions.values())
    refused = series.decisions.get("REJECT", 0) + series.decisions.get("REDUCE", 0)
    if orders and refused / orders > REFUSED_SHARE:
        said.append(
            f"The risk decision reduced or rejected {refused:,} of {orders:,} orders: "
            "the book traded is not the book asked for."
        )
    if series.decisions.get("FLATTEN", 0):
        said.append(f"The risk decision flattened the book: {series.decisions['FLATTEN']:,} orders.")
    return tuple(said)


def early_fills(without_open: float) -> str:
    """That fills are at the close of the decision on the share of the bars that carry no open."""
    if without_open == 1.0:
        return "Fills are at the close on which the signal was computed, because the data carry no open."
    share = f"{without_open:.2%}" if without_open >= 0.0001 else "Under 0.01%"
    return f"{share} of the bars carry no open; fills there are at the close on which the signal was computed."


def notes(manifest: Manifest, series: RunSeries) -> tuple[str, ...]:
    """What the modules said of their own work, each once; less what a warning says already."""
    said = [
        f"{stage.stage}/{stage.module}: {note}"
        for stage in manifest.stages
        for note in stage.notes
        if not note.startswith(("not passed", "fills without an open")) and (series.has_volume or "volume" not in note)
    ]
    return tuple(dict.fromkeys(said))
