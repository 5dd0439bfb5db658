"""A signal that is worth little a bar later, in a book that waits: smoothing and bands hold what was known too long."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Finding, Lever
from supervisor.mined import Mined
from supervisor.miners._figures import STAGES_OF_RUNS, beyond

# Only where the IC is there at all (its t statistic above 2), and where the sizing waits.
_VALUES = """
SELECT z.name, z.run_id, 1 - b.metrics['ic_delay_1'] / b.metrics['ic_mean'] AS value
FROM in_force z JOIN stages b USING (run_id)
WHERE z.stage = 'size' AND b.stage = 'backtest' AND b.metrics['ic_mean'] > 0 AND b.metrics['ic_t_stat'] > 2
      AND (coalesce(try_cast(z.settings->>'$.smoothing_bars' AS DOUBLE), 1) > 1
           OR coalesce(try_cast(z.settings->>'$.no_trade_band' AS DOUBLE), 0) > 0)
"""


@dataclass(frozen=True)
class LateSignal:
    """Runs in which one bar of delay takes more than `lost` of the signal's IC, though the sizing delays."""

    lost: float = 0.5
    name: str = "late_signal"
    turn: int = 1
    reads: frozenset[str] = STAGES_OF_RUNS

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a sizing module; `size` is the median share of the IC that one bar takes."""
        return [
            Finding(
                miner=self.name,
                module=row.module,
                pattern=f"one bar of delay takes more than {self.lost:.0%} of the IC, and the sizing waits",
                statement=(
                    f"Waiting less in {row.module} raises the net result: in {row.often} a bar's delay takes "
                    f"{row.median:.0%} of the signal's rank IC (median)."
                ),
                size=row.median,
                unit="share of the IC",
                occurrences=row.times,
                evidence=row.runs,
                levers=(Lever("smoothing_bars", "lower"), Lever("no_trade_band", "lower")),
            )
            for row in beyond(traces, _VALUES, self.lost)
        ]


MINER = LateSignal()
