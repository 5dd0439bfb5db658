"""Years in which the result collapses, whatever the signal: something was different then, and nothing looks for it."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Finding, Lever
from supervisor.mined import Mined
from supervisor.miners._parts import PROFILES, collapsing

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
        return [
            Finding(
                miner=self.name,
                module=row.module,
                pattern=f"the result collapses in {row.part}",
                statement=(
                    f"What told {row.part} from other years would have saved {row.module} money: in {row.times} of "
                    f"{row.seen} runs its Sharpe ratio lay more than {self.fall:g} below the run's median year "
                    f"(median {-row.median:.1f})."
                ),
                size=-row.median,
                unit="net Sharpe ratio",
                occurrences=row.times,
                evidence=row.runs,
                levers=(Lever("vol_bars", "lower"), Lever("target_vol", "lower")),
            )
            for row in collapsing(traces, _VALUES, -self.fall, self.least, self.share)
        ]


MINER = BlindYears()
