"""Targets that risk cuts: the sizing keeps asking for more than the limits let through."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Finding, Lever
from supervisor.mined import Mined
from supervisor.miners._figures import STAGES_OF_RUNS, beyond

_VALUES = """
SELECT z.name, z.run_id,
       (coalesce(x.metrics['reduced'], 0) + coalesce(x.metrics['rejected'], 0)) / x.metrics['orders'] AS value
FROM in_force z JOIN stages x USING (run_id)
WHERE z.stage = 'size' AND x.stage = 'execute' AND x.metrics['orders'] > 0
"""


@dataclass(frozen=True)
class RiskCuts:
    """Runs in which more than `share` of the orders came back reduced or rejected."""

    share: float = 0.05
    name: str = "risk_cuts"
    turn: int = 1
    reads: frozenset[str] = STAGES_OF_RUNS

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a sizing module; `size` is the median share of orders cut."""
        rows = beyond(traces, _VALUES, self.share)
        return [
            Finding(
                miner=self.name,
                module=row.module,
                pattern=f"risk reduces or rejects more than {self.share:.0%} of the orders",
                statement=(
                    f"Asking for less in {row.module} raises the net result, because risk's cuts unbalance the book: "
                    f"in {row.times} of {row.seen} runs it cut {row.median:.0%} of the orders (median)."
                ),
                size=row.median,
                unit="share of orders",
                occurrences=row.times,
                evidence=row.runs,
                levers=(Lever("weight_cap", "lower"), Lever("gross_leverage", "lower")),
            )
            for row in rows
        ]


MINER = RiskCuts()
