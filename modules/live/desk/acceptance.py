"""A human's word that the account is as the venue has it: the reset of the risk core's latch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from modules.live.riskd.latch import Latch


@dataclass(frozen=True)
class Acceptance:
    """Who, why, and when (ns UTC)."""

    by: str
    reason: str
    at_ns: int


def acceptance_in(folder: Path) -> Callable[[], Acceptance | None]:
    """Reads the last reset from the latch in an account's folder; None where the latch is shut or there is none."""
    latch = Latch(folder)

    def read() -> Acceptance | None:
        if not latch.exists():
            return None
        state = latch.read()
        return None if state.killed or not state.by else Acceptance(state.by, state.reason, state.at_ns)

    return read
