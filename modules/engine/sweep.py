"""Screening: one signal with many settings over one symbol, thousands of accounts a second.

A template such as `ts_mean(close, {fast}) > ts_mean(close, {slow})` says when the symbol is held; placeholders take the
values of each combination. The signals are those of the language, to the bit. The account is the simplest there is,
and the same as vectorbt's `Portfolio.from_signals` on the same entries and exits:

* the whole account is in the symbol while the template is true (a comparison that holds, or a value above 0), else in
  cash; NaN is not true; what changes at the close of bar t fills at bar t + 1, at its open where the bars have one,
  else at its close; a change at the last bar does not fill;
* shares are fractional: cash / (price * (1 + fee)) on entry, shares * price * (1 - fee) back on exit;
* no risk decision, no lots, no impact, floats for money: a first look. Take what is chosen through the exact engine
  (`run_strategy`, `simulate`) before believing it, and count every combination as a trial.

Threads split the combinations; the bits are the same for any number of them.
"""

from __future__ import annotations

import ast
import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from modules.engine.accounting import EngineError
from modules.engine.metrics import bars_per_year
from modules.engine.sweepkernel import CLOSED_TRADES, FINAL, RESULTS, SQUARES, SUM, accounts
from modules.panel import FloatArray, IntArray, Panel

MOST_COMBINATIONS: Final = 1_000_000

Combination = Mapping[str, float]


@dataclass(frozen=True)
class _Rule:
    """Held where `left` is above `right`, or with `or_equal` not below it; both texts with placeholders."""

    left: str
    right: str
    or_equal: bool


def grid(**values: Iterable[float]) -> list[dict[str, float]]:
    """Every combination of the values, the last name fastest."""
    return [dict(zip(values, row, strict=True)) for row in itertools.product(*values.values())]


def sweep(
    bars: Panel,
    template: str,
    combinations: Sequence[Combination],
    *,
    fee_bps: float = 0.0,
    capital_usd: float = 1_000_000.0,
    per_year: float | None = None,
    threads: int = 2,
) -> pl.DataFrame:
    """One row a combination, in their order: its settings, `final_usd`, `total_return`, `sharpe`, `closed_trades`.

    `fee_bps` is charged on each fill. `sharpe` is that of the bar returns (deviation with n - 1), times the root of
    `per_year` (bars a year; left out, as the engine counts them); null where nothing varied.
    Raises EngineError for bars of several symbols or with missing prices, unknown or missing placeholders, too many
    combinations; SignalError for a template that the bars cannot give.
    """
    close, price = _prices(bars)
    rule = _rule(template)
    _check(rule, combinations, fee_bps, capital_usd, threads)
    with ThreadPoolExecutor(threads) as pool:
        values, left, right = _sides(bars, rule, combinations, pool, threads)
    returns = np.zeros(close.size)
    returns[1:] = close[1:] / close[:-1] - 1.0
    sums, squares = np.add.accumulate(returns), np.add.accumulate(returns * returns)
    out = np.empty((len(combinations), RESULTS))
    fee = fee_bps * 1e-4

    def work(begin: int, end: int) -> None:
        accounts(
            values, left[begin:end], right[begin:end], rule.or_equal, close, price, sums, squares,
            fee, capital_usd, out[begin:end],
        )  # fmt: skip

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, *_parts(len(combinations), threads)))
    return _table(combinations, out, close.size, capital_usd, bars_per_year(bars.ts) if per_year is None else per_year)


def _table(
    combinations: Sequence[Combination], out: FloatArray, rows: int, capital: float, per_year: float
) -> pl.DataFrame:
    mean = out[:, SUM] / rows
    variance = np.maximum(out[:, SQUARES] - rows * mean * mean, 0.0) / (rows - 1)
    sharpe = np.divide(mean, np.sqrt(variance), out=np.full(mean.size, math.nan), where=variance > 0.0)
    names = list(combinations[0])
    return pl.DataFrame(
        {
            **{name: [c[name] for c in combinations] for name in names},
            "final_usd": out[:, FINAL],
            "total_return": out[:, FINAL] / capital - 1.0,
            "sharpe": pl.Series(sharpe * math.sqrt(per_year)).fill_nan(None),
            "closed_trades": out[:, CLOSED_TRADES].astype(np.int64),
        }
    )


