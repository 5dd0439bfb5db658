"""Single symbols that lose what the others earn, whatever the signal."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Finding, Lever
from supervisor.mined import Mined
from supervisor.miners._parts import PROFILES, Part, blind_spots, collapsing

# In units of the run's even share: 1 = the symbol lost what a symbol gained or lost on average.
_VALUES = """
SELECT name, run_id, part.key AS part, part.value / avg(abs(part.value)) OVER (PARTITION BY run_id) AS value
FROM (SELECT name, run_id, unnest(map_entries(symbols)) AS part FROM profiles)
"""


@dataclass(frozen=True)
class BlindSymbols:
    """Symbols that lost more than `times` what symbols of the run gained or lost on average, in at least `least` runs
    and `share` of those that traded it."""

    times: float = 2.0
    least: int = 3
    share: float = 0.7
    name: str = "blind_symbols"
    turn: int = 2
    reads: frozenset[str] = PROFILES

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a sizing module and symbol; `size` is the median loss in average gains and losses."""
        parts = collapsing(traces, _VALUES, -self.times, self.least, self.share)
        return blind_spots(
            self.name, parts, self._words, "average gains and losses of a symbol", (Lever("weight_cap", "lower"),)
        )

    def _words(self, part: Part) -> tuple[str, str]:
        return f"symbol {part.part} loses whatever the signal", (
            f"Holding less of any one symbol raises the net result of {part.module}: in {part.times} of "
            f"{part.seen} runs {part.part} lost {-part.median:.1f} times (median) what its symbols gained or lost "
            f"on average."
        )


MINER = BlindSymbols()
