"""The event engine: events a second with a resting-order strategy and two delays, callbacks a second in Python."""

from __future__ import annotations

import sys

import numpy as np
import polars as pl

from benchmarks.common import Row, median_seconds, report
from benchmarks.eventstrategies import LOTS, Crossover, crossover, market_maker
from modules.engine.exchange import readers
from modules.engine.exchange import view as v
from modules.engine.exchange.events import Instrument, Stream
from modules.engine.exchange.replay import replay
from modules.engine.exchange.settings import ExchangeSettings
from modules.engine.exchange.strategy import Strategy, replay_python

EVENTS = 2_000_000
PYTHON_EVENTS = 500_000
START_NS = 1_700_000_000_000_000_000
MILLISECOND = 1_000_000
INSTRUMENT = [Instrument("X", 0.1, 0.001, sigma_day=0.001)]
DELAYS = ExchangeSettings(
    capital_usd=1e8, entry_median_us=500.0, entry_sigma=0.3, answer_median_us=500.0, answer_sigma=0.3
)


class Turner(Strategy):
    """Sees every quote and trade, and turns its position over at every 256th quote."""

    def __init__(self) -> None:
        self.quotes = 0
        self.prints = 0

    def on_quote(self, time_ns: int, symbol: int, bid: int, ask: int, bid_lots: int, ask_lots: int) -> None:
        self.quotes += 1
        if not self.quotes & 255:
            self.market(symbol, LOTS if self.position(symbol) <= 0 else -LOTS)

    def on_trade(self, time_ns: int, symbol: int, price: int, lots: int, aggressor: int) -> None:
        self.prints += 1


def _clock(rows: int, rng: np.random.Generator) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return START_NS + np.cumsum(1 + rng.exponential(MILLISECOND, rows).astype(np.int64))


def _trades(
    which: np.ndarray[tuple[int], np.dtype[np.bool_]],
    time: np.ndarray[tuple[int], np.dtype[np.int64]],
    price: np.ndarray[tuple[int], np.dtype[np.int64]],
    buy: np.ndarray[tuple[int], np.dtype[np.bool_]],
    rng: np.random.Generator,
) -> Stream:
    """Trades at the events `which`, at prices in tenths."""
    frame = pl.DataFrame(
        {
            "time": time, "symbol": "X", "price": price / 10,
            "size": rng.integers(1, 20, time.size) / 1000, "side": np.where(buy, "buy", "sell"),
        }
    )  # fmt: skip
    return readers.trades(frame.filter(pl.Series(which)), INSTRUMENT)


def level_two(events: int, seed: int = 5) -> Stream:
    """A book of 20 levels a side, an event a millisecond: 70 % change a level, 22 % are trades, 8 % move the middle."""
    rng = np.random.default_rng(seed)
    kind = rng.random(events)
    buy = rng.random(events) < 0.5
    move = kind >= 0.92
    mid = 100_000 + np.concatenate([[0], np.cumsum(np.where(move, np.where(buy, 1, -1), 0))[:-1]])
    away = rng.integers(1, 21, events)
    trade = (kind >= 0.70) & ~move
    time = _clock(events, rng)
    # a move up takes the best ask away and puts a bid where the middle was; a move down the other way round
    first = pl.DataFrame(
        {
            "time": time, "symbol": "X", "message": np.arange(events) * 2,
            "side": np.where(buy != move, "bid", "ask"),
            "price": np.where(move, np.where(buy, mid + 1, mid - 1), np.where(buy, mid - away, mid + away)) / 10,
            "size": np.where(move, 0.0, rng.integers(1, 100, events) / 1000), "part": 0,
        }
    ).filter(pl.Series(~trade))  # fmt: skip
    second = pl.DataFrame(
        {
            "time": time, "symbol": "X", "message": np.arange(events) * 2 + 1, "side": np.where(buy, "bid", "ask"),
            "price": mid / 10, "size": 0.03, "part": 1,
        }
    ).filter(pl.Series(move))  # fmt: skip
    deltas = readers.depth(pl.concat([first, second]).sort("message", maintain_order=True), INSTRUMENT)
    prints = _trades(trade, time, np.where(buy, mid + 1, mid - 1), buy, rng)
    return readers.merge(deltas, prints).with_feed_delay(500_000)


