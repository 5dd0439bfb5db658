"""The bar engine, the compiled strategy and the sweep, beside vectorbt and a plain Numba loop in the same run."""

from __future__ import annotations

import statistics
import sys
import time
import warnings
from collections.abc import Callable

import numba
import numpy as np

from benchmarks.common import RUNS, Row, report
from benchmarks.crossing import trade_crossings
from benchmarks.market import make_instruments, make_panel
from modules.engine.bars import simulate
from modules.engine.instruments import align_instruments
from modules.engine.limits import RiskLimits
from modules.engine.result import Simulation
from modules.engine.settings import Costs
from modules.engine.strategy import Strategy, run_strategy
from modules.engine.sweep import grid, sweep
from modules.engine.weights import rank_weights
from modules.panel import FloatArray, Panel

FAST, SLOW = 20, 100
MEANS = (f"ts_mean(close, {FAST})", f"ts_mean(close, {SLOW})")


def in_turn(*work: Callable[[], object]) -> list[float]:
    """Median seconds of each, measured alternately so that a drift of the machine hits all.

    Each measured call follows one that is not: what the work before left of caches and free pages is not its cost.
    """
    times: list[list[float]] = [[] for _ in work]
    for turn in range(RUNS + 1):
        for one, kept in zip(work, times, strict=True):
            one()
            start = time.perf_counter()
            one()
            if turn:
                kept.append(time.perf_counter() - start)
    return [statistics.median(kept) for kept in times]


@numba.njit
def plain_loop(close: FloatArray, fast: int, slow: int) -> float:
    """The limit: running sums, one position, floats, no costs, no decision, no logs."""
    quick, long, cash, shares = 0.0, 0.0, 1e6, 0.0
    for t in range(close.size):
        quick += close[t]
        long += close[t]
        if t >= fast:
            quick -= close[t - fast]
        if t >= slow:
            long -= close[t - slow]
            above = quick * slow > long * fast
            if above and shares == 0.0:
                shares, cash = cash / close[t], 0.0
            elif not above and shares > 0.0:
                shares, cash = 0.0, shares * close[t]
    return cash + shares * close[-1]


def one_symbol(rows: int = 1_000_000) -> list[Row]:
    """From bars to a finished account: means, decision bar by bar, risk, costs, integer accounts, logs."""
    import pandas as pd
    import vectorbt as vbt

    panel = make_panel(rows, 1, minutes=True)
    instruments = make_instruments(panel)
    strategy = Strategy(trade_crossings, MEANS, (0.04,))
    close = panel["close"][:, 0].copy()
    series = pd.Series(close, index=pd.to_datetime(panel.ts))

    def ours() -> object:
        return run_strategy(
            panel, strategy, instruments, capital_usd=1e6, costs=Costs(), limits=RiskLimits(), start_ns=int(panel.ts[0])
        )

    def theirs() -> object:
        fast, slow = vbt.MA.run(series, FAST), vbt.MA.run(series, SLOW)
        portfolio = vbt.Portfolio.from_signals(
            series, fast.ma_crossed_above(slow), fast.ma_crossed_below(slow), fees=5e-4, init_cash=1e6, freq="1min"
        )
        return portfolio.value()

    mine, peer, limit = in_turn(ours, theirs, lambda: plain_loop(close, FAST, SLOW))
    name = "one symbol x 1,000,000 bars, crossover compiled"
    return [
        Row(name, rows / mine, "bars/s", "vectorbt from_signals", rows / peer, goal=30e6, sense="at_least"),
        Row(f"{name}, beside the limit", rows / mine, "bars/s", "plain Numba loop", rows / limit),
    ]


