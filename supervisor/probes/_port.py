"""What a probe is, and where it works."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from modules.artifacts import ArtifactStore
from modules.pipeline import Emit
from supervisor.mined import Mined


@dataclass(frozen=True)
class Room:
    """The traces that may be mined, the artifacts that they name, and what to say and spend.

    There is no way from here to data: what a mined run read and wrote ends before judging begins.
    """

    mined: Mined
    store: ArtifactStore
    emit: Emit
    deadline_s: float
    progress: Callable[[str], None] = lambda _: None

    @property
    def late(self) -> bool:
        """Whether nothing more may be begun."""
        return time.monotonic() > self.deadline_s


class Probe(Protocol):
    """One measurement."""

    @property
    def name(self) -> str:
        """Also the name of the probe's file."""

    def measure(self, room: Room, /) -> tuple[str, ...]:
        """Measure what was not measured yet, and record it; what could not be measured, in words."""
