"""Markets in which the result collapses: calm, usual or volatile, by what was known before each bar."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Finding, Lever
from supervisor.mined import Mined
from supervisor.miners._parts import PROFILES, collapsing

_VALUES = """
SELECT name, run_id, regime.key AS part, regime.value - greatest(
           coalesce(regimes['calm'], '-inf'::DOUBLE), coalesce(regimes['usual'], '-inf'::DOUBLE),
           coalesce(regimes['volatile'], '-inf'::DOUBLE)) AS value
FROM (SELECT name, run_id, regimes, unnest(map_entries(regimes)) AS regime FROM profiles)
WHERE regime.value < 0
"""


@dataclass(frozen=True)
class BlindRegimes:
    """Regimes in which runs lose money, their Sharpe ratio more than `fall` below that of the run's best regime, in at
    least `least` runs and `share` of those that lose there."""

    fall: float = 1.0
    least: int = 3
    share: float = 0.5
    name: str = "blind_regimes"
    turn: int = 2
    reads: frozenset[str] = PROFILES

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a sizing module and regime; `size` is the median fall in annualised net Sharpe ratio."""
        return [
            Finding(
                miner=self.name,
                module=row.module,
                pattern=f"the result collapses in {row.part} markets",
                statement=(
                    f"Holding less in {row.part} markets raises the net result of {row.module}: in {row.times} of "
                    f"{row.seen} runs that lose there the Sharpe ratio lay more than {self.fall:g} below the run's "
                    f"best regime (median {-row.median:.1f})."
                ),
                size=-row.median,
                unit="net Sharpe ratio",
                occurrences=row.times,
                evidence=row.runs,
                levers=(Lever("vol_bars", "lower"), Lever("target_vol", "lower")),
            )
            for row in collapsing(traces, _VALUES, -self.fall, self.least, self.share)
        ]


MINER = BlindRegimes()
