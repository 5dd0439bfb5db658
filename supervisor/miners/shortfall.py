"""Implementation shortfall beyond the model: between decision and fill the price runs away from the order.

What the cost model charges is known before a trade; what the price does on the way is not in it, and a signal that
trades fast pays it every time.
"""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Finding, Lever
from supervisor.mined import Mined
from supervisor.miners._figures import beyond
from supervisor.miners._parts import PROFILES

_VALUES = """
SELECT name, run_id, figures['shortfall_bps'] / figures['modelled_bps'] AS value FROM profiles
WHERE figures['modelled_bps'] > 0
"""


@dataclass(frozen=True)
class Shortfall:
    """Runs whose fills cost more than `times` what the model charges, against the close of the decision."""

    times: float = 1.5
    name: str = "shortfall"
    turn: int = 1
    reads: frozenset[str] = PROFILES

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a sizing module; `size` is the median of shortfall over modelled costs."""
        return [
            Finding(
                miner=self.name,
                module=row.module,
                pattern=f"fills cost more than {self.times:g} times the model",
                statement=(
                    f"Trading less, or later moves less, in {row.module} raises the net result: in {row.often} fills "
                    f"cost {row.median:.1f} times (median) what the cost model charges, against the close at which "
                    f"they were decided."
                ),
                size=row.median,
                unit="times the modelled costs",
                occurrences=row.times,
                evidence=row.runs,
                levers=(Lever("smoothing_bars", "raise"), Lever("no_trade_band", "raise")),
            )
            for row in beyond(traces, _VALUES, self.times)
        ]


MINER = Shortfall()
