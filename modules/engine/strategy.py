"""Compiled strategies: targets that depend on the strategy's own account, decided inside the bar loop.

A strategy is one function, compiled into the loop with `@inlined`, that reads bar t and writes target weights:

    @inlined
    def decide_targets(signals, account, nav, parameters, memory, targets):
        for i in range(targets.size):
            ...

* `signals[k, i]`: value at bar t of the strategy's k-th signal expression; no other bar can be reached;
* `account`: `lots`, `value` (micros) and `price` (last known) of each symbol, after the fills and marks of bar t;
* `nav`: micros; `parameters`: the strategy's numbers; `memory[m, i]`: its own, zero at the start, kept between bars;
* `targets[i]`: to be written: a weight of NAV, 0 to hold nothing, NaN to keep the lots that are held.

Signals, account and parameters are read-only by type: a strategy that writes to them does not compile. It may raise
but not make an array; everything it remembers is in `memory`. So it is a pure function of what it is given, and the
same code runs a backtest or one live bar. Where targets depend on signals alone, a panel of weights is simpler.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import NamedTuple

import numpy as np
import polars as pl

from modules.engine.accounting import (
    NAV,
    ActionLog,
    BarLog,
    Book,
    EngineError,
    FillLog,
    Market,
    OrderLog,
    Room,
    Terms,
    new_room,
    segment_at,
)
from modules.engine.bars import Run, prepare
from modules.engine.limits import RiskLimits
from modules.engine.loop import begin_bar, end_bar
from modules.engine.quiet import is_quiet, quiet_bars
from modules.engine.result import Simulation
from modules.engine.settings import Costs, FillWithoutOpen, Liquidity
from modules.jit import around
from modules.memory import empty
from modules.panel import FloatArray, IntArray, Panel, read_only


class Account(NamedTuple):
    """What a strategy sees of its account, `[N]` each, read-only."""

    lots: IntArray
    value: IntArray  # micros, at the last known price
    price: FloatArray


Decide = Callable[[FloatArray, Account, int, FloatArray, FloatArray, FloatArray], None]


@dataclass(frozen=True)
class Strategy:
    """A compiled decision, the signal expressions that it reads, its numbers, and rows of memory a symbol."""

    decide_targets: Decide
    signals: tuple[str, ...]
    parameters: tuple[float, ...] = ()
    memory_rows: int = 0


@functools.cache
def _driver(decide: Decide) -> Callable[..., None]:
    """The loop with `decide` in it."""
    quiet = quiet_bars(decide)

    def drive(
        market: Market,
        signals: FloatArray,
        account: Account,
        parameters: FloatArray,
        memory: FloatArray,
        targets: FloatArray,
        terms: Terms,
        book: Book,
        bars: BarLog,
        orders: OrderLog,
        fills: FillLog,
        acts: ActionLog,
        room: Room,
        begin: int,
        stop: int,
        origin: int,
        shortcut: bool,
    ) -> None:
        t = begin
        while t < stop:
            if shortcut and is_quiet(market, terms, book):
                t = quiet(
                    t, stop, origin, market.ts, market.close, market.lot_size[0], terms.max_daily_loss, book, bars,
                    signals, account, parameters, memory, targets,
                )  # fmt: skip
                book.sector_gross[:] = 0
                book.sector_gross[market.sectors[segment_at(min(t, stop - 1), market), 0]] = abs(book.value[0])
                if t == stop:
                    break
            else:
                begin_bar(t, t - origin, market, terms, book, bars, fills, acts, room)
                decide(signals[t], account, book.totals[NAV], parameters, memory, targets)
            end_bar(t, targets, market, terms, book, orders, room)
            t += 1

    return around(drive, decide)


def drive(
    strategy: Strategy,
    signals: FloatArray,
    memory: FloatArray,
    run: Run,
    begin: int,
    stop: int,
    *,
    shortcut: bool = True,
) -> None:
    """Take the account of `run` from bar `begin` to `stop - 1`; all at once or a bar a call, the same to the bit.

    `signals` is `[T, K, N]` on the rows of the bars. `memory` `[rows, N]` is the strategy's, and with the book all that
    a restart needs. Without `shortcut` every bar goes the long way (`quiet.py`), to the same bits.
    """
    book = run.book
    account = Account(read_only(book.lots), read_only(book.value), read_only(book.mark))
    parameters = read_only(np.array(strategy.parameters, dtype=np.float64))
    _driver(strategy.decide_targets)(
        run.market,
        read_only(signals),
        account,
        parameters,
        memory,
        np.zeros(book.lots.size),
        run.terms,
        book,
        run.log,
        run.orders,
        run.fills,
        run.acts,
        new_room(book),
        begin,
        stop,
        run.start,
        shortcut,
    )


def run_strategy(
    bars: Panel,
    strategy: Strategy,
    instruments: pl.DataFrame,
    *,
    capital_usd: float,
    costs: Costs,
    limits: RiskLimits,
    start_ns: int,
    min_order_usd: float = 0.0,
    fill_without_open: FillWithoutOpen = "next_close",
    liquidity: Liquidity | None = None,
) -> Simulation:
    """`simulate`, with targets that `strategy` decides bar by bar. Bars before `start_ns` warm up its signals.

    Raises EngineError and EngineOverflowError as `simulate` does, SignalError for a signal that the bars cannot give.
    """
    signals, ready = empty((len(strategy.signals), *bars.shape)), SimpleQueue[int | None]()
    with ThreadPoolExecutor(1) as pool:
        later = pool.submit(_announced, bars, strategy, signals, ready)
        run = prepare(
            bars,
            instruments,
            capital_usd=capital_usd,
            costs=costs,
            limits=limits,
            start_ns=start_ns,
            min_order_usd=min_order_usd,
            fill_without_open=fill_without_open,
            liquidity=liquidity,
        )
        memory = np.zeros((strategy.memory_rows, len(bars.symbols)))

        def upto(begin: int, stop: int) -> int:
            if stop > begin:
                drive(strategy, signals.transpose(1, 0, 2), memory, run, begin, stop)
            return max(begin, stop)

        def follow() -> None:
            at = run.start
            for rows in iter(ready.get, None):
                at = at if not ready.empty() else upto(at, rows)  # take together what is there
            later.result()
            upto(at, bars.ts.size)

        return run.finish(follow)


def signal_values(bars: Panel, strategy: Strategy) -> FloatArray:
    """`[T, K, N]`: the signals of a strategy on the rows of the bars, each by itself in memory.

    Raises SignalError and EngineError.
    """
    out = empty((len(strategy.signals), *bars.shape))
    _signal_values(bars, strategy, out)
    return out.transpose(1, 0, 2)


def _signal_values(
    bars: Panel, strategy: Strategy, out: FloatArray, done: Callable[[int], None] = lambda rows: None
) -> None:
    """Fill `[K, T, N]`; `done` is told of the rows that are there."""
    if not strategy.signals:
        raise EngineError("signals is empty; a strategy reads at least one expression, such as close")
    from modules.signal import evaluate_all, parse

    evaluate_all([parse(text) for text in strategy.signals], bars, out=out, done=done)


def _announced(bars: Panel, strategy: Strategy, out: FloatArray, ready: SimpleQueue[int | None]) -> None:
    """`_signal_values` in a thread of its own: the account follows what is ready; None = no more will come."""
    try:
        _signal_values(bars, strategy, out, ready.put)
    finally:
        ready.put(None)
