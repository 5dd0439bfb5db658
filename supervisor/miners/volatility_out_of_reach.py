"""A volatility target that the caps never let the book reach: the scaling is on paper only."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Claim, Finding, Lever
from supervisor.mined import Mined
from supervisor.miners._figures import STAGES_OF_RUNS, beyond

_VALUES = "SELECT name, run_id, metrics['capped_share'] AS value FROM in_force WHERE stage = 'size'"


@dataclass(frozen=True)
class VolatilityOutOfReach:
    """Runs whose scaling stands at its cap in more than `share` of the rows."""

    share: float = 0.5
    name: str = "volatility_out_of_reach"
    turn: int = 1
    reads: frozenset[str] = STAGES_OF_RUNS

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a sizing module; `size` is the median share of rows at the cap."""
        return [
            Finding(
                miner=self.name,
                module=row.module,
                pattern=f"the caps bind in more than {self.share:.0%} of the rows, so volatility is not targeted",
                statement=(
                    f"A target that {row.module} can reach steadies the net result: in {row.often} the scaling stood "
                    f"at its cap in {row.median:.0%} of the rows (median)."
                ),
                size=row.median,
                unit="share of rows",
                occurrences=row.times,
                evidence=row.runs,
                levers=(Lever("target_vol", "lower"), Lever("vol_bars", "lower"), Lever("vol_bars", "raise")),
                claim=Claim(metric="capped_share", direction="lower", least=0.05),
            )
            for row in beyond(traces, _VALUES, self.share)
        ]


MINER = VolatilityOutOfReach()
