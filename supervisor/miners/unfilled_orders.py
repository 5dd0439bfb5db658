"""Orders that never fill: they were sent where there was no price, or no volume."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Claim, Finding, Lever
from supervisor.mined import Mined
from supervisor.miners._figures import STAGES_OF_RUNS, beyond

_VALUES = """
SELECT name, run_id, metrics['unfilled'] / metrics['orders'] AS value
FROM in_force WHERE stage = 'execute' AND metrics['orders'] > 0
"""


@dataclass(frozen=True)
class UnfilledOrders:
    """Runs in which more than `share` of the orders expired unfilled."""

    share: float = 0.01
    name: str = "unfilled_orders"
    turn: int = 2
    reads: frozenset[str] = STAGES_OF_RUNS

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding an execution module; `size` is the median share of orders that expired."""
        return [
            Finding(
                miner=self.name,
                module=row.module,
                pattern=f"more than {self.share:.0%} of the orders expire unfilled",
                statement=(
                    f"Fewer small or hopeless orders from {row.module} leave the book nearer its targets: in "
                    f"{row.often} {row.median:.1%} of the orders (median) expired unfilled."
                ),
                size=row.median,
                unit="share of orders",
                occurrences=row.times,
                evidence=row.runs,
                levers=(Lever("min_order_usd", "raise"),),
                claim=Claim(metric="unfilled", direction="lower", least=1.0),
            )
            for row in beyond(traces, _VALUES, self.share)
        ]


MINER = UnfilledOrders()
