"""Signal ranks to weights of a set volatility."""

from __future__ import annotations

import numpy as np

from modules.contract import Context
from modules.engine.bars import signal_on
from modules.engine.instruments import align_instruments
from modules.engine.metrics import known_clock, mean
from modules.engine.weights import applied_volatility, rank_weights
from modules.size.shaping import describe, shape
from modules.size.vol_target.contract import Inputs, Outputs
from modules.size.vol_target.settings import Settings


def run(inputs: Inputs, settings: Settings, context: Context) -> Outputs:
    """Target weights from `context.start_ns` on. Raises EngineError where signal and bars do not fit."""
    bars = inputs.bars
    signal = signal_on(bars, inputs.signal)
    close = bars["close"]
    axes = align_instruments(inputs.instruments, bars.symbols, bars.ts)
    fullest = rank_weights(
        signal, close, axes, gross=settings.gross_leverage, cap=settings.weight_cap, sector_cap=settings.sector_cap
    )
    estimate = applied_volatility(fullest, close, settings.vol_bars) * np.sqrt(known_clock(bars.ts)[1])
    scale = np.minimum(1.0, np.divide(settings.target_vol, estimate, out=np.ones_like(estimate), where=estimate != 0.0))
    targets = np.where(np.isnan(scale), 0.0, scale)[:, None] * fullest
    weights = shape(targets, signal, bars, settings, context.start_ns)
    metrics, notes = describe(weights)
    traded = scale[-weights.ts.size :]
    metrics["scale_mean"] = mean(np.nan_to_num(traded))
    metrics["capped_share"] = float(np.mean(traded == 1.0))
    blind = int(np.count_nonzero(np.isnan(traded)))
    if blind:
        notes += (f"{blind} rows hold nothing: fewer than vol_bars = {settings.vol_bars} bars before them",)
    if metrics["capped_share"] > 0.5:
        notes += (f"caps keep {metrics['capped_share']:.0%} of the rows below target_vol = {settings.target_vol}",)
    return Outputs(weights=weights, metrics=metrics, notes=notes)
