"""Trade the target weights in the bar engine."""

from __future__ import annotations

from modules.contract import Context
from modules.engine.bars import trade
from modules.execute.next_bar.contract import Inputs, Outputs
from modules.execute.next_bar.settings import Settings


def run(inputs: Inputs, settings: Settings, context: Context) -> Outputs:
    """Simulate from `context.start_ns` on. Raises EngineError where weights, bars and instruments do not fit."""
    account = trade(inputs.bars, inputs.weights, inputs.instruments, settings, context.start_ns)
    return Outputs(
        orders=account.orders_table(),
        fills=account.fills_table(),
        nav=account.nav(),
        positions=account.positions(),
        metrics=account.metrics(),
        notes=account.notes(),
    )
