"""A promoted run on minute bars in a checkout of its own, and its processes: exchange, risk core, runner."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from harness.validation.store import ValidationStore
from modules.artifacts import ArtifactStore
from modules.datastore import DataStore
from modules.ingest.adding import AddOptions, add_files
from modules.manifest import Manifest, ManifestStore
from modules.pipeline import execute
from modules.promotion import PromotionSpec
from modules.sources import source_of
from modules.task import load_modules, load_pipeline, make_task
from supervisor.promotion.decide import promote
from supervisor.review import approve
from tests.cli.checkout import Checkout, make_checkout
from tests.cli.test_live import ADA, settings
from tests.supervisor.test_promotion import report_of
from traces.events import Event
from traces.ledger import Ledger

MINUTE_S, DAY_S = 60, 86_400
FIRST_DAY_S = 19_786 * DAY_S
"""2024-03-04."""
NO_COSTS = {"half_spread_bps": 0.0, "commission_bps": 0.0, "impact_k": 0.0}
"""Or no minute strategy would be promoted."""
SIGNAL = "rank(-returns(close, 2))"


def minute_csv(path: Path, days: int, minutes: int, symbols: int = 6, seed: int = 7) -> Path:
    """Minute bars of a random walk that takes back part of each move; every day is traded, from 14:31 UTC on."""
    rng = np.random.default_rng(seed)
    rows = days * minutes
    moves = rng.normal(0.0, 0.002, (rows, symbols))
    moves[1:] -= 0.3 * moves[:-1]
    close = np.round(50.0 * np.exp(np.cumsum(moves, axis=0) * 0.3), 2)
    opening = np.round(np.vstack([close[:1], close[:-1]]) * np.exp(rng.normal(0.0, 2e-4, close.shape)), 2)
    day, minute = np.divmod(np.arange(rows), minutes)
    at = FIRST_DAY_S + day * DAY_S + (14 * 60 + 31 + minute) * MINUTE_S
    pl.DataFrame(
        {
            "at": np.repeat(at, symbols),
            "symbol": np.tile([f"S{i:02d}" for i in range(symbols)], rows),
            "open": opening.ravel(),
            "high": np.maximum(opening, close).ravel(),
            "low": np.minimum(opening, close).ravel(),
            "close": close.ravel(),
            "volume": np.rint(rng.uniform(5e4, 2e5, close.size)),
        }
    ).write_csv(path)
    return path


def promoted(root: Path, days: int, minutes: int, gross: float = 0.05) -> tuple[Checkout, Manifest]:
    """A checkout whose commit promotes a run on minute bars to paper, by a human's merge."""
    made = make_checkout(root / "c")
    settings(made.root / "modules" / "live" / "risk" / "limits.yaml", deadline_ms=1_000)  # a loaded machine is slow
    made.git("commit", "-qa", "--amend", "--no-edit")
    space = made.workspace
    data, store = DataStore(space.data), ArtifactStore(space.artifacts)
    csv = minute_csv(root / "minutes.csv", days, minutes)
    add_files(data, "minutes", [csv], AddOptions(layout="long", time_column="at", interval_s=60, bar_stamp="close"))
    version = data.current("minutes")
    task = make_task(load_pipeline(space.root / "pipeline.yaml"), version, signal=SIGNAL)
    with Ledger(space.ledger, space.checkpoints) as ledger:

        def keep(event: Event) -> None:
            ledger.append(event)

        modules = load_modules(task, version)
        modules["size"] = modules["size"].with_settings({"gross_leverage": gross, "smoothing_bars": 1})
        modules["execute"] = modules["execute"].with_settings({"capital_usd": 100_000.0, **NO_COSTS})
        manifest = execute(task, modules, source_of(data, task), store, keep)
        ManifestStore(space.runs).save(manifest)
        ValidationStore(space.runs).save(report_of(manifest))
        done = promote(space, manifest, "paper", PromotionSpec(), ADA, keep, lambda _: ADA)
        assert done.branch is not None, done.record
        approve(space, done.branch, keep, by=str(ADA))
    return made, manifest
