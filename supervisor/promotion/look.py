"""The one look: the run's strategy, traded over the lockbox with its recorded settings. Leaves figures, and no rows."""

from __future__ import annotations

import math

import polars as pl
from pydantic import BaseModel, ConfigDict

from harness.validation.sharpe import expected_maximum, moments, probabilistic_sharpe
from modules.artifacts import PassingStore
from modules.canonical import digest_json
from modules.dataversion import DataVersion
from modules.lockbox import Emit, Opened, Purpose, open_lockbox
from modules.manifest import Manifest
from modules.panel import iso
from modules.pipeline import FactsSource, RawSource, execute
from modules.replay import recorded_modules
from modules.sources import FACT_COLUMNS
from modules.task import DAY_NS
from modules.workspace import Workspace
from supervisor.promotion.criteria import Finding
from supervisor.promotion.research import net_returns, versions_of

AFTER_NS = 400 * DAY_NS
"""A bar of any length is known within this of its label."""


class Look(BaseModel):
    """What a lockbox said. Sharpe ratio net and annual; `probability` that it is above what the luckiest of `looks`
    strategies without any worth shows there."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    first: str
    last: str
    bars: int
    net_sharpe: float | None
    max_drawdown: float | None
    probability: float | None
    looks: int
    digest: str

    @property
    def findings(self) -> dict[str, Finding]:
        """By criterion."""
        span = f"{self.first[:10]} to {self.last[:10]}, {self.bars} bars"
        return {
            "min_lockbox_sharpe": Finding(figure=self.net_sharpe, words=span),
            "min_lockbox_probability": Finding(figure=self.probability, words=f"look {self.looks} at these rows"),
            "max_lockbox_drawdown": Finding(figure=self.max_drawdown, words="the deepest loss from a peak"),
        }


def look(workspace: Workspace, manifest: Manifest, purpose: Purpose, emit: Emit) -> Look:
    """Open every lockbox that the run stopped before, trade from the first of them to the end, forget the rows.

    The openings are recorded through `emit` before anything is read. Nothing of the run is kept on disk: its artifacts
    live in memory, and its events, which would be mined, go nowhere. Raises LockboxSpentError and what a stage raises.
    """
    modules = recorded_modules(manifest)  # a module that is gone must not cost the look
    versions = versions_of(workspace, manifest)
    opened = [open_lockbox(workspace, version, purpose, emit) for version in versions]
    bars = versions[0]
    task = manifest.task.model_copy(
        update={"start_ns": min(v.lockbox_start_ns for v in versions), "end_ns": bars.last_ns + AFTER_NS}
    )
    store = PassingStore()
    found = execute(task, modules, _source(opened, task.end_ns), store, _nowhere, use_cache=False)
    returns = net_returns(store, found)
    times = _times(store, found)
    looks = 1 + max(o.event.earlier for o in opened)
    shape = moments(returns)
    probability = math.nan
    if shape is not None:
        luck = expected_maximum(looks, 1.0 / math.sqrt(max(1, shape.bars - 1)))
        probability = probabilistic_sharpe(shape, luck)
    return Look(
        first=iso(times[0]),
        last=iso(times[-1]),
        bars=int(returns.size),
        net_sharpe=found.metrics.get("net_sharpe"),
        max_drawdown=found.metrics.get("max_drawdown"),
        probability=probability if math.isfinite(probability) else None,
        looks=looks,
        digest=found.digest,
    )


def _source(opened: list[Opened], end_ns: int) -> RawSource:
    rows = opened[0].rows
    facts = None
    if len(opened) > 1:
        stated = opened[1].rows.select(FACT_COLUMNS)
        facts = FactsSource(opened[1].version.digest, end_ns + 1, lambda: stated)
    return RawSource(_identity(opened[0].version), lambda: rows, facts)


def _identity(version: DataVersion) -> str:
    """Rows with the lockbox are other rows than those without."""
    return digest_json({"opened": version.digest})


def _times(store: PassingStore, manifest: Manifest) -> list[int]:
    nav = store.get(manifest.output("nav"))
    assert isinstance(nav, pl.DataFrame), "nav is a table"
    return [int(t) for t in nav.get_column("event_time").to_physical().to_list()]


def _nowhere(event: object) -> None:
    """Events of a look would tell later mining what lies in the lockbox."""
