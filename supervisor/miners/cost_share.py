"""Cost eats the gross edge: trading costs take more than a set share of the gross profit."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Claim, Finding, Lever
from supervisor.mined import Mined
from supervisor.miners._figures import STAGES_OF_RUNS, beyond

_VALUES = """
SELECT z.name, z.run_id, x.metrics['total_cost_usd'] / x.metrics['gross_pnl_usd'] AS value
FROM in_force z JOIN stages x USING (run_id)
WHERE z.stage = 'size' AND x.stage = 'execute' AND x.metrics['gross_pnl_usd'] > 0
"""


@dataclass(frozen=True)
class CostShare:
    """Runs with a gross profit of which costs took more than `share`; the sizing decides how much is traded."""

    share: float = 0.5
    name: str = "cost_share"
    turn: int = 1
    reads: frozenset[str] = STAGES_OF_RUNS

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a sizing module; `size` is the median share of gross profit that costs took."""
        rows = beyond(traces, _VALUES, self.share)
        return [
            Finding(
                miner=self.name,
                module=row.module,
                pattern=f"costs take more than {self.share:.0%} of the gross profit",
                statement=(
                    f"Trading less in {row.module} raises the net result: in {row.times} of {row.seen} profitable "
                    f"runs costs took more than {self.share:.0%} of the gross profit (median {row.median:.0%})."
                ),
                size=row.median,
                unit="share of gross profit",
                occurrences=row.times,
                evidence=row.runs,
                levers=(Lever("no_trade_band", "raise"), Lever("smoothing_bars", "raise")),
                claim=Claim(metric="total_cost_usd", direction="lower", least=1.0),
            )
            for row in rows
        ]


MINER = CostShare()
