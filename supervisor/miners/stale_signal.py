"""A signal averaged beyond its worth: it is smoothed, its ranks stand nearly still, and it no longer knows anything."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Claim, Finding, Lever
from supervisor.mined import Mined
from supervisor.miners._figures import STAGES_OF_RUNS, beyond

_VALUES = """
SELECT z.name, z.run_id, 2 - b.metrics['ic_t_stat'] AS value
FROM in_force z JOIN stages b USING (run_id)
WHERE z.stage = 'feature' AND b.stage = 'backtest' AND z.metrics['rank_autocorrelation'] > 0.9
      AND coalesce(try_cast(z.settings->>'$.smoothing_bars' AS DOUBLE), 1) > 1
"""


@dataclass(frozen=True)
class StaleSignal:
    """Runs of a smoothed feature whose IC has a t statistic below 2."""

    name: str = "stale_signal"
    turn: int = 1
    reads: frozenset[str] = STAGES_OF_RUNS

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a feature module; `size` is how far below 2 the t statistic of the IC lies, median."""
        return [
            Finding(
                miner=self.name,
                module=row.module,
                pattern="smoothed, and its rank IC is not told from none",
                statement=(
                    f"Less smoothing in {row.module} lets the signal know more: in {row.often} the t statistic of its "
                    f"rank IC was {2.0 - row.median:.1f} (median)."
                ),
                size=row.median,
                unit="t statistic below 2",
                occurrences=row.times,
                evidence=row.runs,
                levers=(Lever("smoothing_bars", "lower"),),
                claim=Claim(metric="ic_t_stat", direction="raise", least=0.5),
            )
            for row in beyond(traces, _VALUES, 0.0)
        ]


MINER = StaleSignal()
