"""`cws exchange`: a run's orders, sent to it, make the run's fills and NAV."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from modules.artifacts import ArtifactStore
from modules.live.messages import Ask, Filled, Stepped
from modules.live.venues.sim.client import SimVenue
from modules.manifest import ManifestStore
from modules.workspace import Workspace
from tests.cli.conftest import Cws
from tests.modules.live.venues.conformance import Heard

SOURCE = Path(__file__).resolve().parents[2]


@contextmanager
def exchange(*argv: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """The process, and what it says when it is ready."""
    command = [sys.executable, "-m", "cli.main", "exchange", *argv, "--json"]
    with subprocess.Popen(
        command, cwd=SOURCE, env=os.environ | {"PYTHONPATH": str(SOURCE)}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None and process.stderr is not None
            line = process.stdout.readline()
            assert line, process.stderr.read()
            yield process, json.loads(line)
        finally:
            process.kill()


@pytest.mark.slow
def test_a_runs_orders_make_its_fills(cws: Cws) -> None:
    run = cws("run", "--data", "us5", "--json").json
    workspace = Workspace.here()
    manifest = ManifestStore(workspace.runs).load(run["run_id"])
    store = ArtifactStore(workspace.artifacts)
    orders, fills, nav = (store.get(manifest.output(n)) for n in ("orders", "fills", "nav"))
    assert isinstance(orders, pl.DataFrame) and isinstance(fills, pl.DataFrame) and isinstance(nav, pl.DataFrame)
    at = pl.col("event_time").cast(pl.Int64)
    sent = orders.filter(pl.col("allowed_lots") != 0).with_columns(at.alias("at"))
    with exchange("last", "--account", "desk-1") as (process, said):
        assert said["run_id"] == run["run_id"] and said["bars"] == nav.height and said["account"] == "desk-1"
        venue, heard = SimVenue((said["host"], said["port"]), "desk-1"), Heard()
        venue.open(heard)
        moment = 0
        by_time = {k[0]: v for k, v in sent.partition_by("at", as_dict=True).items()}
        for turn in range(nav.height):
            venue.proceed(moment)
            moment = heard.until(lambda news, n=turn: _moments(news)[n:])[0]
            for row in by_time.get(moment, sent.head(0)).iter_rows(named=True):
                name = f"o-{row['order_id']}"
                order = Ask(name, "s", row["symbol"], row["allowed_lots"], "sim", "paper", "b", 0)
                venue.submit(order, row["allowed_lots"])
        report = venue.report()
        got = [(f.ts_ns, f.symbol, f.lots, f.price, f.value_micros) for f in heard.of(Filled)]
        names = ("at", "symbol", "lots", "price", "notional_micros")
        assert got == [tuple(r) for r in fills.with_columns(at.alias("at")).select(names).iter_rows()]
        assert report.cash_micros == nav["cash_micros"][-1]
        venue.close()
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=300)
        assert process.returncode == 0 and f"NAV {nav['nav_micros'][-1] / 1e6:,.2f} USD" in err


def _moments(news: list[Any]) -> list[int]:
    return [n.ts_ns for n in news if isinstance(n, Stepped)]


@pytest.mark.slow
def test_part_of_a_run_at_a_pace_of_its_own(cws: Cws) -> None:
    cws("run", "--data", "us5", "--json")
    window = ("--since", "2007-03-01", "--until", "2007-03-10", "--pace", "0.01")
    with exchange("last", *window) as (_, said):
        assert "error" not in said, said
        assert (said["first"][:10], said["last"][:10], said["bars"]) == ("2007-03-01", "2007-03-09", 7)
        venue, heard = SimVenue((said["host"], said["port"])), Heard()
        venue.open(heard)
        heard.until(lambda news: any(isinstance(n, Stepped) and n.is_last for n in news))
        venue.close()


def test_what_is_refused(cws: Cws) -> None:
    for argv, word in (
        (("exchange", "nothing"), "there are no runs"),
        (("exchange", "last", "--port", "70000"), "--port"),
    ):
        done = cws(*argv, "--json")
        assert done.code == 2 and word in done.json["error"]["message"]
