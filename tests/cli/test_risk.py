"""`cws risk`: exposure and losses as the analysis has them, and the venue's report beside the desk's journal."""

from __future__ import annotations

import time

import numpy as np
import pytest

from cli.riskview import books_of, view
from modules.live.desk.asking import ByHand
from modules.live.desk.client import DeskClient
from modules.live.messages import Filled, Moved, OpenAtVenue, Position, Report
from modules.live.risk.core import Instrument
from modules.live.watch.watcher import Watcher
from modules.panel import Panel
from tests.cli.conftest import Cws, cws  # noqa: F401 - the fixture
from tests.modules.live.watch.pair import running, until
from tests.modules.live.watch.test_rules import NOW, STATUS

MICROS = 10**6
BOOKED = Filled("c1", "x1", "AAA", 10, 10.0, 100 * MICROS, 2 * MICROS, NOW)
LATER = Filled("c2", "x2", "AAA", -4, 11.0, -44 * MICROS, MICROS, NOW)


def report(**what: object) -> Report:
    told = {
        "orders": (OpenAtVenue("c1", "AAA", 10, (BOOKED,), "filled"),),
        "positions": {"AAA": 10},
        "cash_micros": 500,
    }
    return Report(venue="sim", complete=True, ts_ns=NOW, **{**told, **what})  # type: ignore[arg-type]


def test_our_books_begin_with_the_first_report_and_count_nothing_twice() -> None:
    part = Report("sim", (), {}, 0, False, NOW)
    books = books_of([part, report(), BOOKED, LATER, LATER, Moved("dividend", "AAA", 7, NOW), report(cash_micros=9)])
    assert books.positions == {"AAA": 6} and books.cash_micros == 500 + 43 * MICROS + 7
    assert books_of([BOOKED]).positions == {"AAA": 10}


def test_exposure_losses_and_breaks() -> None:
    ts = np.arange(600, dtype=np.int64)
    rng = np.random.default_rng(1)
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.01, (600, 2)), axis=0))
    bars = Panel(ts, ("AAA", "BBB"), {"close": close})
    instruments = (Instrument("AAA", "one", lot_size=2.0), Instrument("BBB", "two"))
    status = STATUS.__class__(
        **{f: getattr(STATUS, f) for f in STATUS.__struct_fields__}
        | {"positions": (Position("AAA", 10, 10.0, NOW), Position("BBB", -5, 4.0, NOW)), "nav_micros": 1_000 * MICROS}
    )
    entries = [report(orders=(), positions={}, cash_micros=0), BOOKED]
    theirs = report(cash_micros=-102 * MICROS)
    found = view(status, instruments, bars=bars, history="r", seed=3, entries=entries, report=theirs)
    assert found.breaks == () and found.exposure.weights == {"AAA": 0.2, "BBB": -0.02}
    assert found.loss is not None and len(found.loss.tails) == 3
    historical = found.loss.tail("historical")
    assert historical is not None and historical.var[0] is not None and 0.0 < historical.var[0] < 0.02
    wrong = view(status, instruments, bars=None, history=None, seed=0, entries=[], report=theirs)
    assert wrong.loss is None and [b.what for b in wrong.breaks or ()] == ["missing here", "position", "cash"]
    assert (wrong.breaks or ())[1].micros == 10 * 2 * 10 * MICROS


@pytest.mark.slow
def test_cws_risk_on_a_traded_account(cws: Cws, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    with running("riskd", "desk") as pair:
        monkeypatch.setenv("CWS_HOME", str(pair.home))
        watcher = Watcher(pair.place)
        assert until(lambda: watcher.look(0.02) is not None and watcher.seen.stand is not None)
        assert until(lambda: watcher.look(0.02) is not None and watcher.seen.stand.cancel_only is None)  # type: ignore[union-attr]
        with DeskClient(pair.place.desk, 20.0) as desk:
            assert desk.submit(ByHand("manual", "AAA", 100, "sim", time.time_ns())).status == "sent"
        assert until(lambda: watcher.look(0.02) is not None and watcher.seen.status.positions[0].lots == 100)  # type: ignore[union-attr]
        watcher.close()
        done = cws("risk", "--ask-venue", "--json")
        told = done.json
        assert (done.code, told["mode"], told["breaks"]) == (0, "PAPER", []), done.err
        assert told["exposure"]["held"][0]["symbol"] == "AAA" and told["exposure"]["leverage"] == 0.01
        shown = cws("risk")
        assert shown.code == 0 and "PAPER test" in shown.out and "the venue was not asked" in shown.out
        pair.kill("riskd")
        assert cws("risk").code == 1
    assert cws("risk", "--account", "nobody").code == 2
