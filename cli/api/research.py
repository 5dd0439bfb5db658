"""What was researched: recorded backtests, the newest signals of a run, the market's regime."""

from __future__ import annotations

import math
from itertools import islice
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict

from cli.api.faults import absent
from cli.api.wiring import DEFAULT_PAGE, Page, needs, workspace_of
from cli.running import signal_of
from cli.session import Stores
from modules.manifest import Manifest, RunError

router = APIRouter()
RunName = Annotated[
    str, Path(pattern=r"^[A-Za-z0-9-]{1,64}$", description="an id, an unambiguous beginning of one, or `last`")
]
AfterNs = Annotated[int | None, Query(ge=-(2**63), le=2**63 - 1)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Backtest(_Model):
    """One recorded run. Times are ns UTC; metrics as `cws runs --json` names them; null = not a number."""

    run_id: str
    digest: str
    data: str
    signal: str
    start_ns: int
    end_ns: int
    started_ns: int
    seconds: float
    metrics: dict[str, float | None]


class Backtests(_Model):
    """A page, the newest first. `next`: give it as `after` for the page that follows; null = this is the last."""

    backtests: tuple[Backtest, ...]
    next: str | None


class StageDone(_Model):
    """One stage of a run."""

    stage: str
    module: str
    digest: str
    seconds: float
    settings: dict[str, Any]


class BacktestWhole(Backtest):
    """A run with its stages and the task's identity."""

    task_digest: str
    seed: int
    symbols: tuple[str, ...] | None
    stages: tuple[StageDone, ...]


class NavPoint(_Model):
    """The account at a bar's close, in micros of the run's currency."""

    ts_ns: int
    nav_micros: int


class Nav(_Model):
    """A page of the account, the oldest first. `next`: give it as `after_ns`."""

    nav: tuple[NavPoint, ...]
    next: int | None


class Signal(_Model):
    """What a run holds of a symbol at its last bar: the signal's value and the weight that it gave. null = none."""

    symbol: str
    signal: float | None
    weight: float | None


class Signals(_Model):
    """The newest row of a recorded run. `ts_ns`: the bar's time."""

    run_id: str
    expression: str
    ts_ns: int
    signals: tuple[Signal, ...]


class Regime(_Model):
    """The kind of market at the last bar of a run, as far as it was known the bar before; null = too little history.

    Volatility: the tercile of the last month's among all before. Trend: of the last half year.
    """

    run_id: str
    ts_ns: int
    volatility: Literal["low volatility", "middle volatility", "high volatility"] | None
    trend: Literal["market down", "market up"] | None


@router.get("/v1/backtests", dependencies=[Depends(needs("research"))])
def list_backtests(
    request: Request,
    page: Page = DEFAULT_PAGE,
    after: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9-]{1,64}$")] = None,
    data: Annotated[str | None, Query(max_length=64)] = None,
) -> Backtests:
    """Recorded runs, the newest first."""
    every = Stores(workspace_of(request)).manifests
    wanted = (m for m in every if (after is None or m.run_id < after) and (data is None or m.task.data == data))
    found = list(islice(wanted, page + 1))
    return Backtests(
        backtests=tuple(Backtest(**_row(m)) for m in found[:page]),
        next=found[page - 1].run_id if len(found) > page else None,
    )


@router.get("/v1/backtests/{run}", dependencies=[Depends(needs("research"))])
def read_backtest(request: Request, run: RunName) -> BacktestWhole:
    """One recorded run, with its stages."""
    manifest = _manifest(request, run)
    stages = tuple(
        StageDone(stage=s.stage, module=s.module, digest=s.digest, seconds=s.seconds, settings=s.settings)
        for s in manifest.stages
    )
    task = manifest.task
    return BacktestWhole(
        **_row(manifest), task_digest=manifest.task_digest, seed=task.seed, symbols=task.symbols, stages=stages
    )


@router.get("/v1/backtests/{run}/nav", dependencies=[Depends(needs("research"))])
def read_nav(request: Request, run: RunName, page: Page = DEFAULT_PAGE, after_ns: AfterNs = None) -> Nav:
    """The account of a run over time."""
    import polars as pl

    manifest = _manifest(request, run)
    table = _artifact(request, manifest, "nav").select(pl.col("event_time").cast(pl.Int64), "nav_micros")
    later = table if after_ns is None else table.filter(pl.col("event_time") > after_ns)
    rows = later.head(page + 1).rows()
    points = tuple(NavPoint(ts_ns=ts, nav_micros=nav) for ts, nav in rows[:page])
    return Nav(nav=points, next=points[-1].ts_ns if len(rows) > page else None)


@router.get("/v1/backtests/{run}/signals", dependencies=[Depends(needs("research"))])
def read_signals(request: Request, run: RunName) -> Signals:
    """The newest signals of a recorded run. Those that are traded are at /v1/signals."""
    manifest = _manifest(request, run)
    signal, weights = _panel(request, manifest, "signal"), _panel(request, manifest, "weights")
    values = dict(zip(signal.symbols, next(iter(signal.fields.values()))[-1].tolist(), strict=True))
    held = dict(zip(weights.symbols, next(iter(weights.fields.values()))[-1].tolist(), strict=True))
    return Signals(
        run_id=manifest.run_id,
        expression=signal_of(manifest),
        ts_ns=int(signal.ts[-1]),
        signals=tuple(Signal(symbol=s, signal=_number(values[s]), weight=_number(held.get(s))) for s in sorted(values)),
    )


@router.get("/v1/backtests/{run}/regime", dependencies=[Depends(needs("research"))])
def read_regime(request: Request, run: RunName) -> Regime:
    """The kind of market at the last bar of a recorded run."""
    from harness.validation.regimes import TERCILES, TRENDS, market_returns, trend_regime, volatility_regime

    manifest = _manifest(request, run)
    bars = _panel(request, manifest, "bars")
    market = market_returns(bars)
    volatility, trend = int(volatility_regime(market)[-1]), int(trend_regime(market)[-1])
    return Regime.model_validate(
        {
            "run_id": manifest.run_id,
            "ts_ns": int(bars.ts[-1]),
            "volatility": None if volatility < 0 else TERCILES[volatility],
            "trend": None if trend < 0 else TRENDS[trend],
        }
    )


def _manifest(request: Request, run: str) -> Manifest:
    try:
        return Stores(workspace_of(request)).manifests.load(run)
    except RunError as error:
        raise absent("backtest", "run", run, "GET /v1/backtests lists them") from error


def _artifact(request: Request, manifest: Manifest, name: str) -> Any:
    from modules.artifacts import ArtifactError

    try:
        return Stores(workspace_of(request)).artifacts.get(manifest.output(name))
    except (ArtifactError, RunError) as error:
        raise absent(f"{name} of run", "run", manifest.run_id, f"run it again: {error}") from error


def _panel(request: Request, manifest: Manifest, name: str) -> Any:
    panel = _artifact(request, manifest, name)
    if not len(panel.ts):
        raise absent(f"bar of {name} in run", "run", manifest.run_id, "run it on a period that has bars")
    return panel


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _row(manifest: Manifest) -> dict[str, Any]:
    return {
        "run_id": manifest.run_id,
        "digest": manifest.digest,
        "data": manifest.task.data,
        "signal": signal_of(manifest),
        "start_ns": manifest.task.start_ns,
        "end_ns": manifest.task.end_ns,
        "started_ns": manifest.started_ns,
        "seconds": manifest.seconds,
        "metrics": {k: _number(v) for k, v in manifest.metrics.items()},
    }
