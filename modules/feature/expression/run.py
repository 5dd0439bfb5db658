"""Evaluate the signal on every bar, warm-up included."""

from __future__ import annotations

import numpy as np

from modules.contract import Context
from modules.feature.expression.contract import Inputs, Outputs
from modules.feature.expression.settings import Settings
from modules.panel import Panel
from modules.signal import evaluate, parse, warmup
from modules.signal.measure import coverage, rank_autocorrelation
from modules.signal.prove import LEVEL_RULE, level_difference


def run(inputs: Inputs, settings: Settings, context: Context) -> Outputs:
    """`signal` at bar t reads bars <= t. Metrics are taken from the first traded bar that can have a value."""
    bars = inputs.bars
    node = parse(settings.expr)
    values = evaluate(node, bars)
    first = max(warmup(node), int(np.searchsorted(bars.ts, context.start_ns)))
    metrics = {"coverage": coverage(values, bars["close"], first), "warmup_bars": float(warmup(node))}
    autocorrelation = rank_autocorrelation(values[first:])
    if autocorrelation is not None:
        metrics["rank_autocorrelation"] = autocorrelation
    level = level_difference(node, bars)
    metrics["reads_level"] = float(level is not None)
    notes = () if level is None else (f"READS THE FUTURE, PERHAPS: the signal {LEVEL_RULE}",)
    return Outputs(signal=Panel(bars.ts, bars.symbols, {"signal": values}), metrics=metrics, notes=notes)
