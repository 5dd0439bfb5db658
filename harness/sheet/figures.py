"""All figures of one signal on one data set: numbers only, nothing drawn, nothing read or written."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from harness.sheet.information import Information, information
from harness.sheet.material import Material, prepare, refuse_few_symbols
from harness.sheet.quantiles import Quantiles, quantiles
from harness.sheet.trading import Trading, trading
from harness.sheet.turnover import Turnover, turnover
from modules.engine.settings import TradingSettings
from modules.panel import Panel, iso
from modules.signal import Node, evaluate, format_signal, signal_digest, warmup
from modules.signal.prove import Difference, level_difference, sample_rows, truncation_difference

PROOF_CUTS = 3


@dataclass(frozen=True)
class Subject:
    """Whose sheet it is. `lockbox_start` is where the part of history begins that nothing here has seen; `trials`
    counts the looks recorded so far in this workspace, `trials_on_data` those at this data."""

    data: str
    data_digest: str
    lockbox_start: str
    trials: int
    trials_on_data: int


@dataclass(frozen=True, eq=False)
class Sheet:
    """The figures. `without_open`: share of the bars with a close that carry no open; `ahead`: the first cell, if any,
    that changes when later bars are taken away; `reads_level`: restating a history for a split changes the signal."""

    expr: str
    digest: str
    warmup_bars: int
    start: str
    end: str
    material: Material
    information: Information
    quantiles: Quantiles
    turnover: Turnover
    trading: Trading
    without_open: float
    reads_level: bool
    ahead: Difference | None


def make_sheet(
    node: Node, bars: Panel, instruments: pl.DataFrame, settings: TradingSettings, *, start_ns: int, quantile_count: int
) -> Sheet:
    """Everything a sheet says of a signal, from `start_ns` on; earlier bars warm it up.

    `settings` are those of the backtest in force: fills and costs are its own. Raises SignalError where the signal
    cannot be evaluated, SheetError where nothing can be compared.
    """
    refuse_few_symbols(bars)
    values = evaluate(node, bars)
    first = max(warmup(node), int(np.searchsorted(bars.ts, start_ns)))
    m = prepare(values, bars, instruments, settings, first=first, quantiles=quantile_count)
    cuts = sample_rows(bars.shape[0], warmup(node), seed=0, samples=PROOF_CUTS)
    return Sheet(
        expr=format_signal(node),
        digest=signal_digest(node),
        warmup_bars=warmup(node),
        start=iso(int(m.ts[0])),
        end=iso(int(m.ts[-1])),
        material=m,
        information=information(m),
        quantiles=quantiles(m),
        turnover=turnover(m),
        trading=trading(m, settings),
        without_open=_without_open(bars),
        reads_level=level_difference(node, bars) is not None,
        ahead=truncation_difference(node, bars, values, cuts),
    )


def _without_open(bars: Panel) -> float:
    priced = ~np.isnan(bars["close"])
    if "open" not in bars or not priced.any():
        return 1.0
    return float((priced & np.isnan(bars["open"])).sum() / priced.sum())
