"""Bars to a signal."""

from __future__ import annotations

from dataclasses import dataclass

from modules.contract import Bars, Contract, Guard, ModuleOutputs, Signal

CONTRACT = Contract(
    stage="feature",
    name="expression",
    summary="A signal written in the language: for each bar and symbol, how much one would rather hold it.",
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


@dataclass(frozen=True, kw_only=True)
class Outputs(ModuleOutputs):
    """The signal on the rows and symbols of the bars; NaN = no opinion."""

    signal: Signal
