"""What must hold of any signal, and of one that reads facts."""

from __future__ import annotations

from modules.contract import Violation
from modules.feature.contract import Outputs
from modules.feature.facts_expression.settings import Settings
from modules.feature.fundamental import Inputs, accept_with_facts
from modules.signal import parse


def accept(inputs: Inputs, outputs: Outputs, settings: Settings) -> list[Violation]:
    """Every rule that the signal breaks."""
    return accept_with_facts(parse(settings.expr), inputs, outputs, settings.stale_days)
