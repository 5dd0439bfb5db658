"""Signals with many holes: where a feature has no value, nothing is held, whatever the market offers."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Claim, Finding, Lever
from supervisor.mined import Mined
from supervisor.miners._figures import STAGES_OF_RUNS, beyond

_VALUES = "SELECT name, run_id, metrics['coverage'] AS value FROM in_force WHERE stage = 'feature'"


@dataclass(frozen=True)
class ThinSignal:
    """Runs whose signal has a value in less than `floor` of the cells that have a price."""

    floor: float = 0.8
    name: str = "thin_signal"
    turn: int = 2
    reads: frozenset[str] = STAGES_OF_RUNS

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a feature module; `size` is the median share of cells without a value."""
        return [
            Finding(
                miner=self.name,
                module=row.module,
                pattern=f"the signal has a value in less than {self.floor:.0%} of the priced cells",
                statement=(
                    f"A fuller signal from {row.module} finds more to hold: in {row.often} it had a value in "
                    f"{row.median:.0%} of the cells (median)."
                ),
                size=1.0 - row.median,
                unit="share of cells",
                occurrences=row.times,
                evidence=row.runs,
                levers=(Lever("least_present", "lower"), Lever("smoothing_bars", "lower")),
                claim=Claim(metric="coverage", direction="raise", least=0.02),
            )
            for row in beyond(traces, _VALUES, self.floor, "below")
        ]


MINER = ThinSignal()
