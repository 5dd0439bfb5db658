"""`cws live --venue paper`: recorded bars are played to risk core and runner as processes, and the fills are the paper
venue's own. At the backtest's costs each bar's NAV is the backtest's but for what is rounded."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import yaml

from modules.artifacts import ArtifactStore
from modules.lockbox import strategy_of
from modules.panel import Panel, iso
from tests.cli.minutes import DAY_S, promoted
from tests.cli.test_live import account, backtest, decided_on
from tests.cli.trading import process

DAYS, MINUTES = 2, 60
LIKE_THE_RUN = {"half_spread_bps": 0.0, "commission_bps": 0.0, "impact_k": 0.0, "cash_usd": 100_000.0}


@pytest.mark.slow
def test_two_days(tmp_path: Path) -> None:
    at, manifest = promoted(tmp_path, days=20, minutes=MINUTES)
    store = ArtifactStore(at.workspace.artifacts)
    bars, records = store.get(manifest.output("bars")), store.get(manifest.output("records"))
    assert isinstance(bars, Panel) and isinstance(records, pl.DataFrame)
    since_ns = (int(bars.ts[-1]) // (DAY_S * 10**9) - DAYS + 1) * DAY_S * 10**9
    played = tmp_path / "records.parquet"
    records.filter(pl.col("event_time").to_physical() >= since_ns).write_parquet(played)
    account(at, "t1", 1, list(bars.symbols), f"s{strategy_of(manifest)[:12]}")
    file = at.workspace.home / "live" / "t1" / "riskd.yaml"
    venue = {"name": "paper", "options": {"feed": "recorded", "records": str(played), **LIKE_THE_RUN}}
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"venue": venue}))
    live = ("live", "last", "--venue", "paper", "--account", "t1", "--since", iso(since_ns), "--json")
    with process(at, "riskd", "--account", "t1"):
        done = at.cws_process(*live)
    assert done.code == 0, done.err
    navs, orders = backtest(at, manifest, since_ns)
    made = decided_on(at.workspace.home / "live" / "t1" / "tape")
    assert [d.nav_micros for d in made] == pytest.approx(navs, rel=1e-5) and len(set(navs)) > MINUTES
    assert (done.json["bars"], done.json["venue"], done.json["mode"]) == (DAYS * MINUTES, "paper", "paper")
    assert sum(len(d.tickets) for d in made) == pytest.approx(orders, rel=0.01) and orders > 5 * MINUTES
