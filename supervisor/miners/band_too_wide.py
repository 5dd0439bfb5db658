"""A no-trade band about as wide as the targets themselves: what the signal asks for is mostly not followed."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Finding, Lever
from supervisor.mined import Mined
from supervisor.miners._figures import STAGES_OF_RUNS, beyond

# The band over the mean size of a target that is held.
_VALUES = """
SELECT name, run_id, try_cast(settings->>'$.no_trade_band' AS DOUBLE) * metrics['mean_positions']
                     / metrics['mean_gross'] AS value
FROM in_force WHERE stage = 'size' AND metrics['mean_gross'] > 0
"""


@dataclass(frozen=True)
class BandTooWide:
    """Runs whose band is wider than `times` the mean size of the targets."""

    times: float = 0.5
    name: str = "band_too_wide"
    turn: int = 1
    reads: frozenset[str] = STAGES_OF_RUNS

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a sizing module; `size` is the median of the band in mean targets."""
        return [
            Finding(
                miner=self.name,
                module=row.module,
                pattern=f"the no-trade band is wider than {self.times:g} mean targets",
                statement=(
                    f"A narrower band in {row.module} follows the signal and raises the net result: in {row.often} it "
                    f"was {row.median:.2f} times (median) as wide as the mean target."
                ),
                size=row.median,
                unit="mean targets",
                occurrences=row.times,
                evidence=row.runs,
                levers=(Lever("no_trade_band", "lower"),),
            )
            for row in beyond(traces, _VALUES, self.times)
        ]


MINER = BandTooWide()