def parameters(rows: int = 100_000, peers: int = 20) -> Row:
    """A thousand pairs of windows, fees on; the peer does a few of them at once."""
    import pandas as pd
    import vectorbt as vbt

    panel = make_panel(rows, 1, minutes=True)
    combinations = [dict(c) for c in grid(fast=range(5, 45, 2), slow=range(50, 150, 2))]
    series = pd.Series(panel["close"][:, 0].copy(), index=pd.to_datetime(panel.ts))
    some = combinations[:: len(combinations) // peers][:peers]

    def ours() -> object:
        return sweep(panel, "ts_mean(close, {fast}) > ts_mean(close, {slow})", combinations, fee_bps=5.0)

    def theirs() -> object:
        fast = vbt.MA.run(series, [int(c["fast"]) for c in some], short_name="fast")
        slow = vbt.MA.run(series, [int(c["slow"]) for c in some], short_name="slow")
        portfolio = vbt.Portfolio.from_signals(
            series, fast.ma_crossed_above(slow), fast.ma_crossed_below(slow), fees=5e-4, init_cash=1e6, freq="1min"
        )
        return portfolio.total_return(), portfolio.sharpe_ratio()

    mine, peer = in_turn(ours, theirs)
    return Row(
        "1,000 parameters x 100,000 bars, two threads", len(combinations) / mine, "combinations/s",
        "vectorbt from_signals", len(some) / peer, goal=4_000, sense="at_least",
    )  # fmt: skip


def reversal(panel: Panel) -> FloatArray:
    """`[T, N]`: the last five bars' return, downside up."""
    close = panel["close"]
    out = np.full(close.shape, np.nan)
    out[5:] = 1.0 - close[5:] / close[:-5]
    return out


def tables(account: Simulation) -> object:
    """Everything that the execute stage writes."""
    return (
        account.orders_table(), account.fills_table(), account.nav(), account.positions(), account.metrics(),
    )  # fmt: skip


def wide(name: str, rows: int, symbols: int, goal_ms: float | None) -> Row:
    """Weights from a signal, orders, risk, all costs, tables; the peer only trades the same weights, fees on."""
    import pandas as pd
    import vectorbt as vbt

    panel = make_panel(rows, symbols)
    instruments, signal = make_instruments(panel), reversal(panel)
    axes = align_instruments(instruments, panel.symbols, panel.ts)

    def weigh() -> FloatArray:
        return rank_weights(signal, panel["close"], axes, gross=1.0, cap=0.05, sector_cap=0.25)

    def ours() -> object:
        weights = Panel(panel.ts, panel.symbols, {"weight": weigh()})
        return tables(
            simulate(
                panel, weights, instruments, capital_usd=1e6, costs=Costs(), limits=RiskLimits(),
                start_ns=int(panel.ts[0]),
            )
        )  # fmt: skip

    index = pd.to_datetime(panel.ts)
    close = pd.DataFrame(panel["close"], index=index, columns=list(panel.symbols))
    late = pd.DataFrame(np.vstack([np.zeros((1, symbols)), weigh()[:-1]]), index=index, columns=close.columns)
    price = pd.DataFrame(panel["open"], index=index, columns=close.columns)

    def theirs() -> object:
        portfolio = vbt.Portfolio.from_orders(
            close, size=late, size_type="targetpercent", price=price, fees=5e-4, init_cash=1e6,
            group_by=True, cash_sharing=True, call_seq="auto", freq="1D",
        )  # fmt: skip
        return portfolio.value()

    mine, peer = in_turn(ours, theirs)
    return Row(name, mine * 1e3, "ms", "vectorbt from_orders", peer * 1e3, goal=goal_ms)


def measure() -> list[Row]:
    """Costs, risk decision and integer accounts are on; the peers have fees and no risk decision."""
    warnings.simplefilter("ignore")
    return [
        *one_symbol(),
        parameters(),
        wide("500 symbols x 2,520 days: weights, account, tables", 2520, 500, 150.0),
        wide("100 symbols x 5,292 days: weights, account, tables", 5292, 100, None),
    ]


if __name__ == "__main__":
    sys.exit(report(measure, __doc__))