def _parts(count: int, threads: int) -> tuple[list[int], list[int]]:
    """Where each thread's part begins and ends."""
    bounds = [count * k // threads for k in range(threads + 1)]
    return bounds[:-1], bounds[1:]


def _prices(bars: Panel) -> tuple[FloatArray, FloatArray]:
    """(closes, prices of fills) of the one symbol, `[T]` each."""
    rows, symbols = bars.shape
    if symbols != 1 or rows < 3:
        raise EngineError(f"bars have {rows} rows and {symbols} symbols; a sweep takes one symbol and at least 3 bars")
    close = bars["close"][:, 0]
    price = bars["open"][:, 0] if "open" in bars else close
    for name, values in (("close", close), ("open", price)):
        bad = np.flatnonzero(~((values > 0.0) & (values < np.inf)))
        if bad.size:
            raise EngineError(
                f"{name} of {bars.symbols[0]} at row {int(bad[0])} is {values[bad[0]]} ({bad.size} such); a sweep "
                "needs a finite price above 0 at every bar: choose another period or symbol, or use the exact engine"
            )
    return close, price


def _rule(template: str) -> _Rule:
    """The two sides of a template. What is no comparison is held where it is above 0."""
    from modules.signal.placeholders import comparison

    told = comparison(template)
    if told is None or told.operator not in (ast.Gt, ast.GtE, ast.Lt, ast.LtE):
        return _Rule(template, "0", False)
    sides = (told.left, told.right) if told.operator in (ast.Gt, ast.GtE) else (told.right, told.left)
    return _Rule(*sides, told.operator in (ast.GtE, ast.LtE))


def _check(rule: _Rule, combinations: Sequence[Combination], fee_bps: float, capital_usd: float, threads: int) -> None:
    from modules.signal.placeholders import names_in

    asked = {*names_in(rule.left), *names_in(rule.right)}
    if not 1 <= len(combinations) <= MOST_COMBINATIONS:
        raise EngineError(f"{len(combinations)} combinations; give 1 to {MOST_COMBINATIONS:,}")
    for number, combination in enumerate(combinations):
        if set(combination) != asked:
            raise EngineError(
                f"combination {number} sets {sorted(combination)}, the template has {sorted(asked)}; give a value for "
                "each placeholder and for nothing else"
            )
    if not 0.0 <= fee_bps < 1e4:
        raise EngineError(f"fee_bps = {fee_bps} must be at least 0 and below 10000")
    if not 0.0 < capital_usd < math.inf:
        raise EngineError(f"capital_usd = {capital_usd} must be finite and above 0")
    if threads < 1:
        raise EngineError(f"threads = {threads} must be at least 1")


def _sides(
    bars: Panel, rule: _Rule, combinations: Sequence[Combination], pool: ThreadPoolExecutor, threads: int
) -> tuple[FloatArray, IntArray, IntArray]:
    """Each distinct side once, `[U, T]`, and the row of it that each combination has left and right."""
    from modules.signal import evaluate_all, parse
    from modules.signal.placeholders import fill

    rows: dict[str, int] = {}
    left, right = (
        np.array([rows.setdefault(fill(side.strip(), c), len(rows)) for c in combinations], dtype=np.int64)
        for side in (rule.left, rule.right)
    )
    values = np.empty((len(rows), bars.ts.size))
    for text in [text for text in rows if _is_number(text)]:
        values[rows.pop(text)] = float(text)
    nodes = [(parse(text), row) for text, row in rows.items()]

    def work(begin: int, end: int) -> None:
        part = nodes[begin:end]
        for found, (_, row) in zip(evaluate_all([node for node, _ in part], bars, threads=1), part, strict=True):
            values[row] = found[:, 0]

    list(pool.map(work, *_parts(len(nodes), min(threads, max(1, len(nodes))))))
    return values, left, right


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
