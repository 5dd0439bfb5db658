"""Signal ranks to weights."""

from __future__ import annotations

from modules.contract import Context
from modules.engine.bars import signal_on
from modules.engine.instruments import align_instruments
from modules.engine.weights import rank_weights
from modules.size.rank_neutral.contract import Inputs, Outputs
from modules.size.rank_neutral.settings import Settings
from modules.size.shaping import describe, shape


def run(inputs: Inputs, settings: Settings, context: Context) -> Outputs:
    """Target weights from `context.start_ns` on. Raises EngineError where signal and bars do not fit."""
    bars = inputs.bars
    signal = signal_on(bars, inputs.signal)
    axes = align_instruments(inputs.instruments, bars.symbols, bars.ts)
    targets = rank_weights(
        signal,
        bars["close"],
        axes,
        gross=settings.gross_leverage,
        cap=settings.weight_cap,
        sector_cap=settings.sector_cap,
    )
    weights = shape(targets, signal, bars, settings, context.start_ns)
    metrics, notes = describe(weights)
    return Outputs(weights=weights, metrics=metrics, notes=notes)
