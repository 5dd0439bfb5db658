"""Evaluate the signal on every bar, warm-up included."""

from __future__ import annotations

from modules.contract import Context
from modules.feature.evaluation import run_signal
from modules.feature.expression.contract import Inputs, Outputs
from modules.feature.expression.settings import Settings
from modules.signal import parse


def run(inputs: Inputs, settings: Settings, context: Context) -> Outputs:
    """`signal` at bar t reads bars <= t."""
    return run_signal(parse(settings.expr), inputs.panel, context)
