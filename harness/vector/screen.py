"""Many signals at once, for a first ranking: vectorbt's accounts of them, a group of columns each.

Two kinds. `sweep_across` ranks symbols by each signal and holds them dollar-neutral, as the reference backtest does,
through vectorbt. `sweep_symbol` holds one symbol while a rule is true, through the compiled loop of
`modules/engine/sweep.py`, and has vectorbt check the best. Neither has risk limits, lots or impact: what is chosen goes
through `cws run` before it is believed, and every combination is a trial.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from harness.screen import screen
from harness.vector.account import VectorTerms, vector_navs
from harness.vector.grid import Combination, Grid, GridError, check_signals
from harness.vector.ladder import opens_and_closes
from modules.engine import metrics as m
from modules.engine.settings import TradingSettings
from modules.panel import FloatArray, Panel

CELLS_AT_ONCE: Final = 4_000_000
"""Bars times symbols times accounts that vectorbt is given at once: some hundreds of megabytes."""

BPS: Final = 1e-4


@dataclass(frozen=True)
class Swept:
    """A combination and its first look. `t` and `p_value` are those of its rank correlation (None: not ranked)."""

    values: Combination
    expr: str
    sharpe: float | None
    annual_return: float | None
    max_drawdown: float | None
    turnover_year: float | None
    t: float | None = None
    p_value: float | None = None


@dataclass(frozen=True)
class Terms:
    """How every account of a sweep trades: proportional costs, and the fill where bars have no open."""

    settings: TradingSettings

    @property
    def fees(self) -> float:
        """Spread and commission as a fraction of the notional."""
        return (self.settings.half_spread_bps + self.settings.commission_bps) * BPS


def ranked(found: Sequence[Swept]) -> list[Swept]:
    """Best Sharpe first, equal ones in the grid's order; those without one last."""
    return sorted(found, key=lambda s: -math.inf if s.sharpe is None else s.sharpe, reverse=True)


def sweep_across(grid: Grid, bars: Panel, instruments: pl.DataFrame, terms: Terms) -> list[Swept]:
    """Each combination's account on all symbols of `bars`, in the grid's order.

    Raises GridError for what is no signal, SignalError for what the bars cannot give, VectorError.
    """
    from modules.engine.market import fill_prices

    expressions = check_signals(grid)
    traded = opens_and_closes(bars)
    fill = fill_prices(traded, terms.settings.fill_without_open)
    per_year = m.bars_per_year(bars.ts)
    found: list[Swept] = []
    for weights in _weights(expressions, bars, instruments, terms.settings):
        for account in vector_navs(traded, weights, fill, VectorTerms(terms.fees)):
            expr = expressions[len(found)]
            look = screen(expr, bars)
            returns = account.returns()
            found.append(
                Swept(
                    values=grid.combinations[len(found)],
                    expr=expr,
                    sharpe=_known(m.sharpe(returns, per_year)),
                    annual_return=_known(m.annual_return(returns, per_year)),
                    max_drawdown=_known(m.max_drawdown(account.nav)),
                    turnover_year=_known(m.mean(account.turnover) * per_year),
                    t=look.t,
                    p_value=look.p_value,
                )
            )
    return found


def _weights(
    expressions: Sequence[str], bars: Panel, instruments: pl.DataFrame, settings: TradingSettings
) -> Iterator[FloatArray]:
    """`[K, T, N]` reference weights of some signals at a time."""
    from modules.engine.instruments import align_instruments
    from modules.engine.weights import rank_weights
    from modules.signal import evaluate_all, parse

    axes = align_instruments(instruments, bars.symbols, bars.ts)
    rows, symbols = bars.shape
    many = max(1, CELLS_AT_ONCE // (rows * symbols))
    caps = {"gross": 1.0, "cap": settings.max_instrument_nav, "sector_cap": settings.max_sector_nav}
    for begin in range(0, len(expressions), many):
        values = evaluate_all([parse(e) for e in expressions[begin : begin + many]], bars)
        yield np.stack([rank_weights(v, bars["close"], axes, **caps) for v in values])


def sweep_symbol(grid: Grid, bars: Panel, symbol: str, terms: Terms) -> list[Swept]:
    """Each combination's account on one symbol, in the grid's order: all in it while the rule holds, else in cash.

    Raises GridError for an unknown symbol, EngineError for prices that are missing, SignalError.
    """
    from modules.engine.sweep import sweep

    one = one_symbol(bars, symbol)
    table = sweep(one, grid.template, grid.combinations, fee_bps=terms.fees / BPS)
    years = one.ts.size / m.bars_per_year(one.ts)
    return [
        Swept(
            values=combination,
            expr=grid.filled(combination),
            sharpe=row["sharpe"],
            annual_return=math.expm1(math.log1p(row["total_return"]) / years) if row["total_return"] > -1.0 else -1.0,
            max_drawdown=None,
            turnover_year=2.0 * row["closed_trades"] / years,
        )
        for combination, row in zip(grid.combinations, table.iter_rows(named=True), strict=True)
    ]


def one_symbol(bars: Panel, symbol: str) -> Panel:
    """The rows of `symbol` from its first price on, alone. Raises GridError where there is none."""
    if symbol not in bars.symbols:
        raise GridError(f"--symbol {symbol} is not in the data, which have {', '.join(bars.symbols[:10])}")
    column = bars.symbols.index(symbol)
    known = np.flatnonzero(~np.isnan(bars["close"][:, column]))
    if not known.size:
        raise GridError(f"--symbol {symbol} has no price in the discovery data; choose another")
    alone = Panel(bars.ts, (symbol,), {name: values[:, [column]] for name, values in bars.fields.items()})
    return alone.rows(int(known[0]), bars.ts.size)


def check_with_vectorbt(found: Sequence[Swept], bars: Panel, symbol: str, terms: Terms) -> float:
    """Largest relative difference in the last value between `sweep_symbol` and vectorbt's `from_signals`."""
    import modules.jit  # noqa: F401  # sets up the compiler, which vectorbt loads too

    one = one_symbol(bars, symbol)
    on = _held([s.expr for s in found], one)
    before = np.vstack([np.zeros((1, on.shape[1]), dtype=np.bool_), on[:-1]])
    changed = np.vstack([np.zeros((1, on.shape[1]), dtype=np.bool_), before[1:] != before[:-1]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import vectorbt as vbt

        portfolio = vbt.Portfolio.from_signals(
            one["close"], entries=changed & before, exits=changed & ~before,
            price=one["open"] if "open" in one else one["close"], fees=terms.fees, init_cash=1e6, freq="1D",
        )  # fmt: skip
        theirs = np.asarray(portfolio.total_return()) + 1.0
    years = one.ts.size / m.bars_per_year(one.ts)
    ours = np.array([math.exp(math.log1p(s.annual_return) * years) for s in found if s.annual_return is not None])
    return float(np.abs(ours / theirs - 1.0).max())


def _held(expressions: Sequence[str], one: Panel) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """`[T, K]`: whether each rule is true; NaN is not."""
    from modules.signal import evaluate_all, parse

    values = evaluate_all([parse(e) for e in expressions], one)
    return np.stack([np.nan_to_num(v[:, 0]) > 0.0 for v in values], axis=1)


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
