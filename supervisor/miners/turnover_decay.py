"""Turnover above what the signal's decay supports: ranks that barely move, traded as if they did.

What is traded beyond one turn of the book a half-life of the ranks pays for rank noise.
"""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Claim, Finding, Lever
from supervisor.mined import Mined
from supervisor.miners._figures import STAGES_OF_RUNS, beyond
from supervisor.miners._rebalance import TURNOVER_OVER_SUPPORTED


@dataclass(frozen=True)
class TurnoverDecay:
    """Runs whose turnover is more than `excess` times what one turn of the book a half-life needs."""

    excess: float = 1.5
    name: str = "turnover_decay"
    turn: int = 1
    reads: frozenset[str] = STAGES_OF_RUNS

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a sizing module; `size` is the median ratio of turnover to supported turnover."""
        rows = beyond(traces, TURNOVER_OVER_SUPPORTED, self.excess)
        return [
            Finding(
                miner=self.name,
                module=row.module,
                pattern=f"turnover above {self.excess:g} times what the signal's half-life supports",
                statement=(
                    f"Holding positions in {row.module} until the signal has moved raises the net "
                    f"result: in {row.times} of {row.seen} runs it traded "
                    f"{row.median:.1f} times (median) one turn of the book a half-life."
                ),
                size=row.median,
                unit="times the supported turnover",
                occurrences=row.times,
                evidence=row.runs,
                levers=(Lever("no_trade_band", "raise"), Lever("smoothing_bars", "raise")),
                claim=Claim(metric="turnover", direction="lower", least=1.0),
            )
            for row in rows
        ]


MINER = TurnoverDecay()
