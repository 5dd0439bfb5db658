"""Years in which the result collapses, whatever the signal: something was different then, and nothing looks for it."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Finding, Lever
from supervisor.mined import Mined
from supervisor.miners._parts import PROFILES, Part, blind_spots, collapsing

# Against the run's own other years, so that a bad strategy is not blamed on a bad year.
_VALUES = """
SELECT name, run_id, year.key AS part, year.value - median(year.value) OVER (PARTITION BY run_id) AS value
FROM (SELECT name, run_id, unnest(map_entries(years)) AS year FROM profiles)
"""


@dataclass(frozen=True)
class BlindYears:
    """Years whose Sharpe ratio is more than `fall` below the run's median year, in at least `least` runs and `share` of
    those that traded then."""

    fall: float = 1.0
    least: int = 3
    share: float = 0.7
    name: str = "blind_years"
    turn: int = 2
    reads: frozenset[str] = PROFILES

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a sizing module and year; `size` is the median fall in annualised net Sharpe ratio."""
        parts = collapsing(traces, _VALUES, -self.fall, self.least, self.share)
        return blind_spots(
            self.name,
            parts,
            self._words,
            "net Sharpe ratio",
            (Lever("vol_bars", "lower"), Lever("target_vol", "lower")),
        )

    def _words(self, part: Part) -> tuple[str, str]:
        return f"the result collapses in {part.part}", (
            f"What told {part.part} from other years would have saved {part.module} money: in {part.times} of "
            f"{part.seen} runs its Sharpe ratio lay more than {self.fall:g} below the run's median year "
            f"(median {-part.median:.1f})."
        )


MINER = BlindYears()
