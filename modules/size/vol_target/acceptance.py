"""What must hold of any volatility-targeted weights: caps and axes."""

from __future__ import annotations

from modules.contract import Violation
from modules.size.shaping import accept_weights
from modules.size.vol_target.contract import Inputs, Outputs
from modules.size.vol_target.settings import Settings


def accept(inputs: Inputs, outputs: Outputs, settings: Settings) -> list[Violation]:
    """Every rule broken."""
    return accept_weights(inputs.bars, outputs.weights, settings)
