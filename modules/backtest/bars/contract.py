"""Bars, signal and instruments to evidence, quantile returns and a judgement."""

from __future__ import annotations

from dataclasses import dataclass

from modules.contract import Bars, Contract, Evidence, Guard, Instruments, Judgement, ModuleOutputs, Quantiles, Signal

CONTRACT = Contract(
    stage="backtest",
    name="bars",
    summary="Judges a signal by rank IC and by a reference sizing in the bar engine, with costs.",
    objective="net_sharpe",
    objective_series="evidence.net_return",
    guards=(
        Guard("max_drawdown", "lower", 0.02),
        Guard("turnover", "lower", 5.0),
        Guard("seconds", "lower", 5.0),
    ),
)


@dataclass(frozen=True)
class Inputs:
    """What the module reads."""

    bars: Bars
    signal: Signal
    instruments: Instruments


@dataclass(frozen=True, kw_only=True)
class Outputs(ModuleOutputs):
    """What it writes, from the first traded bar on."""

    evidence: Evidence
    quantiles: Quantiles
    judgement: Judgement
