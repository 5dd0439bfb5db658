"""The report of a run as one object: figures first, and pictures and page only where they are asked for."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from harness.report.beside import Beside
from harness.report.charts import charts
from harness.report.drawing import Chart, render_png, render_svg
from harness.report.numbers import report_numbers
from harness.report.page import render_page
from harness.report.series import Artifacts, RunSeries, read_series
from harness.report.statistics import Statistics, statistics
from harness.report.study import Study, study
from harness.report.warnings import notes, warnings
from harness.report.words import Said
from modules.manifest import Manifest

FRAME_HEIGHT_PX = 900


@dataclass(frozen=True, eq=False)
class RunReport:
    """Everything that is said of one finished run. In a notebook it shows itself as its page."""

    manifest: Manifest
    series: RunSeries
    stats: Statistics
    study: Study
    beside: Beside
    said: Said
    trials_count: int

    @classmethod
    def of(cls, manifest: Manifest, store: Artifacts, trials_count: int, beside: Beside | None = None) -> RunReport:
        """Read and compute. `trials_count`: trials this workspace has recorded so far, in whose light a Sharpe ratio
        must be read.

        Raises RunError where the run did not reach `execute`, ArtifactError where an artifact is lost, and FactorError
        where given factors do not fit the run.
        """
        beside = beside or Beside()
        series = read_series(manifest, store)
        stats = statistics(series, trials_count)
        given = None if beside.factors is None else beside.factors.on(series.account.ts)
        said = Said(warnings(series, stats, manifest.metrics), (*notes(manifest, series), *beside.notes))
        return cls(manifest, series, stats, study(series, manifest.task.seed, given), beside, said, trials_count)

    def charts(self) -> tuple[Chart, ...]:
        """The pictures, not yet drawn."""
        return charts(self.series, self.stats, self.study, self.beside)

    @cached_property
    def svgs(self) -> Mapping[str, str]:
        """The pictures of the page by name, drawn once; empty where one is a file only."""
        return {chart.name: render_svg(chart) for chart in self.charts()}

    def pngs(self) -> Mapping[str, bytes]:
        """The pictures as files by name."""
        return {chart.name: render_png(chart) for chart in self.charts()}

    def page(self, svgs: Mapping[str, str] | None = None) -> str:
        """The whole page; with `svgs` given, nothing is drawn and those stand where they are named."""
        found = self.svgs if svgs is None else {chart.name: svgs.get(chart.name, "") for chart in self.charts()}
        return render_page(
            self.manifest, self.series, self.stats, self.study, self.beside, self.said, self.trials_count, found
        )

    def numbers(self) -> dict[str, object]:
        """The figures of the page for programs; None where a figure has no meaning."""
        return report_numbers(
            self.manifest, self.series, self.stats, self.study, self.beside, self.said, self.trials_count
        )

    def returns(self) -> pl.DataFrame:
        """A row a bar: time, NAV, returns, the market's return, turnover and exposure."""
        a = self.series.account
        return pl.DataFrame(
            {
                "event_time": pl.Series(a.ts).cast(pl.Datetime("ns", "UTC")),
                "nav": a.nav,
                "gross_return": a.gross_return,
                "net_return": a.net_return,
                "market_return": self.study.market,
                "turnover": a.turnover,
                "gross_exposure": self.study.exposure.gross,
                "net_exposure": self.study.exposure.net,
            }
        )

    def trips(self) -> pl.DataFrame:
        """A row a round trip, by its end; profit after fees, before borrow and funding."""
        t, symbols = self.study.trips, self.series.book.symbols
        return pl.DataFrame(
            {
                "symbol": pl.Series([symbols[k] for k in t.symbol], dtype=pl.String),
                "side": t.side,
                "opened": pl.Series(t.opened).cast(pl.Datetime("ns", "UTC")),
                "closed": pl.Series(t.closed).cast(pl.Datetime("ns", "UTC")),
                "still_open": t.open,
                "bars": t.bars,
                "put_in": t.bought,
                "fees": t.fees,
                "profit": t.profit,
                "return": t.returns,
            }
        )

    def _repr_html_(self) -> str:
        """The page in a frame of its own: its style touches nothing around it, and no script may run in it."""
        page = html.escape(self.page(), quote=True)
        style = f"width:100%;height:{FRAME_HEIGHT_PX}px;border:1px solid #98a2b3"
        title = html.escape(f"Report of run {self.manifest.run_id}", quote=True)
        return f'<iframe sandbox title="{title}" style="{style}" srcdoc="{page}"></iframe>'
