"""`cws live` and `cws replay-day`, whole: exchange, risk core and runner as processes, a promoted run, its day again.

1. Nothing is traded from a dirty tree, without a promotion, without a risk core, after a kill: each by name, exit 3.
2. What a promoted run does live, killed on its third day and started again, is its backtest, to the micro.
4. It lies on its backtest in four measures; a proposed demotion stops it until a human took it back.
3. The day made again is equal; a candidate that changes a setting is shown with its differing decisions.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
import yaml

from modules.artifacts import ArtifactStore
from modules.engine.bars import trade
from modules.engine.settings import TradingSettings
from modules.live.runner.decide import Programme
from modules.live.runner.tape import read_messages
from modules.live.runner.taped import Decided
from modules.lockbox import strategy_of
from modules.manifest import Manifest
from modules.panel import Panel, iso
from modules.replay import recorded_modules
from tests.cli.checkout import Checkout
from tests.cli.trading import ADA, process, promoted_in, settings
from tests.harness.planted import reversal_panel, wide_csv

pytestmark = pytest.mark.slow
BARS = 8


@pytest.fixture(scope="module")
def promoted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkout, Manifest]:
    folder = tmp_path_factory.mktemp("l")
    return promoted_in(folder / "c", wide_csv(reversal_panel(1_400, strength=0.5), folder / "planted.csv"))


def killed_after(at: Checkout, tapes: Path, days: int, *argv: str) -> None:
    """Trade, and end with kill -9 as soon as there are tapes of so many days."""
    env = {**os.environ, "PYTHONPATH": str(at.root), "CWS_HOME": str(at.workspace.home), "NO_COLOR": "1"}
    command = [sys.executable, "-m", "cli.main", *argv]
    with subprocess.Popen(command, cwd=at.root, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as made:
        try:
            while len(list(tapes.glob("*.tape"))) < days:
                assert made.poll() is None and made.stderr is not None, made.stderr
                time.sleep(0.002)
        finally:
            made.kill()


def account(at: Checkout, name: str, port: int, symbols: list[str], strategy: str) -> None:
    folder = at.workspace.home / "live" / name
    folder.mkdir(parents=True)
    rows = [
        {"symbol": s, "sector": s, "lot_size": 0.0001, "sigma_day": 0.01, "beta": 0.0, "adv_lots": 10**12,
         "located_lots": 10**12}
        for s in symbols
    ]  # fmt: skip
    config = {
        "account": name, "mode": "paper", "venue": {"name": "sim", "options": {"port": port}}, "clock": "venue",
        "instruments": rows, "limits": {"strategies": {strategy: 1e6}},
    }  # fmt: skip
    (folder / "riskd.yaml").write_text(yaml.safe_dump(config))


def decided_on(tapes: Path) -> list[Decided]:
    """Every decision that is on a tape."""
    return [d for path in sorted(tapes.glob("*.tape")) for d in read_messages(path) if isinstance(d, Decided)]


def backtest(at: Checkout, manifest: Manifest, since_ns: int) -> tuple[list[int], int]:
    """NAV of each bar of the run's strategy from a day on, and the orders that were let out."""
    store = ArtifactStore(at.workspace.artifacts)
    modules = recorded_modules(manifest)
    programme = Programme("x", modules, since_ns)
    found = {n: store.get(manifest.output(n)) for n in ("bars", "signal", "instruments")}
    from modules.contract import Context

    size = modules["size"]
    inputs = size.inputs(**{n: found[n] for n in size.ports("inputs")})
    weights = size.run(inputs, size.settings, Context(0, programme.start_ns)).weights  # type: ignore[attr-defined]
    terms, bars, instruments = modules["execute"].settings, found["bars"], found["instruments"]
    assert isinstance(terms, TradingSettings) and isinstance(bars, Panel) and isinstance(instruments, pl.DataFrame)
    simulated = trade(bars, weights, instruments, terms, since_ns)
    return simulated.bars.nav.tolist(), int((simulated.orders.allowed != 0).sum())


