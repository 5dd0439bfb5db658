"""The crossover as a compiled strategy: trades where the means cross, and lets a position run in between."""

from __future__ import annotations

import math

from modules.engine.strategy import Account
from modules.jit import inlined
from modules.panel import FloatArray


@inlined
def trade_crossings(
    signals: FloatArray, account: Account, nav: int, parameters: FloatArray, memory: FloatArray, targets: FloatArray
) -> None:
    """Long `parameters[0]` of NAV while the mean in row 0 is above that in row 1, flat otherwise."""
    for i in range(targets.size):
        above = signals[0, i] > signals[1, i]
        targets[i] = (math.nan if account.lots[i] != 0 else parameters[0]) if above else 0.0
