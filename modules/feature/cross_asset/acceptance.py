"""What must hold of any signal."""

from __future__ import annotations

from modules.contract import Violation
from modules.feature.cross_asset.contract import Inputs, Outputs
from modules.feature.cross_asset.settings import Settings
from modules.feature.family import accept_family


def accept(inputs: Inputs, outputs: Outputs, settings: Settings) -> list[Violation]:
    """Every rule that the signal breaks."""
    return accept_family(inputs, outputs, settings)
