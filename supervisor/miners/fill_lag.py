"""Profit that is there only if orders fill at once: the one-bar-lag control takes it away.

Where bars have no open, a fill is at the close of its decision, and the run also says what a fill a bar later gives. No
setting mends it: how a market fills is an assumption.
"""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Finding
from supervisor.mined import Mined
from supervisor.miners._figures import STAGES_OF_RUNS, beyond

_VALUES = """
SELECT name, run_id, metrics['net_sharpe'] - metrics['net_sharpe_next_close'] AS value
FROM in_force WHERE stage = 'execute' AND metrics['net_sharpe'] > 0
"""


@dataclass(frozen=True)
class FillLag:
    """Runs with a net profit that lose more than `sharpe` a year when each order fills a bar later."""

    sharpe: float = 0.25
    name: str = "fill_lag"
    turn: int = 1
    reads: frozenset[str] = STAGES_OF_RUNS

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding an execution module; `size` is the median loss in annualised net Sharpe ratio."""
        return [
            Finding(
                miner=self.name,
                module=row.module,
                pattern=f"a fill one bar later costs more than {self.sharpe:g} of the net Sharpe ratio",
                statement=(
                    f"Signals that survive a bar's delay keep their profit in {row.module}: in {row.often} the net "
                    f"Sharpe ratio falls by {row.median:.2f} (median) if orders fill at the next close."
                ),
                size=row.median,
                unit="net Sharpe ratio",
                occurrences=row.times,
                evidence=row.runs,
            )
            for row in beyond(traces, _VALUES, self.sharpe)
        ]


MINER = FillLag()
