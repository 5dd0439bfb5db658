"""What must hold of any rank weights: caps, axes, and a net close to zero."""

from __future__ import annotations

import numpy as np

from modules.contract import Violation
from modules.size.rank_neutral.contract import Inputs, Outputs
from modules.size.rank_neutral.settings import Settings
from modules.size.shaping import accept_weights


def accept(inputs: Inputs, outputs: Outputs, settings: Settings) -> list[Violation]:
    """Every rule broken. Band, smoothing and missing symbols may leave a net of what they kept, no more."""
    found = accept_weights(inputs.bars, outputs.weights, settings)
    w = outputs.weights["weight"]
    if settings.no_trade_band == 0.0 and settings.smoothing_bars == 1:
        lopsided = np.abs(w.sum(axis=1)) > 1e-9
        if lopsided.any():
            found.append(Violation("weights", "longs and shorts do not cancel", int(lopsided.sum())))
    return found
