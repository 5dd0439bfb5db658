"""Faults planted by a seed, and a cleaning module tried on them.

Invariants:
1. The same records and seed give the same faults; another seed gives others.
2. Only bars of a fault differ from what was delivered, and each differs as its kind says.
3. What a rule finds and what it takes for a fault are counted apart: looser rules miss more, tighter ones alarm more.
"""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from modules.artifacts import ArtifactStore
from modules.contract import TIME, Context
from modules.registry import load_module
from supervisor.mined import InForce, Mined
from supervisor.probes import Room
from supervisor.probes._planting import CLEAR_BARS, DAY_NS, STALE_BARS, Planted, plant
from supervisor.probes.seeded_faults import SeededFaults
from tests.supervisor.conftest import CLEAN, DATA, MINING_END_NS
from traces.events import FaultsPlanted, RunStarted, StageFinished
from traces.ledger import Ledger

SYMBOLS = ("A.NYSE", "B.NYSE", "C.NYSE")
MONDAY = 7_001 * DAY_NS - 7_001 % 7 * DAY_NS + 4 * DAY_NS  # 1970-01-01 was a Thursday


def market(bars: int = 2_000, seed: int = 3) -> pl.DataFrame:
    """Weekday bars without a fault: a random walk with 1 % a day, highs above and lows below."""
    rng = np.random.Generator(np.random.PCG64(seed))
    days = np.arange(bars * 2, dtype=np.int64) * DAY_NS + MONDAY
    days = days[(days // DAY_NS + 3) % 7 < 5][:bars]
    parts = []
    for symbol in SYMBOLS:
        close = 50.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, bars)))
        at, known = (pl.Series(days + hours * 3_600_000_000_000).cast(TIME) for hours in (0, 22))
        parts.append(
            pl.DataFrame(
                {
                    "symbol": [symbol] * bars, "event_time": at, "available_at": known,
                    "open": close, "high": close * 1.01, "low": close * 0.99, "close": close,
                    "volume": rng.uniform(1e5, 2e5, bars), "adj_close": close * 0.5,
                }
            )
        )  # fmt: skip
    return pl.concat(parts)


def instruments() -> pl.DataFrame:
    start = pl.Series([0] * len(SYMBOLS), dtype=pl.Int64).cast(TIME)
    return pl.DataFrame(
        {
            "symbol": list(SYMBOLS), "venue": "NYSE", "currency": "USD", "calendar": "XNYS", "sector": "S",
            "tick_size": 0.01, "lot_size": 1.0, "valid_from": start,
        }
    ).with_columns(valid_to=pl.lit(None, dtype=TIME))  # fmt: skip


@pytest.fixture(scope="module")
def delivered() -> pl.DataFrame:
    return market()


@pytest.fixture(scope="module")
def planted(delivered: pl.DataFrame) -> Planted:
    return plant(delivered, 7, most_each=5)


def test_the_seed_decides(delivered: pl.DataFrame, planted: Planted) -> None:
    again = plant(delivered, 7, most_each=5)
    assert again.faults == planted.faults and again.records.equals(planted.records)
    assert plant(delivered, 8, most_each=5).faults != planted.faults
    kinds = Counter(fault.kind for fault in planted.faults)
    assert len(kinds) == 8 and max(kinds.values()) - min(kinds.values()) <= 1 and sum(kinds.values()) == 40


def test_only_the_bars_of_faults_differ(delivered: pl.DataFrame, planted: Planted) -> None:
    keys = ["symbol", "event_time"]
    cells = pl.struct("open", "high", "low", "close", "volume", "adj_close")
    both = delivered.select(*keys, before=cells).join(planted.records.select(*keys, after=cells), on=keys, how="left")
    differ = both.filter(pl.col("before").ne_missing(pl.col("after"))).select(keys)
    allowed: dict[tuple[str, int], str] = {}
    for fault in planted.faults:
        length = CLEAR_BARS // 2 if fault.kind == "level_shift" else fault.last - fault.first + 1
        for ts in planted.bars[fault.symbol][fault.first : fault.first + length].tolist():
            allowed[fault.symbol, ts] = fault.kind
    changed = {(s, t) for s, t in differ.with_columns(pl.col("event_time").to_physical()).iter_rows()}
    assert changed <= allowed.keys()
    counts = Counter(allowed[key] for key in changed)
    expected = {"spike": 5, "gap": 15, "zero_price": 5, "level_shift": 150, "crossed": 5, "negative_volume": 5}
    assert {k: n for k, n in counts.items() if k != "stale"} == expected
    assert counts["stale"] == 5 * STALE_BARS
    added = planted.records.join(delivered.select(keys), on=keys, how="anti")
    assert added.height == 5 and set(added["event_time"].dt.weekday()) == {6}


