"""What must hold of any signal: it is there, it tells symbols apart, and it does not read the future."""

from __future__ import annotations

from modules.contract import Violation
from modules.feature.evaluation import accept_signal
from modules.feature.expression.contract import Inputs, Outputs
from modules.feature.expression.settings import Settings
from modules.signal import parse


def accept(inputs: Inputs, outputs: Outputs, settings: Settings) -> list[Violation]:
    """Every rule that the signal breaks."""
    return accept_signal(parse(settings.expr), inputs.panel, outputs.signal)
