"""The same logic compiled and in Python gives the same bits; a run does not depend on where it is interrupted."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from benchmarks.events import DELAYS, level_one, level_two, minute_bars
from benchmarks.eventstrategies import Crossover, MarketMaker, crossover, market_maker
from modules.crossings import FillsSchema, NavSchema, OrdersSchema
from modules.engine.accounting import EngineError
from modules.engine.exchange import view as v
from modules.engine.exchange.clock import advance
from modules.engine.exchange.events import Stream
from modules.engine.exchange.layout import END
from modules.engine.exchange.logs import Logs, Replay
from modules.engine.exchange.machine import new_machine
from modules.engine.exchange.replay import finish, replay
from modules.engine.exchange.strategy import Strategy, replay_python

pytestmark = pytest.mark.slow  # the machine compiles for half a minute on a bare machine


def same(a: Replay, b: Replay) -> None:
    """Every table and the whole machine."""
    assert a.fills().equals(b.fills()) and a.orders().equals(b.orders()) and a.nav().equals(b.nav())
    assert np.array_equal(a.machine, b.machine)


def test_crossover_compiled_and_in_python() -> None:
    bars = minute_bars(3_000)
    compiled = replay(bars, crossover, DELAYS, subscribed=v.BAR_BIT, memory=np.zeros(256))
    assert compiled.fills().height > 20
    same(compiled, replay_python(bars, Crossover(), DELAYS))


@pytest.mark.parametrize("stream", [level_one(20_000), level_two(20_000)], ids=["level 1", "level 2"])
def test_market_maker_compiled_and_in_python(stream: Stream) -> None:
    compiled = replay(stream, market_maker, DELAYS, subscribed=v.TIMER_BIT | v.START_BIT)
    fills = compiled.fills()
    assert fills.height > 50 and fills["maker"].all()
    same(compiled, replay_python(stream, MarketMaker(), DELAYS))
    # what a report reads
    for table, schema in ((fills, FillsSchema), (compiled.orders(), OrdersSchema), (compiled.nav(), NavSchema)):
        absent = [pl.lit(None, dtype=pl.Int64).alias(c) for c in schema.column_names() if c not in table.columns]
        schema.validate(table.with_columns(absent).select(schema.column_names()))
    # an order is filled after it was asked for, its entry and its answer
    both = fills.join(compiled.orders().select("order_id", sent="event_time"), on="order_id")
    assert (both["exchange_time"] > both["sent"]).all() and (both["event_time"] > both["exchange_time"]).all()
    assert compiled.notes() == ()


def test_a_copy_of_the_machine_is_a_checkpoint() -> None:
    stream = level_one(2_000)
    a, r = new_machine(stream, DELAYS, v.QUOTE_BIT)
    orders: list[int] = []

    def go(a: np.ndarray, r: np.ndarray, calls: int) -> None:  # type: ignore[type-arg]
        for _ in range(calls):
            if advance(a, r, stream.table) == END:
                return
            if v.now(a) % 7 == 0:
                orders.append(v.limit(a, 0, 5, v.bid(a, 0)))

    go(a, r, 700)
    b, s = a.copy(), r.copy()
    go(a, r, 10_000)
    go(b, s, 10_000)
    assert np.array_equal(a, b) and len(orders) > 50
    assert finish(a, r, stream, Logs(), 0).fills().height > 0


def test_a_strategy_is_called_with_what_it_overrides() -> None:
    class Deaf(Strategy):
        def on_start(self, time_ns: int) -> None:
            raise AssertionError("never called")

    with pytest.raises(EngineError, match="Deaf overrides none of on_start, on_bar"):
        replay_python(level_one(100), Deaf(), DELAYS)

    class Timed(Strategy):
        times: list[int]

        def on_start(self, time_ns: int) -> None:
            self.times = [time_ns]
            self.wake_at(time_ns + 1_000)

        def on_timer(self, time_ns: int) -> None:
            self.times.append(time_ns)
            self.wake_at(time_ns + 5_000_000)

    timed = Timed()
    run = replay_python(level_one(100), timed, DELAYS)
    assert np.diff(timed.times).tolist()[:3] == [1_000, 5_000_000, 5_000_000]
    assert run.notes() == (f"ZERO TRADES: 0 orders in {run.stream.size} events, none filled",)
    assert run.nav()["nav_micros"].to_list() == [100_000_000_000_000] * run.nav().height


def test_zero_trades_and_quarantine_are_said() -> None:
    stream = level_one(100)
    odd = Stream(stream.table, stream.instruments, pl.concat([stream.quarantine, ODD]))
    assert replay_python(odd, _Quiet(), DELAYS).notes()[1].startswith("1 rows of the data are in quarantine")


class _Quiet(Strategy):
    def on_quote(self, *args: int) -> None:
        pass


ODD = pl.DataFrame(
    {"row": [3], "symbol": ["X"], "event_time": [0], "rule": ["off_tick"], "value": [1.0]},
    schema_overrides={"event_time": pl.Datetime("ns", "UTC")},
)
