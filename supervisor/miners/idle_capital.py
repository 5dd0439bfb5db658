"""Capital that no target uses: the book is small beside what it may hold."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Claim, Finding, Lever
from supervisor.mined import Mined
from supervisor.miners._figures import STAGES_OF_RUNS, beyond

_VALUES = "SELECT name, run_id, metrics['mean_gross'] AS value FROM in_force WHERE stage = 'size'"


@dataclass(frozen=True)
class IdleCapital:
    """Runs whose mean gross target is below `floor` of NAV."""

    floor: float = 0.5
    name: str = "idle_capital"
    turn: int = 1
    reads: frozenset[str] = STAGES_OF_RUNS

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a sizing module; `size` is the median share of NAV that no target uses."""
        return [
            Finding(
                miner=self.name,
                module=row.module,
                pattern=f"the mean gross target is below {self.floor:.0%} of NAV",
                statement=(
                    f"Fuller targets in {row.module} earn more on the same capital: in {row.often} the mean "
                    f"gross target was {row.median:.0%} of NAV (median)."
                ),
                size=1.0 - row.median,
                unit="share of NAV",
                occurrences=row.times,
                evidence=row.runs,
                levers=(
                    Lever("weight_cap", "raise"),
                    Lever("gross_leverage", "raise"),
                    Lever("sector_cap", "raise"),
                    Lever("target_vol", "raise"),
                    Lever("no_trade_band", "lower"),
                ),
                claim=Claim(metric="mean_gross_exposure", direction="raise", least=0.05),
            )
            for row in beyond(traces, _VALUES, self.floor, "below")
        ]


MINER = IdleCapital()