def level_one(events: int, seed: int = 6) -> Stream:
    """Quotes and, every fourth event, a trade at one of their sides."""
    rng = np.random.default_rng(seed)
    mid = 100_000 + np.cumsum(rng.integers(-1, 2, events))
    time, buy = _clock(events, rng), rng.random(events) < 0.5
    trade = rng.random(events) < 0.25
    quoted = readers.quotes(
        pl.DataFrame(
            {
                "time": time, "symbol": "X", "bid": (mid - 2) / 10, "ask": (mid + 2) / 10,
                "bid_size": rng.integers(1, 100, events) / 1000, "ask_size": rng.integers(1, 100, events) / 1000,
            }
        ).filter(pl.Series(~trade)),
        INSTRUMENT,
    )  # fmt: skip
    prints = _trades(trade, time, np.where(buy, mid + 2, mid - 2), buy, rng)
    return readers.merge(quoted, prints).with_feed_delay(500_000)


def minute_bars(rows: int, seed: int = 7) -> Stream:
    """A random walk in bars."""
    rng = np.random.default_rng(seed)
    close = 100_000 + np.cumsum(rng.integers(-20, 21, rows))
    open_ = close + rng.integers(-5, 6, rows)
    return readers.bars(
        pl.DataFrame(
            {
                "time": START_NS + np.arange(rows) * 60_000 * MILLISECOND, "symbol": "X", "open": open_ / 10,
                "high": (np.maximum(open_, close) + 3) / 10, "low": (np.minimum(open_, close) - 3) / 10,
                "close": close / 10, "volume": rng.integers(100, 1000, rows) * 1.0,
            }
        ),
        INSTRUMENT,
    )  # fmt: skip


def measure() -> list[Row]:
    """Delays of feed, orders and answers, queues, the risk decision and integer accounts are on everywhere."""
    deep, top, bars = level_two(EVENTS), level_one(EVENTS), minute_bars(EVENTS)
    few, few_bars = level_one(PYTHON_EVENTS), minute_bars(PYTHON_EVENTS)
    hourly = ExchangeSettings(nav_every_s=86_400.0)

    def rate(name: str, events: int, unit: str, seconds: float, goal: float | None) -> Row:
        return Row(name, events / seconds, unit, goal=goal, sense="at_least")

    def big() -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.zeros(256)

    def make(stream: Stream, every_ms: int) -> float:
        def run() -> object:
            memory = np.zeros(64)
            memory[4] = every_ms * MILLISECOND
            return replay(stream, market_maker, DELAYS, subscribed=v.TIMER_BIT | v.START_BIT, memory=memory)

        return median_seconds(run)

    return [
        rate("level 2 and trades, requoted every 100 ms", deep.size, "events/s", make(deep, 100), 10e6),
        rate("quotes and trades, requoted every 100 ms", top.size, "events/s", make(top, 100), 10e6),
        rate("level 2 and trades, requoted every 10 ms", deep.size, "events/s", make(deep, 10), None),
        rate("quotes and trades, requoted every 10 ms", top.size, "events/s", make(top, 10), None),
        rate(
            "bars, crossover, compiled", bars.size, "bars/s",
            median_seconds(lambda: replay(bars, crossover, hourly, subscribed=v.BAR_BIT, memory=big())), None,
        ),
        rate(
            "quotes and trades, Python, an order every 256 quotes", few.size, "callbacks/s",
            median_seconds(lambda: replay_python(few, Turner(), DELAYS)), 1e6,
        ),
        rate(
            "bars, crossover, Python", few_bars.size, "callbacks/s",
            median_seconds(lambda: replay_python(few_bars, Crossover(), hourly)), None,
        ),
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(report(measure, __doc__))
