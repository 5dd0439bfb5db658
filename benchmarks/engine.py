"""The bar engine: bars a second with costs, risk decision and exact accounts, beside vectorbt in the same run."""

from __future__ import annotations

import statistics
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from benchmarks.common import RUNS, Row, report
from benchmarks.market import make_instruments, make_panel
from modules.engine.bars import simulate
from modules.engine.limits import RiskLimits
from modules.engine.settings import Costs
from modules.panel import FloatArray, Panel


def crossover(panel: Panel, fast: int = 20, slow: int = 100, size: float = 0.04) -> FloatArray:
    """`[T, N]`: long where the fast mean is above the slow one, else flat."""
    close = panel["close"]
    total = np.cumsum(np.vstack([np.zeros((1, close.shape[1])), close]), axis=0)
    mean = {n: (total[n:] - total[:-n]) / n for n in (fast, slow)}
    above = np.zeros_like(close)
    above[slow - 1 :] = mean[fast][slow - fast :] > mean[slow]
    return above * size


def in_turn(ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[float, float]:
    """Medians of both, measured alternately so that a drift of the machine hits both."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(RUNS + 1):
        for work, kept in zip((ours, theirs), times, strict=True):
            start = time.perf_counter()
            work()
            if turn:
                kept.append(time.perf_counter() - start)
    return statistics.median(times[0]), statistics.median(times[1])


def compare(name: str, rows: int, symbols: int) -> Row:
    """Bars a second, ours over vectorbt's `from_orders` on the same targets, fees on in both."""
    warnings.simplefilter("ignore")
    import pandas as pd
    import vectorbt as vbt

    panel, terms = make_panel(rows, symbols), Costs()
    targets = crossover(panel)
    weights = Panel(panel.ts, panel.symbols, {"weight": targets})
    instruments = make_instruments(panel)
    index = pd.to_datetime(panel.ts)
    close = pd.DataFrame(panel["close"], index=index, columns=list(panel.symbols))
    late = pd.DataFrame(np.vstack([np.zeros((1, symbols)), targets[:-1]]), index=index, columns=close.columns)
    price = pd.DataFrame(panel["open"], index=index, columns=close.columns)

    def ours() -> object:
        return simulate(
            panel, weights, instruments, capital_usd=1e6, costs=terms, limits=RiskLimits(), start_ns=int(panel.ts[0])
        )

    def theirs() -> object:
        portfolio = vbt.Portfolio.from_orders(
            close, size=late, size_type="targetpercent", price=price, fees=5e-4, init_cash=1e6,
            group_by=True, cash_sharing=True, call_seq="auto", freq="1D",
        )  # fmt: skip
        return portfolio.value()

    mine, peer = in_turn(ours, theirs)
    cells = rows * symbols
    return Row(name, cells / mine, "bars/s", "vectorbt from_orders", cells / peer)


def measure() -> list[Row]:
    """Costs, risk decision and integer accounts are on; the peer has fees and no risk decision."""
    wide = [
        compare("500 symbols x 2,520 days, crossover", 2520, 500),
        compare("100 symbols x 5,292 days, crossover", 5292, 100),
    ]
    rows = [replace(row, goal=5e6, sense="at_least") for row in wide]
    return [*rows, compare("one symbol x 1,000,000 bars, crossover", 1_000_000, 1)]


if __name__ == "__main__":
    sys.exit(report(measure, __doc__))
