"""Bars, signal and instruments to dollar-neutral target weights."""

from __future__ import annotations

from dataclasses import dataclass

from modules.contract import Bars, Contract, Guard, Instruments, ModuleOutputs, Signal, Weights

CONTRACT = Contract(
    stage="size",
    name="rank_neutral",
    summary="Dollar-neutral rank weights, averaged over bars and held within a no-trade band.",
    objective="net_sharpe",
    objective_series="nav.net_return",
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
    """Target weights from the first traded bar on."""

    weights: Weights
