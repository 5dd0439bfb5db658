"""Bars, target weights and instruments to orders, fills, NAV and positions."""

from __future__ import annotations

from dataclasses import dataclass

from modules.contract import (
    AccountActions,
    Bars,
    Contract,
    Fills,
    Guard,
    Instruments,
    ModuleOutputs,
    Nav,
    Orders,
    Positions,
    Weights,
)

CONTRACT = Contract(
    stage="execute",
    name="next_bar",
    summary="Orders decided on a bar pass the risk decision and fill at the next bar, with costs and exact accounts.",
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
    weights: Weights
    instruments: Instruments


@dataclass(frozen=True, kw_only=True)
class Outputs(ModuleOutputs):
    """What it writes, from the first traded bar on."""

    orders: Orders
    fills: Fills
    nav: Nav
    positions: Positions
    actions: AccountActions = None
