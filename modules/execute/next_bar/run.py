"""Trade the target weights in the bar engine."""

from __future__ import annotations

import math

from modules.contract import Context
from modules.engine.bars import trade
from modules.execute.next_bar.contract import Inputs, Outputs
from modules.execute.next_bar.settings import Settings


def run(inputs: Inputs, settings: Settings, context: Context) -> Outputs:
    """Simulate from `context.start_ns` on. Raises EngineError where weights, bars and instruments do not fit."""
    account = trade(inputs.bars, inputs.weights, inputs.instruments, settings, context.start_ns)
    control = _a_bar_later(inputs, settings, context) if account.early_fills else {}
    return Outputs(
        orders=account.orders_table(),
        fills=account.fills_table(),
        nav=account.nav(),
        positions=account.positions(),
        actions=account.actions_table(),
        metrics={**account.metrics(), **control},
        notes=account.notes(),
    )


def _a_bar_later(inputs: Inputs, settings: Settings, context: Context) -> dict[str, float]:
    """The one-bar-lag control: what is left where a fill at the decision's own close is not to be had."""
    late = settings.model_copy(update={"fill_without_open": "next_close"})
    account = trade(inputs.bars, inputs.weights, inputs.instruments, late, context.start_ns)
    return {"net_sharpe_next_close": account.metrics().get("net_sharpe", math.nan)}
