"""Capacity: fills that take so much of a bar's volume that they would move the price they are booked at."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Finding, Lever
from supervisor.mined import Mined
from supervisor.miners._figures import beyond
from supervisor.miners._parts import PROFILES

_VALUES = "SELECT name, run_id, figures['participation_p95'] AS value FROM profiles"


@dataclass(frozen=True)
class Participation:
    """Runs of which one fill in twenty took more than `share` of the volume of its bar."""

    share: float = 0.01
    name: str = "participation"
    turn: int = 1
    reads: frozenset[str] = PROFILES

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a sizing module; `size` is the median of the 95th percentile of participation."""
        return [
            Finding(
                miner=self.name,
                module=row.module,
                pattern=f"one fill in twenty takes more than {self.share:.0%} of the volume",
                statement=(
                    f"Smaller or slower orders of {row.module} fit the market: in {row.often} one fill in twenty took "
                    f"more than {row.median:.1%} of its bar's volume (median)."
                ),
                size=row.median,
                unit="share of the volume",
                occurrences=row.times,
                evidence=row.runs,
                levers=(
                    Lever("smoothing_bars", "raise"),
                    Lever("no_trade_band", "raise"),
                    Lever("weight_cap", "lower"),
                ),
            )
            for row in beyond(traces, _VALUES, self.share)
        ]


MINER = Participation()
