"""A sweep on discovery data, each combination a trial. Used by `cws sweep`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.vector.grid import Grid
from harness.vector.screen import Swept as Tried

if TYPE_CHECKING:
    import polars as pl

    from cli.session import Session
    from modules.datastore import DataVersion
    from modules.panel import Panel


@dataclass(frozen=True)
class Swept:
    """What `cws sweep` found. `vectorbt_difference`: of the best, where another loop kept the accounts."""

    template: str
    data: str
    data_digest: str
    symbol: str | None
    first: str
    last: str
    combinations: int
    new_trials: int
    trials_on_data: int
    best: tuple[Tried, ...]
    vectorbt_difference: float | None


def sweep_grid(session: Session, grid: Grid, data: str | None, symbol: str | None, top: int, jobs: int = 1) -> Swept:
    """Keep every account, record every combination as a trial, and keep the best `top`."""
    from harness.vector.parallel import refuse_one_symbol, sweep_by
    from harness.vector.screen import Terms, check_with_vectorbt, ranked, sweep_symbol
    from modules.engine.settings import TradingSettings
    from modules.panel import iso
    from modules.registry import load_module
    from modules.task import load_pipeline

    refuse_one_symbol(jobs, symbol)
    spec = load_pipeline(session.workspace.root / "pipeline.yaml")
    version = session.version(data or spec.data)
    bars, instruments = _discovery(session, version)
    settings = load_module("backtest", "bars").settings
    assert isinstance(settings, TradingSettings), "backtest/bars trades"
    terms = Terms(settings)
    found = sweep_symbol(grid, bars, symbol, terms) if symbol else sweep_by(grid, bars, instruments, terms, jobs)
    new, all_trials = _count(session, version, found, symbol)
    best = ranked(found)[:top]
    return Swept(
        template=grid.template,
        data=version.name,
        data_digest=version.digest,
        symbol=symbol,
        first=iso(int(bars.ts[0])),
        last=iso(int(bars.ts[-1])),
        combinations=len(found),
        new_trials=new,
        trials_on_data=all_trials,
        best=tuple(best),
        vectorbt_difference=check_with_vectorbt(best, bars, symbol, terms) if symbol else None,
    )


def _discovery(session: Session, version: DataVersion) -> tuple[Panel, pl.DataFrame]:
    """Cleaned bars with groups up to where discovery ends, and instruments."""
    import polars as pl

    from modules.groups import with_groups
    from modules.panel import Panel
    from modules.pipeline import execute
    from modules.sources import source_of
    from modules.task import load_modules, load_pipeline, make_task

    spec = load_pipeline(session.workspace.root / "pipeline.yaml").model_copy(update={"facts": None, "signal": None})
    task = make_task(spec, version, end=version.mining_end_ns)
    manifest = execute(
        task,
        load_modules(task, version),
        source_of(session.data, task),
        session.artifacts,
        session.emit,
        purpose="research",
        until="clean",
    )
    bars, instruments = (session.artifacts.get(manifest.output(name)) for name in ("bars", "instruments"))
    assert isinstance(bars, Panel) and isinstance(instruments, pl.DataFrame), "bars are a panel, instruments a table"
    return with_groups(bars, instruments), instruments


def _count(session: Session, version: DataVersion, found: list[Tried], symbol: str | None) -> tuple[int, int]:
    """Record each look that was not made before; returns (new ones, all on this data)."""
    from modules.canonical import digest_json
    from traces.events import TrialRecorded
    from traces.reader import read

    known = [r.event for r in read(session.workspace.ledger) if isinstance(r.event, TrialRecorded)]
    ids = {t.trial_id for t in known}
    made = {}
    for one in found:
        trial_id = f"sweep-{digest_json([version.digest, one.expr, symbol])[:24]}"
        if trial_id not in ids:
            made[trial_id] = TrialRecorded(
                trial_id=trial_id,
                family="screen",
                subject=one.expr if symbol is None else f"{one.expr} [{symbol}]",
                data_digest=version.digest,
                p_value=one.p_value,
            )
    session.emit_all(list(made.values()))
    return len(made), len(made) + sum(t.data_digest == version.digest for t in known)