def test_the_whole_way(promoted: tuple[Checkout, Manifest]) -> None:
    at, manifest = promoted
    store = ArtifactStore(at.workspace.artifacts)
    bars = store.get(manifest.output("bars"))
    assert isinstance(bars, Panel)
    since_ns = int(bars.ts[-BARS])
    since, name = iso(since_ns), f"s{strategy_of(manifest)[:12]}"
    live = ("live", "last", "--venue", "sim", "--account", "t1", "--since", since, "--json")
    with process(at, "exchange", "last", "--account", "t1", "--since", since) as (_, exchange):
        account(at, "t1", exchange["port"], list(bars.symbols), name)

        # 1
        done = at.cws(*live)
        assert (done.code, "NO_RISK_CORE" in done.err) == (3, True), done.err
        (at.root / "new.txt").write_text("not committed")
        done = at.cws(*live)
        (at.root / "new.txt").unlink()
        assert (done.code, "DIRTY_TREE" in done.err, "NOT_PROMOTED" in done.err) == (3, True, False), done.err
        at.git("checkout", "-q", "HEAD~1")
        done = at.cws(*live)
        at.git("checkout", "-q", "main")
        assert (done.code, "NOT_PROMOTED" in done.err, "CERTIFICATE" in done.err) == (3, True, False), done.err
        assert at.cws("live", "last", "--venue", "alpaca", "--account", "t1").code == 2

        # 2
        with process(at, "riskd", "--account", "t1") as (core, _):
            tapes = at.workspace.home / "live" / "t1" / "tape"
            killed_after(at, tapes, 3, *live)
            done = at.cws_process(*live)
            assert done.code == 0, done.err
            assert done.json["bars"] < BARS
            navs, orders = backtest(at, manifest, since_ns)
            said = done.json
            made = decided_on(tapes)
            assert [d.nav_micros for d in made] == navs and said["nav_micros"] == navs[-1], done.err
            assert sum(len(d.tickets) for d in made) == orders
            assert said["mode"] == "paper" and said["level"] == "paper" and orders > 20

            # 4
            done = at.cws("drift", "--account", "t1", "--json")
            assert (done.code, done.json["days"]) == (0, BARS), done.json["measures"]
            assert [m["distance"] for m in done.json["measures"]] == pytest.approx([0.0] * 4, abs=1e-9)
            (at.workspace.home / "live" / "t1" / "demotion.json").write_text("?")
            assert "DRIFTED" in at.cws(*live).err
            assert at.cws("drift", "--dismiss", "--account", "t1").code == 2
            assert at.cws("drift", "--dismiss", "--account", "t1", "--by", str(ADA), "--reason", "seen").code == 0

            # 1: after a kill
            assert at.cws("kill", "--account", "t1", "--by", str(ADA), "--reason", "enough").code == 0
            done = at.cws(*live)
            assert (done.code, "KILLED" in done.err) == (3, True), done.err
            core.send_signal(signal.SIGTERM)

    # 3
    assert len(list(tapes.glob("*.tape"))) == BARS
    day = sorted(tapes.glob("*.tape"))[3].stem
    done = at.cws("replay-day", day, "--account", "t1", "--json")
    assert (done.code, done.json["equal"], done.json["bars"]) == (0, True, 1), done.err
    at.git("checkout", "-q", "-b", "smaller")
    settings(at.root / "modules" / "size" / "rank_neutral" / "settings.yaml", gross_leverage=0.04)
    at.git("commit", "-qam", "less")
    at.git("checkout", "-q", "main")
    done = at.cws("replay-day", day, "--account", "t1", "--candidate", "smaller", "--json")
    assert (done.code, done.json["equal"], done.json["mode"]) == (1, False, "paper"), done.err
    assert all(d["what"].split()[0] in ("decision", "order") for d in done.json["differences"])
    assert len(done.json["differences"]) > 5 and day in done.json["first_difference"]
    done = at.cws("replay-day", day, "--account", "t1", "--candidate", "main", "--json")
    assert (done.code, done.json["differences"]) == (0, []), done.err
    done = at.cws("replay-day", "1999-01-01", "--account", "t1")
    assert done.code == 2 and "no tape" in done.err
