"""What must hold of any signal, and of one that reads facts."""

from __future__ import annotations

from modules.contract import Violation
from modules.feature.contract import Outputs
from modules.feature.fundamental import Inputs, accept_fundamental
from modules.feature.value.settings import Settings


def accept(inputs: Inputs, outputs: Outputs, settings: Settings) -> list[Violation]:
    """Every rule that the signal breaks."""
    return accept_fundamental(inputs, outputs, settings)
