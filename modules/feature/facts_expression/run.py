"""Evaluate the signal on every bar, warm-up included."""

from __future__ import annotations

import dataclasses

from modules.contract import Context
from modules.feature.contract import Outputs
from modules.feature.evaluation import run_signal
from modules.feature.facts_expression.settings import Settings
from modules.feature.fundamental import Inputs, grouped_panel, silence
from modules.signal import fields_of, parse


def run(inputs: Inputs, settings: Settings, context: Context) -> Outputs:
    """`signal` at bar t reads bars <= t, and facts accepted by the moment bar t is known."""
    node = parse(settings.expr)
    names = fields_of(node)
    outputs = run_signal(node, grouped_panel(inputs, names, settings.stale_days), context)
    return dataclasses.replace(outputs, notes=(*outputs.notes, *silence(inputs, names)))
