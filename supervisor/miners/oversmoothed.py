"""Averaging that saves little: a signal is smoothed, though costs are a small part of what is at stake.

Smoothing is paid for in freshness and earns back trading costs. Where costs take little of the gross result, or there
is no gross profit to save, the freshness may be worth more.
"""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Claim, Finding, Lever
from supervisor.mined import Mined
from supervisor.miners._figures import STAGES_OF_RUNS, beyond

_VALUES = """
SELECT z.name, z.run_id, CASE WHEN x.metrics['gross_pnl_usd'] <= 0 THEN 1
                              ELSE 1 - x.metrics['total_cost_usd'] / x.metrics['gross_pnl_usd'] END AS value
FROM in_force z JOIN stages x USING (run_id)
WHERE z.stage IN ('feature', 'size') AND x.stage = 'execute' AND x.metrics['fills'] > 0
      AND coalesce(try_cast(z.settings->>'$.smoothing_bars' AS DOUBLE), 1) >= {bars}
"""


@dataclass(frozen=True)
class Oversmoothed:
    """Runs that average over at least `bars` bars while costs leave more than `left` of the gross profit, or there is
    none; at least `share` of all."""

    bars: int = 10
    left: float = 0.75
    share: float = 0.5
    name: str = "oversmoothed"
    turn: int = 1
    reads: frozenset[str] = STAGES_OF_RUNS

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a feature or sizing module; `size` is the median share of the gross profit that costs leave."""
        return [
            Finding(
                miner=self.name,
                module=row.module,
                pattern=f"averages over {self.bars} bars or more, and has few costs to save",
                statement=(
                    f"A shorter average in {row.module} raises the net result: in {row.often} costs left "
                    f"{row.median:.0%} of the gross profit (median; 100% where there was none)."
                ),
                size=row.median,
                unit="share of the gross profit",
                occurrences=row.times,
                evidence=row.runs,
                levers=(Lever("smoothing_bars", "lower"),),
                claim=Claim(metric="turnover", direction="raise", least=1.0),
            )
            for row in beyond(traces, _VALUES.format(bars=self.bars), self.left, least_share=self.share)
        ]


MINER = Oversmoothed()
