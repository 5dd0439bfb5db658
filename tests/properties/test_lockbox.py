"""The last fifth of history has no effect on anything that is computed before it is opened.

1. Two files that differ only in lockbox values give, in mining and judging, the same bits: every artifact of every
   stage, every metric and note, and the research drafted from them. Only what names the data (its digest) differs.
2. Nothing that adding a file shows or keeps in clear holds a lockbox value: guess, notes, refused rows, version, times.
3. No registration under the same name moves the lockbox later, opens a row of it, or lets judge what was mined.
4. A task that names an end in the lockbox, and is executed without asking `make_task`, finds nothing there.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from harness.research import research
from modules.artifacts import ArtifactStore
from modules.contract import TIME
from modules.datastore import DataStore
from modules.ingest.adding import AddOptions, add_files
from modules.panel import Panel
from modules.task import LockboxError
from modules.workspace import Workspace
from tests.harness.planted import reversal_panel, small_checkout, wide_csv
from tests.pipelines import Desk
from traces.events import Event

OPEN = 0.8
VALUES = ("open", "high", "low", "close", "adj_close", "volume")


def bars(rows: int = 500, symbols: int = 5, seed: int = 0) -> pl.DataFrame:
    """OHLCV with a split in the middle, an adjusted close, and holes."""
    rng = np.random.default_rng(seed)
    close = 40.0 * np.exp(np.cumsum(rng.normal(0.0, 0.02, (rows, symbols)), axis=0))
    adjusted = close.copy()
    adjusted[: rows // 3, 0] /= 2.0
    date = np.repeat(np.datetime64("2003-01-01") + np.arange(rows), symbols)
    values = {
        "open": close * 0.999, "high": close * 1.01, "low": close * 0.99, "close": close, "adj_close": adjusted,
        "volume": np.floor(rng.lognormal(12.0, 0.5, close.shape)),
    }  # fmt: skip
    table = pl.DataFrame(
        {"date": date, "symbol": np.tile([f"S{i}" for i in range(symbols)], rows)}
        | {name: array.ravel() for name, array in values.items()}
    )
    return table.filter(pl.Series(rng.random(table.height) > 0.03))


def other_future(table: pl.DataFrame, share: float = OPEN) -> pl.DataFrame:
    """The same file with every value of its last fifth changed, beyond recognition."""
    dates = table.get_column("date").unique().sort()
    edge = dates[int(share * dates.len())]
    factor = pl.Series(np.random.default_rng(5).uniform(3.0, 400.0, table.height))
    return table.with_columns(
        pl.when(pl.col("date") >= edge).then(pl.col(v) * factor).otherwise(pl.col(v)).alias(v) for v in VALUES
    )


def desk_with(folder: Path, table: pl.DataFrame) -> Desk:
    desk = Desk(folder, "mine")
    folder.mkdir()
    table.write_parquet(folder / "bars.parquet")
    add_files(desk.data, "mine", [folder / "bars.parquet"])
    return desk


SIGNALS = ("rank(-returns(close, 5))", "ts_mean(open / delay(close, 1), 10)", "volume / ts_mean(volume, 20)")


def test_1_runs_do_not_feel_the_lockbox(tmp_path: Path) -> None:
    first, second = desk_with(tmp_path / "a", bars()), desk_with(tmp_path / "b", other_future(bars()))
    assert first.version.digest != second.version.digest
    assert first.version.open_digest == second.version.open_digest
    ends = (first.version.mining_end_ns, first.version.lockbox_start_ns)
    assert ends == (second.version.mining_end_ns, second.version.lockbox_start_ns)
    for end in ends:
        for signal in SIGNALS:
            a, b = (d.run(d.task(signal=signal, end=end)) for d in (first, second))
            for x, y in zip(a.stages, b.stages, strict=True):
                assert (x.outputs, x.metrics, x.notes) == (y.outputs, y.metrics, y.notes), x.stage
            assert a.metrics == b.metrics


@pytest.mark.slow
def test_1_research_does_not_feel_the_lockbox(tmp_path: Path) -> None:
    panel = reversal_panel(900)
    cut = int(OPEN * panel.shape[0])
    close = panel["close"].copy()
    close[cut:] *= np.random.default_rng(2).uniform(2.0, 90.0, close[cut:].shape)
    found = []
    for name, there in (("a", panel), ("b", panel.with_fields(close=close))):
        folder = tmp_path / name
        workspace = Workspace(root=small_checkout(folder / "checkout"), home=folder / "home")
        add_files(DataStore(workspace.data), "planted", [wide_csv(there, folder / "planted.csv")])
        events: list[Event] = []
        result = research(
            "Stocks that fell the most last week rebound", workspace=workspace, emit=events.append, data="planted", k=3
        )
        assert result.chosen is not None
        found.append((result.screens, result.candidates, result.chosen.expr, result.chosen.run_digest))
    assert found[0] == found[1]


def sealed_texts(table: pl.DataFrame) -> list[str]:
    """Values of the last fifth as text, long enough to be no accident."""
    dates = table.get_column("date").unique().sort()
    late = table.filter(pl.col("date") >= dates[int(OPEN * dates.len())])
    texts = [str(v) for name in VALUES[:5] for v in late.get_column(name).to_list()]
    return [t for t in texts if len(t) > 6]


def test_2_adding_shows_no_value_of_the_lockbox(tmp_path: Path) -> None:
    """Three broken rows before the lockbox, then three in it: their places are named, not their values."""
    table = bars()
    rows = [40, 41, 42, table.height - 42, table.height - 41, table.height - 40]
    low = table.get_column("low").scatter(rows, table.get_column("high")[rows] * 1.5)
    bad = table.with_columns(low)
    path = tmp_path / "bars.csv"
    for kept, expected in ((rows, 3), (rows[3:], 0)):
        one = bad.with_row_index("i").filter(~pl.col("i").is_in(sorted(set(rows) - set(kept)))).drop("i")
        one.write_csv(path)
        store = DataStore(tmp_path / f"data{expected}")
        result = add_files(store, "mine", [path])
        shown = result.first_refused["high_below_low"]
        assert result.refused == {"high_below_low": len(kept)}
        assert sum("close=" in line for line in shown) == expected
        text = " ".join([*shown, str(result.guess), *result.notes, result.version.model_dump_json()])
        clear = [p for p in (tmp_path / f"data{expected}").rglob("*") if p.suffix in (".json", "")]
        text += " ".join(p.read_text() for p in clear if p.is_file())
        assert not [t for t in sealed_texts(one) if t in text]
        times = pl.read_parquet(tmp_path / f"data{expected}" / "mine" / "v1" / "times.parquet")
        assert times.columns == ["source_event_time"]


@pytest.mark.parametrize("change", ["more rows", "garbage", "fewer rows", "later start", "vintage"])
def test_3_registering_again_unlocks_nothing(change: str, tmp_path: Path) -> None:
    table = bars(300)
    path = tmp_path / "bars.parquet"
    table.write_parquet(path)
    store = DataStore(tmp_path / "data")
    first = add_files(store, "mine", [path]).version
    dates = table.get_column("date").unique().sort()
    tail = table.tail(800).with_columns(pl.col("date") + pl.duration(days=400))
    changed = {
        "more rows": pl.concat([table, tail]),
        "garbage": pl.concat([table, tail.with_columns(pl.lit(1.0).alias(v) for v in VALUES)]),
        "fewer rows": table.filter(pl.col("date") < dates[250]),
        "later start": table.filter(pl.col("date") > dates[60]),
        "vintage": table.with_columns(pl.col("close") * 1.01),
    }[change]
    changed.write_parquet(path)
    second = add_files(
        store, "mine", [path], AddOptions(known_at="2004-02-01") if change == "vintage" else None
    ).version
    assert second.digest != first.digest
    assert second.lockbox_start_ns <= first.lockbox_start_ns
    assert first.mining_end_ns <= second.mining_end_ns < second.lockbox_start_ns
    last = store.raw(second).get_column("source_event_time").max()
    assert last < pl.Series([first.lockbox_start_ns]).cast(TIME)[0]


def test_4_a_task_made_by_hand_finds_nothing_there(tmp_path: Path) -> None:
    desk = desk_with(tmp_path / "a", bars())
    version = desk.version
    with pytest.raises(LockboxError):
        desk.task(end=version.lockbox_start_ns + 1)
    task = desk.task(signal=SIGNALS[0]).model_copy(update={"end_ns": version.last_ns + 10**18})
    manifest = desk.run(task)
    found = ArtifactStore(desk.home / "artifacts").get(manifest.stages[1].outputs["bars"])
    assert isinstance(found, Panel) and int(found.ts[-1]) < version.lockbox_start_ns
