"""The members as one signal."""

from __future__ import annotations

from modules.contract import Context
from modules.feature.family import run_family
from modules.feature.low_volatility.contract import Inputs, Outputs
from modules.feature.low_volatility.settings import Settings


def run(inputs: Inputs, settings: Settings, context: Context) -> Outputs:
    """`signal` at bar t reads bars <= t."""
    return run_family(inputs, settings, context)