def test_each_kind_is_what_it_says(planted: Planted) -> None:
    for fault in planted.faults:
        at = pl.Series(planted.bars[fault.symbol][fault.first : fault.last + 1]).cast(TIME)
        rows = planted.records.filter((pl.col("symbol") == fault.symbol) & pl.col("event_time").is_in(at.implode()))
        match fault.kind:
            case "gap":
                assert rows.is_empty()
            case "stale":
                assert rows["close"].n_unique() == 1 and rows.height == STALE_BARS
            case "zero_price":
                assert rows["close"].to_list() == [0.0]
            case "crossed":
                assert bool((rows["close"] > rows["high"] * 1.005).all())
            case "negative_volume":
                assert bool((rows["volume"] < 0.0).all())


def test_data_that_cannot_carry_a_kind_get_none_of_it(delivered: pl.DataFrame) -> None:
    bare = delivered.with_columns(pl.lit(None, dtype=pl.Float64).alias(n) for n in ("open", "high", "low", "volume"))
    kinds = {fault.kind for fault in plant(bare, 1).faults}
    assert kinds == {"spike", "stale", "gap", "zero_price", "level_shift", "weekend"}
    around_the_clock = delivered.with_columns(pl.col("event_time") + pl.duration(days=3))
    assert "weekend" not in {fault.kind for fault in plant(around_the_clock, 1).faults}


# --- a module tried on them -----------------------------------------------------------------------------


def tried(tmp_path: Path, records: pl.DataFrame) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """The probe's events, over a ledger and a store that hold one mined run of the cleaning module in force."""
    module = load_module("clean", "quality")
    store = ArtifactStore(tmp_path / "artifacts")
    outputs = module.run(module.inputs(records=records, instruments=instruments()), module.settings, Context(0, 0))
    inputs = {"records": store.put(records), "instruments": store.put(instruments())}
    quality = store.put(getattr(outputs, "quality"))  # noqa: B009
    with Ledger(tmp_path / "ledger", tmp_path / "checkpoints") as ledger:
        ledger.append(
            RunStarted(
                run_id="r", task_digest="t", data="d", data_digest=DATA, signal=None, start="1990-01-02",
                end="2002-01-01", seed=0, modules={}, purpose="run",
            ),
            StageFinished(
                run_id="r", stage="clean", module="quality", code_digest="c", settings_digest="s", settings={},
                inputs=inputs, outputs={"quality": quality}, seconds=1.0, cached=False, metrics={},
            ),
        )  # fmt: skip
        mined = Mined(tmp_path / "ledger", {DATA: MINING_END_NS}, {CLEAN: InForce("s", "c")})
        notes = SeededFaults().measure(Room(mined, store, ledger.append, time.monotonic() + 60.0))
        again = Mined(tmp_path / "ledger", {DATA: MINING_END_NS}, {CLEAN: InForce("s", "c")})
        SeededFaults().measure(Room(again, store, ledger.append, time.monotonic() + 60.0))  # known: not tried again
    final = Mined(tmp_path / "ledger", {DATA: MINING_END_NS}, {})
    return final.sql("SELECT planted, found, alarms, standing, cells, trial_id FROM faults_planted").to_dicts(), notes


def test_a_cleaning_module_is_tried(tmp_path: Path, delivered: pl.DataFrame) -> None:
    [event], notes = tried(tmp_path, delivered)
    assert notes == () and event["cells"] == 6_000
    planted_, found = event["planted"], event["found"]
    assert set(planted_) == set(found) and sum(planted_.values()) == len(plant(delivered, 20_170_401).faults)
    sure = ("stale", "gap", "zero_price", "crossed", "negative_volume", "weekend")
    assert {k: found[k] for k in sure} == {k: planted_[k] for k in sure}
    assert found["level_shift"] == 0 < planted_["level_shift"]
    assert 0 < found["spike"] <= planted_["spike"]
    closed = event["standing"]["off_calendar"]  # its bars stand on holidays too, and it has no other fault
    assert closed > 0 and event["standing"] == {"off_calendar": closed}
    assert {rule: n for rule, n in event["alarms"].items() if n} == {"off_calendar": closed}


def test_records_that_are_gone_are_said(tmp_path: Path) -> None:
    with Ledger(tmp_path / "ledger", tmp_path / "checkpoints") as ledger:
        ledger.append(
            RunStarted(
                run_id="r", task_digest="t", data="d", data_digest=DATA, signal=None, start="1990-01-02",
                end="2002-01-01", seed=0, modules={}, purpose="run",
            ),
            StageFinished(
                run_id="r", stage="clean", module="quality", code_digest="c", settings_digest="s", settings={},
                inputs={"records": "0" * 64, "instruments": "1" * 64}, outputs={"quality": "2" * 64}, seconds=1.0,
                cached=False, metrics={},
            ),
        )  # fmt: skip
    mined = Mined(tmp_path / "ledger", {DATA: MINING_END_NS}, {CLEAN: InForce("s", "c")})
    emitted: list[FaultsPlanted] = []
    room = Room(mined, ArtifactStore(tmp_path / "artifacts"), emitted.append, time.monotonic() + 60.0)  # type: ignore[arg-type]
    [note] = SeededFaults().measure(room)
    assert "clean/quality was not tried on planted faults" in note and emitted == []
