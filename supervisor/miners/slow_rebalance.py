"""A book that turns slower than its signal: what the ranks say now is not what is held.

The other side of `turnover_decay`: with the ranks' half-life h, a book that turns over less than a small part of once a
half-life holds what the signal said long ago.
"""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Claim, Finding, Lever
from supervisor.mined import Mined
from supervisor.miners._figures import STAGES_OF_RUNS, beyond
from supervisor.miners._rebalance import TURNOVER_OVER_SUPPORTED


@dataclass(frozen=True)
class SlowRebalance:
    """Runs whose turnover is less than `share` of what one turn of the book a half-life needs, where they are at least
    `least_share` of all."""

    share: float = 0.25
    least_share: float = 0.5
    name: str = "slow_rebalance"
    turn: int = 1
    reads: frozenset[str] = STAGES_OF_RUNS

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a sizing module; `size` is the median share of the supported turnover that is missing."""
        return [
            Finding(
                miner=self.name,
                module=row.module,
                pattern=f"turnover below {self.share:g} times what the signal's half-life supports",
                statement=(
                    f"Following the signal sooner in {row.module} raises the net result: in {row.often} the book "
                    f"turned over {row.median:.2f} times (median) once a half-life."
                ),
                size=1.0 - row.median,
                unit="missing share of the supported turnover",
                occurrences=row.times,
                evidence=row.runs,
                levers=(Lever("smoothing_bars", "lower"), Lever("no_trade_band", "lower")),
                claim=Claim(metric="turnover", direction="raise", least=0.5),
            )
            for row in beyond(traces, TURNOVER_OVER_SUPPORTED, self.share, "below", self.least_share)
        ]


MINER = SlowRebalance()
