"""Ranks that jump from bar to bar while costs eat the edge: the noise could be averaged where the signal is made."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Claim, Finding, Lever
from supervisor.mined import Mined
from supervisor.miners._figures import STAGES_OF_RUNS, beyond

_VALUES = """
SELECT z.name, z.run_id, 1 - z.metrics['rank_autocorrelation'] AS value
FROM in_force z JOIN stages x USING (run_id)
WHERE z.stage = 'feature' AND x.stage = 'execute' AND x.metrics['gross_pnl_usd'] > 0
      AND x.metrics['total_cost_usd'] > 0.25 * x.metrics['gross_pnl_usd']
"""


@dataclass(frozen=True)
class JumpySignal:
    """Runs whose ranks keep less than `1 - jump` of themselves from bar to bar, at a cost."""

    jump: float = 0.1
    name: str = "jumpy_signal"
    turn: int = 1
    reads: frozenset[str] = STAGES_OF_RUNS

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a feature module; `size` is the median of 1 - rank autocorrelation."""
        return [
            Finding(
                miner=self.name,
                module=row.module,
                pattern=f"ranks change by more than {self.jump:g} a bar, and costs take a quarter of the gross profit",
                statement=(
                    f"A smoother signal from {row.module} keeps more of its profit: in {row.often} the ranks' "
                    f"autocorrelation was {1.0 - row.median:.2f} (median)."
                ),
                size=row.median,
                unit="1 - rank autocorrelation",
                occurrences=row.times,
                evidence=row.runs,
                levers=(Lever("smoothing_bars", "raise"),),
                claim=Claim(metric="rank_autocorrelation", direction="raise", least=0.01),
            )
            for row in beyond(traces, _VALUES, self.jump)
        ]


MINER = JumpySignal()
