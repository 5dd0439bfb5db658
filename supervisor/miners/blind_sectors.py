"""Sectors that lose what the others earn, whatever the signal."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Finding, Lever
from supervisor.mined import Mined
from supervisor.miners._parts import PROFILES, Part, blind_spots, collapsing

# Profit of one part over all that the parts of the run gained or lost, without their signs.
_VALUES = """
SELECT name, run_id, part.key AS part, part.value / sum(abs(part.value)) OVER (PARTITION BY run_id) AS value
FROM (SELECT name, run_id, unnest(map_entries(sectors)) AS part FROM profiles)
"""


@dataclass(frozen=True)
class BlindSectors:
    """Sectors whose loss is more than `part` of all that the run's sectors gained and lost, in at least `least` runs
    and `share` of those that traded it."""

    part: float = 0.2
    least: int = 3
    share: float = 0.7
    name: str = "blind_sectors"
    turn: int = 2
    reads: frozenset[str] = PROFILES

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a sizing module and sector; `size` is the median share that it lost."""
        parts = collapsing(traces, _VALUES, -self.part, self.least, self.share)
        return blind_spots(self.name, parts, self._words, "share of gains and losses", (Lever("sector_cap", "lower"),))

    def _words(self, part: Part) -> tuple[str, str]:
        return f"sector {part.part} loses whatever the signal", (
            f"Holding less of {part.part} raises the net result of {part.module}: in {part.times} of {part.seen} "
            f"runs it lost more than {self.part:.0%} of all that sectors gained and lost "
            f"(median {-part.median:.0%})."
        )


MINER = BlindSectors()
