"""The costs of a live day.

1. Of a day played from bars they are what a run's report says of the same orders in the backtest.
2. With quotes: children count to their parent, from its decision on, at the middle of what was quoted; by hand.
3. What is told twice counts once, what was taken back not at all, what was corrected as corrected.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.report.execution import execution
from modules.live.analysis.daycosts import costs_of_day
from modules.live.analysis.tca import CostError
from modules.live.feeds.news import Bar, Quote, Trade
from modules.live.journal.port import Entry
from modules.live.messages import Ask, Busted, Corrected, Filled, Message, Ruled
from modules.live.orders.ids import client_id
from modules.live.runner.resume import tapes
from modules.live.runner.tape import Frame, Kind, read_tape
from modules.live.runner.taped import Outcome
from tests.modules.live.runner.desk import live, plain_desk
from tests.modules.live.runner.market import backtest, market, programme

SECOND = 1_000_000_000
HOUR = 3_600 * SECOND


@pytest.mark.slow
def test_a_day_from_bars_is_as_in_the_runs_report(tmp_path: Path) -> None:
    """1."""
    found = market(minutes=12)
    start_ns = found.labels(0)[6]
    live(found, start_ns, plain_desk(found, start_ns), tmp_path).run()
    bars, account = backtest(found, programme(start_ns))
    run = execution(bars, found.instruments, account.orders_table(), account.fills_table())
    wanted = {(r["symbol"], r["decided_ns"]): r for r in run.orders.iter_rows(named=True)}
    lots = dict(zip(found.instruments["symbol"].to_list(), found.instruments["lot_size"].to_list(), strict=True))
    first, second = (list(read_tape(p)) for p in tapes(tmp_path))
    seen = 0
    for tape, after in ((first, second), (second, [])):
        day = costs_of_day(tape, (), "sim", lots, after)
        for row in day.orders.iter_rows(named=True):
            own = wanted.get((row["symbol"], row["decided_ns"]))
            if own is None:  # of the last bar of all: it never met another
                assert row["filled"] == 0.0
                continue
            seen += 1
            for name in ("lots", "filled", "decision", "arrival", "delay", "timing"):
                assert row[name] == pytest.approx(own[name], rel=1e-9, abs=1e-6), name
            if own["filled"]:  # a simulated venue tells spread and impact as fees
                assert row["impact"] + row["fees"] == pytest.approx(own["impact"] + own["fees"], abs=1e-5)
                assert row["vwap"] == (None if own["vwap"] is None else pytest.approx(own["vwap"]))
    assert seen == len(wanted) > 30


class Told:
    """What was recorded, a second after the other."""

    def __init__(self) -> None:
        self.now, self.frames = 0, []

    def __call__(self, message: Message) -> None:
        self.now += SECOND
        self.frames.append(Frame(self.now, Kind.MESSAGE, message=message))

    @property
    def entries(self) -> list[Entry]:
        return [Entry(k, f.ts_ns, "", f.message) for k, f in enumerate(self.frames) if f.message]  # type: ignore[arg-type]


PARENT = client_id("main", "alpha", SECOND + 1, "AAA")
CHILD = client_id("main", "alpha/x", 5 * SECOND, "AAA", 0)
OTHER = client_id("main", "alpha/x", 6 * SECOND, "AAA", 1)


def quote(mid: float) -> Quote:
    """A touch of two cents."""
    return Quote("AAA", "x", mid - 0.01, mid + 0.01, 100.0, 100.0, 0, 0)


def ask(name: str, lots: int, left: int, venue: str) -> Ask:
    """A child of the parent."""
    return Ask(name, "alpha", "AAA", lots, venue, "paper", "b", 0, "limit", "ioc", 10.0, PARENT, left)


def fill(name: str, exec_id: str, lots: int, price: float, hour: int = 14) -> Filled:
    """An execution with a fee of a cent a lot."""
    return Filled(name, exec_id, "AAA", lots, price, round(lots * price * 1e6), abs(lots) * 10_000, hour * HOUR)


def story() -> Told:
    """70 bought of 100: decided at 10.00, 10.10 when the first child was asked for, the market 10.20 at the fills."""
    told = Told()
    told(quote(10.0))
    told(quote(10.1))
    told(ask(CHILD, 40, 100, "x"))
    told(Ruled(CHILD, 0, 0, 40, None, None, 0))
    told(quote(10.2))
    told(fill(CHILD, "1", 40, 10.23))
    told(Trade("AAA", "x", 10.15, 30.0, None, "t", 0, 6 * HOUR))
    told(Trade("AAA", "x", 10.25, 10.0, None, "t", 0, 7 * HOUR))
    told(ask(OTHER, 60, 60, "y"))
    told(Ruled(OTHER, 1, 0, 30, None, None, 0))
    told(fill(OTHER, "1", 30, 10.20, 15))
    told(quote(10.5))
    return told


def test_children_count_to_their_parent() -> None:
    """2: decided after the first quote; the second was there when the first child was asked for."""
    told = story()
    found = costs_of_day(told.frames, (), "x", {"AAA": 1.0})
    total = found.total()
    assert (total.orders, total.fills) == (1, 2)
    assert total.money["delay"] == pytest.approx(70 * 0.1)
    assert total.money["timing"] == pytest.approx(70 * 0.1)
    assert total.money["impact"] == pytest.approx(40 * 0.03)
    assert total.money["fees"] == pytest.approx(0.7)
    assert total.money["opportunity"] == pytest.approx(30 * 0.5)
    assert total.asked == pytest.approx(100 * 10.0)
    assert total.slippage["vwap"] == pytest.approx((40 * 10.23 + 30 * 10.2 - 70 * 10.175) / (70 * 10.175) * 1e4)
    assert {k: v.fills for k, v in found.by("venue").items()} == {"x": 1, "y": 1}
    assert {k: v.fills for k, v in found.by("when").items()} == {"14:00": 1, "15:00": 1}
    assert found.orders["decided_ns"].to_list() == [SECOND + 1]


def test_told_twice_counts_once() -> None:
    """3: the journal beside the tape says all of it again; one fill was corrected, another taken back."""
    told = story()
    once = costs_of_day(told.frames, (), "x", {"AAA": 1.0}).total()
    assert costs_of_day(told.frames, told.entries, "x", {"AAA": 1.0}).total() == once
    told(Corrected(CHILD, "1", "AAA", 40, 10.20, 408_000_000, 400_000, 14 * HOUR))
    told(Busted(OTHER, "1", 15 * HOUR))
    after = costs_of_day(told.frames, told.entries, "x", {"AAA": 1.0}).total()
    assert after.money["impact"] == pytest.approx(0.0) and after.fills == 1
    assert after.money["opportunity"] == pytest.approx(60 * 0.5)


def test_an_order_that_never_went_out_is_none() -> None:
    told = Told()
    told(quote(10.0))
    told(Bar("AAA", 1, 10.0, 10.0, 10.0, 10.0, 5.0, 2))
    alone = client_id("main", "alpha", 2 * SECOND, "AAA")
    told(Ask(alone, "alpha", "AAA", 5, "x", "paper", "b", 0))
    told(Ruled(alone, 2, 5, 0, None, None, 0))
    told(Outcome(alone, "refused", 0))
    told(fill("of somebody else", "9", 5, 10.0))
    found = costs_of_day(told.frames, (), "x", {"AAA": 1.0})
    assert found.total().orders == 0 and found.unpriced == 0


def test_a_symbol_without_a_lot_size_is_refused() -> None:
    with pytest.raises(CostError, match="AAA was ordered and has no lot size"):
        costs_of_day(story().frames, (), "x", {})
