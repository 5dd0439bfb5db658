"""Strategies compiled into the loop: the same bits as a panel of weights, and what only they can do.

1. Targets that read signals alone give, decided in the loop, the account of the same targets as a panel.
2. The same decision in plain Python, bar by bar on the account that was, gives targets whose panel has that account.
3. One bar at a time is the same as all at once.
4. Bars after the end change nothing before them.
5. A strategy cannot write to its account, its signals or its parameters.
6. The shortcut over bars at which nobody orders changes no bit.
7. Neither does what memory held before, nor that the account follows its signals while they are still computed.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from modules.engine.accounting import Book, EngineError
from modules.engine.bars import prepare, simulate
from modules.engine.limits import RiskLimits
from modules.engine.loop import advance
from modules.engine.result import Simulation
from modules.engine.settings import Costs
from modules.engine.strategy import Account, Strategy, drive, run_strategy, signal_values
from modules.jit import inlined
from modules.memory import empty
from modules.panel import FloatArray, Panel
from modules.signal import evaluate, parse
from tests.modules.engine.cases import days, instruments

pytestmark = pytest.mark.slow

ROWS, START = 160, 40
MEANS = ("ts_mean(close, 5)", "ts_mean(close, 20)")


@inlined
def follow_means(
    signals: FloatArray, account: Account, nav: int, parameters: FloatArray, memory: FloatArray, targets: FloatArray
) -> None:
    for i in range(targets.size):
        targets[i] = parameters[0] if signals[0, i] > signals[1, i] else -parameters[0]


@inlined
def stop_below_the_peak(
    signals: FloatArray, account: Account, nav: int, parameters: FloatArray, memory: FloatArray, targets: FloatArray
) -> None:
    """Enters above the mean, keeps its lots, leaves `parameters[1]` below the best price since, then waits 5 bars."""
    for i in range(targets.size):
        price = account.price[i]
        if account.lots[i] != 0:
            memory[0, i] = max(memory[0, i], price)
            stopped = price < memory[0, i] * (1.0 - parameters[1])
            memory[1, i] = 5.0 if stopped else 0.0
            targets[i] = 0.0 if stopped else math.nan
        else:
            memory[0, i] = price
            memory[1, i] = max(0.0, memory[1, i] - 1.0)
            targets[i] = parameters[0] if memory[1, i] == 0.0 and signals[0, i] > signals[1, i] else 0.0


@inlined
def write_to_the_account(
    signals: FloatArray, account: Account, nav: int, parameters: FloatArray, memory: FloatArray, targets: FloatArray
) -> None:
    account.lots[0] = 1


@inlined
def write_to_the_signals(
    signals: FloatArray, account: Account, nav: int, parameters: FloatArray, memory: FloatArray, targets: FloatArray
) -> None:
    signals[0, 0] = 1.0


FOLLOW = Strategy(follow_means, MEANS, (0.03,))
STOP = Strategy(stop_below_the_peak, MEANS, (0.04, 0.03), memory_rows=2)


def market(rows: int = ROWS, symbols: int = 5) -> Panel:
    rng = np.random.default_rng(11)
    close = 50.0 * np.exp(np.cumsum(rng.normal(0, 0.02, (ROWS, symbols)), axis=0))
    opening = close * np.exp(rng.normal(0, 0.004, close.shape))
    volume = rng.integers(0, 9, close.shape) * 10_000.0
    close[70:75, 1] = math.nan
    fields = {"open": opening, "close": close, "volume": volume}
    return Panel(days(ROWS)[:rows], tuple("ABCDE"[:symbols]), {k: v[:rows] for k, v in fields.items()})


def terms(bars: Panel) -> dict[str, object]:
    return {"capital_usd": 1e6, "costs": Costs(), "limits": RiskLimits(), "start_ns": int(bars.ts[START])}


def run(bars: Panel, strategy: Strategy) -> Simulation:
    return run_strategy(bars, strategy, instruments(bars.symbols, 0.001), **terms(bars))  # type: ignore[arg-type]


def same(one: Simulation, other: Simulation) -> None:
    for mine, theirs in zip(
        (*one.bars, *one.orders, *one.fills), (*other.bars, *other.orders, *other.fills), strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)


def test_targets_of_signals_alone_give_the_account_of_the_panel() -> None:
    bars = market()
    fast, slow = (evaluate(parse(text), bars) for text in MEANS)
    weights = Panel(bars.ts, bars.symbols, {"weight": np.where(fast > slow, 0.03, -0.03)})
    one = simulate(bars, weights, instruments(bars.symbols, 0.001), **terms(bars))  # type: ignore[arg-type]
    assert one.fills.row.size > 300
    same(one, run(bars, FOLLOW))


def test_a_stop_leaves_and_waits() -> None:
    sim = run(market(), STOP)
    held = sim.bars.lots != 0
    assert held.any(axis=0).all()
    for i in range(held.shape[1]):
        entered = np.flatnonzero(np.diff(held[:, i].astype(int)) == 1) + 1
        left = np.flatnonzero(np.diff(held[:, i].astype(int)) == -1) + 1
        assert left.size > 1
        for leaving in left:
            later = entered[entered > leaving]
            assert not later.size or later[0] - leaving >= 5
        for begin, end in zip(entered, left, strict=False):
            assert np.unique(sim.bars.lots[begin:end, i]).size <= 2, "held lots are kept; an entry may fill in parts"


def test_plain_python_decides_the_same() -> None:
    bars = market()
    whole = run(bars, STOP)
    signals, memory, price = signal_values(bars, STOP), np.zeros((2, 5)), np.full(5, math.nan)
    decide = STOP.decide_targets.py_func  # type: ignore[attr-defined]
    targets = np.zeros((ROWS - START, 5))
    for row, t in enumerate(range(START, ROWS)):
        price = np.where(bars["close"][t] > 0.0, bars["close"][t], price)
        account = Account(whole.bars.lots[row], whole.bars.lots[row], price)
        decide(signals[t], account, int(whole.bars.nav[row]), np.array(STOP.parameters), memory, targets[row])
    assert np.isnan(targets).any() and (targets == 0.0).any()
    again = prepare(bars, instruments(bars.symbols, 0.001), **terms(bars))  # type: ignore[arg-type]
    same(
        whole,
        again.finish(
            lambda: advance(
                again.market,
                targets,
                again.terms,
                again.book,
                again.log,
                again.orders,
                again.fills,
                again.acts,
                START,
                ROWS,
                START,
            )
        ),
    )


def test_one_bar_at_a_time_is_the_same_as_all_at_once() -> None:
    bars = market()
    whole = run(bars, STOP)
    account = prepare(bars, instruments(bars.symbols, 0.001), **terms(bars))  # type: ignore[arg-type]
    memory, signals = np.zeros((2, 5)), signal_values(bars, STOP)

    def work() -> None:
        for t in range(START, ROWS):
            drive(STOP, signals, memory, account, t, t + 1)

    same(whole, account.finish(work))


def test_what_memory_held_before_changes_nothing() -> None:
    rows = 530_000  # a column of the log is large enough to have its own pages
    close = 50.0 + np.cumsum(np.random.default_rng(3).normal(0, 0.01, (rows, 1)), axis=0)
    ts = days(ROWS)[0] + np.arange(rows, dtype=np.int64) * 60_000_000_000
    bars = Panel(ts, ("A",), {"close": close})
    again = prepare(bars, instruments(bars.symbols, 0.001), **terms(bars))  # type: ignore[arg-type]
    signals, memory = signal_values(bars, STOP), np.zeros((2, 1))
    alone = again.finish(lambda: drive(STOP, signals, memory, again, START, rows))
    for rubbish in (math.nan, -1.0, 1e300):
        held = [empty((count, rows - START * (count == 1))) for count in (1, 1, 1, 1, 2)]
        for array in held:
            array.fill(rubbish)
        del held, array
        same(alone, run(bars, STOP))


def test_later_bars_change_nothing_before_them() -> None:
    whole, part = run(market(), STOP), run(market(120), STOP)
    np.testing.assert_array_equal(whole.bars.nav[: 120 - START], part.bars.nav)
    np.testing.assert_array_equal(whole.bars.lots[: 120 - START], part.bars.lots)


def alone(rng: np.random.Generator) -> Panel:
    """One symbol, some bars a day, with gaps, still prices, and falls that reach the limit of a day."""
    rows = 400
    steps = rng.normal(0.0, 0.02, rows) - np.where(rng.random(rows) < 0.05, 0.3, 0.0) + 0.015
    close = 50.0 * np.exp(np.cumsum(steps))[:, None]
    close[rng.random(close.shape) < rng.choice([0.0, 0.1])] = math.nan
    ts = days(1)[0] + np.cumsum(rng.integers(1, 12, rows)) * 3_600_000_000_000
    volume = rng.integers(0, 9, close.shape) * 10_000.0
    return Panel(ts, ("A",), {"close": close, "volume": volume} if rng.random() < 0.7 else {"close": close})


def in_parts(
    bars: Panel, strategy: Strategy, given: dict[str, object], cuts: list[int], *, shortcut: bool
) -> tuple[Simulation, FloatArray, Book]:
    account = prepare(bars, instruments(bars.symbols, 0.001), **given)  # type: ignore[arg-type]
    signals, memory = signal_values(bars, strategy), np.zeros((strategy.memory_rows, 1))

    def work() -> None:
        for begin, stop in itertools.pairwise(cuts):
            drive(strategy, signals, memory, account, begin, stop, shortcut=shortcut)

    return account.finish(work), memory, account.book


def test_the_shortcut_over_quiet_bars_changes_no_bit() -> None:
    rng = np.random.default_rng(12)
    flattened = shorts = 0
    for _ in range(30):
        bars = alone(rng)
        free = rng.random() < 0.5
        costs = Costs(borrow_bps_year=0.0 if free else 50.0, funding_bps_year=0.0 if rng.random() < 0.7 else 30.0)
        limits = RiskLimits(max_daily_loss=0.0005 if rng.random() < 0.5 else 0.05)
        strategy = Strategy(stop_below_the_peak, MEANS, (float(rng.choice([-0.04, 0.04])), 0.2), memory_rows=2)
        given = terms(bars) | {"costs": costs, "limits": limits}
        cuts = [START, 77, 300, 400] if rng.random() < 0.5 else [START, 400]
        found = [in_parts(bars, strategy, given, cuts, shortcut=shortcut) for shortcut in (True, False)]
        (one, memory, book), (other, slow_memory, slow_book) = found
        same(one, other)
        np.testing.assert_array_equal(memory, slow_memory)
        for mine, theirs in zip(book, slow_book, strict=True):
            np.testing.assert_array_equal(mine, theirs)
        flattened += int(one.decision_counts()["flattened"])
        shorts += int((one.bars.lots < 0).sum())
    assert flattened > 0 and shorts > 0


@pytest.mark.parametrize("decide", [write_to_the_account, write_to_the_signals])
def test_a_strategy_cannot_write_to_what_it_is_shown(decide: object) -> None:
    with pytest.raises(Exception, match=r"(?i)read-?only|Cannot modify|immutable"):
        run(market(), Strategy(decide, MEANS))  # type: ignore[arg-type]


def test_a_strategy_without_signals_is_refused() -> None:
    with pytest.raises(EngineError, match="signals is empty"):
        run(market(), Strategy(follow_means, ()))
