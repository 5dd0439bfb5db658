"""What a runner forgets, and that no decision knows of it.

1. The reach of a programme is read off its settings; with a memory without end there is none.
2. Days decided on what is kept are the backtest's on everything, NAV and all; so are a replay, a restart and the drift.
3. Nothing is forgotten where the proof on the bars fails, or where a symbol or a field would go with it.
4. What became known bar by bar lies together, whatever their number.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from modules.live.runner import reach as reaching
from modules.live.runner.core import MOST_CHUNKS
from modules.live.runner.drift import drift
from modules.live.runner.reach import forgettable, reach
from modules.live.runner.replay import replay
from modules.live.runner.resume import resume, tapes
from modules.live.runner.tape import TapeError, read_messages
from modules.live.runner.taped import Began
from tests.modules.live.runner.desk import live, plain_desk
from tests.modules.live.runner.market import Market, market, programme
from tests.modules.live.runner.test_equal import assert_equal
from tests.modules.live.runner.test_tape import as_closed, decided

pytestmark = pytest.mark.slow
MINUTES = 12


@pytest.fixture(scope="module")
def found() -> Market:
    return market(days=4, minutes=MINUTES)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaching, "KEPT_BARS", MINUTES)


@pytest.mark.parametrize(
    ("expr", "stage", "settings", "bars"),
    [
        ("-returns(close, 2)", "size", {}, 3),
        ("-returns(delay(close, 1), 5)", "size", {"smoothing_bars": 4}, 10),
        ("ts_mean(returns(close, 1), 20)", "size", {}, 21),
        ("close - ema(close, 5)", "size", {}, None),
        ("-returns(close, 2)", "size", {"no_trade_band": 0.01}, None),
        ("-returns(close, 2)", "clean", {"spike_action": "mask"}, None),
        ("-returns(close, 2)", "clean", {"max_fill_bars": 1}, None),
    ],
)
def test_1_reach(expr: str, stage: str, settings: dict[str, object], bars: int | None) -> None:
    made = programme(0, expr=expr)
    modules = {**made.modules}
    modules[stage] = modules[stage].with_settings(settings)  # type: ignore[index]  # one of the stages
    assert reach(type(made)(made.strategy, modules, 0)) == bars


def test_2_days_on_what_is_kept(found: Market, few: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start_ns = found.labels(0)[6]
    desk = plain_desk(found, start_ns)
    session = live(found, start_ns, desk, tmp_path)
    session.run()
    assert_equal(found, [as_closed(d) for d in decided(tmp_path)], start_ns)
    held = session.runner.all_records()["event_time"].n_unique()
    assert held < 3 * MINUTES and held + session.runner.forgotten.size == 4 * MINUTES
    began = [m for p in tapes(tmp_path) for m in read_messages(p) if isinstance(m, Began)]
    assert [b.forgotten is not None for b in began] == [False, False, *[True] * 2]
    assert all(replay(p).differences == [] for p in tapes(tmp_path))
    made = resume(tmp_path, "reversal")
    assert made is not None and made.runner.forgotten.tolist() == session.runner.forgotten.tolist()
    apart = drift(tmp_path)
    assert apart is not None and apart.days == 4 and all(m.distance < 1e-9 for m in apart.measures)
    monkeypatch.setattr(reaching, "reach", lambda _: None)  # of a candidate that reads everything
    with pytest.raises(TapeError, match="reads further back"):
        replay(tapes(tmp_path)[-1])


def test_3_everything_is_kept(found: Market, few: None) -> None:
    made = programme(found.labels(0)[6])
    assert forgettable(made, found.records, found.instruments, None) is not None
    assert forgettable(made, found.records, found.instruments, found.records) is None  # facts
    gone = found.records.filter((pl.col("symbol") != "AAA.XNAS") | (pl.col("event_time").dt.day() < 5))
    assert gone.height < found.records.height and forgettable(made, gone, found.instruments, None) is None
    adjusted = found.records.with_columns(adj_close=pl.col("close"))
    assert forgettable(made, adjusted, found.instruments, None) is None


def test_3_the_proof_bites(found: Market, few: None, monkeypatch: pytest.MonkeyPatch) -> None:
    made = programme(found.labels(0)[6], expr="-returns(close, 11)")
    monkeypatch.setattr(reaching, "reach", lambda _: 3)  # as it would be of a module that says too little
    assert forgettable(made, found.records, found.instruments, None) is None


def test_4_records_lie_together(found: Market, tmp_path: Path) -> None:
    start_ns = found.labels(0)[6]
    runner = live(found, start_ns, plain_desk(found, start_ns), tmp_path).runner
    before, row = runner.all_records(), found.records.tail(1)
    for _ in range(3 * MOST_CHUNKS):
        runner.known(row)
        assert runner.all_records().n_chunks() <= MOST_CHUNKS
    assert runner.all_records().equals(pl.concat([before, *[row] * (3 * MOST_CHUNKS)]))
