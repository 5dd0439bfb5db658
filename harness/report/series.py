"""What a report shows, read from the artifacts of a run. Nothing here is drawn or formatted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import polars as pl

from harness.report.book import MICROS, Book, read_book
from harness.report.execution import execution
from modules.canonical import Artifact
from modules.live.analysis.tca import Costs
from modules.manifest import Manifest
from modules.panel import FloatArray, IntArray, Panel

COST_TYPES = ("commission", "spread", "impact", "borrow")


class Artifacts(Protocol):
    """Where artifacts are read from; the artifact store is one."""

    def get(self, digest: str, /) -> Artifact:
        """The artifact of that digest, verified."""
        ...


@dataclass(frozen=True)
class Account:
    """The simulated account, a row a bar. Returns are fractions of NAV at the bar before; costs in the currency."""

    ts: IntArray
    nav: FloatArray
    gross_return: FloatArray
    net_return: FloatArray
    turnover: FloatArray
    gross_exposure: FloatArray
    costs: Mapping[str, FloatArray]


@dataclass(frozen=True)
class Criterion:
    """One criterion of the judgement."""

    name: str
    value: float | None
    threshold: float
    passed: bool


@dataclass(frozen=True)
class QualityCount:
    """How often a quality rule fired, and what it did."""

    rule: str
    action: str
    cells: int
    symbols: int


@dataclass(frozen=True)
class Quantile:
    """Mean next-bar return of one signal quantile (1 = lowest signal)."""

    quantile: int
    mean_return: float
    count: int


@dataclass(frozen=True)
class RunSeries:
    """Everything that the charts and tables of one run are made of. `without_open`: share of the bars with a close
    that carry no open, 1 where the data have none at all."""

    account: Account
    book: Book
    execution: Costs
    ic_ts: IntArray
    ic: FloatArray
    quantiles: tuple[Quantile, ...]
    judgement: tuple[Criterion, ...]
    quality: tuple[QualityCount, ...]
    decisions: Mapping[str, int]
    fills: int
    symbols: int
    has_volume: bool
    without_open: float


def read_series(manifest: Manifest, store: Artifacts) -> RunSeries:
    """Read the artifacts of a finished run.

    Raises RunError where the run stopped before `execute`, ArtifactError where the store lost one.
    """

    def table(name: str) -> pl.DataFrame:
        found = store.get(manifest.output(name))
        assert isinstance(found, pl.DataFrame), f"{name} must be a table"
        return found

    def panel(name: str) -> Panel:
        found = store.get(manifest.output(name))
        assert isinstance(found, Panel), f"{name} must be a panel"
        return found

    bars, fills = panel("bars"), table("fills")
    account = _account(table("nav"))
    acted = table("actions") if "actions" in manifest.stage("execute").outputs else None
    evidence = table("evidence").drop_nulls("ic")
    orders = table("orders")
    decisions = orders.group_by("decision").len().sort("decision")
    instruments = table("instruments")
    return RunSeries(
        account=account,
        book=read_book(bars, panel("positions"), instruments, fills, acted, account.nav),
        execution=execution(bars, instruments, orders, fills),
        ic_ts=_ns(evidence.get_column("event_time")),
        ic=evidence.get_column("ic").to_numpy().astype(np.float64),
        quantiles=tuple(
            Quantile(r["quantile"], r["mean_return"], r["count"])
            for r in table("quantiles").sort("quantile").iter_rows(named=True)
        ),
        judgement=tuple(
            Criterion(r["criterion"], r["value"], r["threshold"], r["passed"])
            for r in table("judgement").iter_rows(named=True)
        ),
        quality=_quality(table("quality")),
        decisions={str(r["decision"]): int(r["len"]) for r in decisions.iter_rows(named=True)},
        fills=fills.height,
        symbols=len(bars.symbols),
        has_volume="volume" in bars and bool(np.isfinite(bars["volume"]).any()),
        without_open=_without_open(bars),
    )


def _without_open(bars: Panel) -> float:
    traded = np.isfinite(bars["close"])
    if "open" not in bars or not traded.any():
        return 1.0
    return float((traded & ~np.isfinite(bars["open"])).sum() / traded.sum())


def _account(nav: pl.DataFrame) -> Account:
    def floats(name: str) -> FloatArray:
        return nav.get_column(name).to_numpy().astype(np.float64)

    return Account(
        ts=_ns(nav.get_column("event_time")),
        nav=floats("nav_micros") / MICROS,
        gross_return=floats("gross_return"),
        net_return=floats("net_return"),
        turnover=floats("turnover"),
        gross_exposure=floats("gross_exposure"),
        costs={kind: floats(f"{kind}_micros") / MICROS for kind in COST_TYPES},
    )


def _quality(quality: pl.DataFrame) -> tuple[QualityCount, ...]:
    counts = (
        quality.group_by("rule", "action")
        .agg(pl.len().alias("cells"), pl.col("symbol").n_unique().alias("symbols"))
        .sort(["cells", "rule"], descending=[True, False])
    )
    return tuple(
        QualityCount(r["rule"], str(r["action"]), int(r["cells"]), int(r["symbols"]))
        for r in counts.iter_rows(named=True)
    )


def _ns(times: pl.Series) -> IntArray:
    return times.dt.epoch("ns").to_numpy().astype(np.int64)
