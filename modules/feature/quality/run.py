"""The members as one signal."""

from __future__ import annotations

from modules.contract import Context
from modules.feature.contract import Outputs
from modules.feature.fundamental import Inputs, run_fundamental
from modules.feature.quality.settings import Settings


def run(inputs: Inputs, settings: Settings, context: Context) -> Outputs:
    """`signal` at bar t reads bars <= t, and facts accepted by the moment bar t is known."""
    return run_fundamental(inputs, settings, context)
