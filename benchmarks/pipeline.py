"""The whole pipeline on 100 symbols x 21 years (5,292 days), OHLCV, every cost on: cold, warm, from digests only."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from benchmarks.common import Row, median_seconds, report
from benchmarks.market import as_long_table, make_panel
from modules.artifacts import ArtifactStore
from modules.datastore import DataStore
from modules.ingest.adding import add_files
from modules.manifest import Manifest
from modules.pipeline import RawSource, execute
from modules.task import load_modules, load_pipeline, make_task
from modules.workspace import CHECKOUT

SYMBOLS, DAYS = 100, 5292


def measure() -> list[Row]:
    """Seconds; the cold run pays for loading (or compiling) kernels, the warm ones do not."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        prices = home / "prices.parquet"
        as_long_table(make_panel(DAYS, SYMBOLS)).write_parquet(prices)
        data, store = DataStore(home / "data"), ArtifactStore(home / "artifacts")
        start = time.perf_counter()
        add_files(data, "made", [prices])
        registered = time.perf_counter() - start
        version = data.current("made")
        task = make_task(load_pipeline(CHECKOUT / "pipeline.yaml"), version)
        raw = RawSource(version.digest, lambda: data.raw(version))

        def run(*, use_cache: bool) -> Manifest:
            return execute(task, load_modules(task, version), raw, store, lambda event: None, use_cache=use_cache)

        start = time.perf_counter()
        run(use_cache=False)
        cold = time.perf_counter() - start
        rows = [
            Row("register 529,200 rows", registered, "s"),
            Row("pipeline, first run of the process", cold, "s"),
            Row("pipeline, computed", median_seconds(lambda: run(use_cache=False)), "s", goal=10.0),
            Row("pipeline, identical run from digests", median_seconds(lambda: run(use_cache=True)), "s", goal=0.5),
        ]
        manifest = run(use_cache=False)
        rows += [Row(f"  of which {s.stage}/{s.module}", s.seconds, "s") for s in manifest.stages]
        return rows


if __name__ == "__main__":
    sys.exit(report(measure, __doc__))
