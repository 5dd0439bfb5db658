"""What must hold of any signal."""

from __future__ import annotations

from modules.contract import Violation
from modules.feature.family import accept_family
from modules.feature.low_volatility.contract import Inputs, Outputs
from modules.feature.low_volatility.settings import Settings


def accept(inputs: Inputs, outputs: Outputs, settings: Settings) -> list[Violation]:
    """Every rule that the signal breaks."""
    return accept_family(inputs, outputs, settings)
