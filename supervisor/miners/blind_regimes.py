"""Markets in which the result collapses: calm, usual or volatile, by what was known before each bar."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.finding import Finding, Lever
from supervisor.mined import Mined
from supervisor.miners._parts import PROFILES, Part, blind_spots, collapsing

_VALUES = """
SELECT name, run_id, regime.key AS part, regime.value - greatest(
           coalesce(regimes['calm'], '-inf'::DOUBLE), coalesce(regimes['usual'], '-inf'::DOUBLE),
           coalesce(regimes['volatile'], '-inf'::DOUBLE)) AS value
FROM (SELECT name, run_id, regimes, unnest(map_entries(regimes)) AS regime FROM profiles)
WHERE regime.value < 0
"""


@dataclass(frozen=True)
class BlindRegimes:
    """Regimes in which runs lose money, their Sharpe ratio more than `fall` below that of the run's best regime, in at
    least `least` runs and `share` of those that lose there."""

    fall: float = 1.0
    least: int = 3
    share: float = 0.5
    name: str = "blind_regimes"
    turn: int = 2
    reads: frozenset[str] = PROFILES

    def mine(self, traces: Mined) -> list[Finding]:
        """One finding a sizing module and regime; `size` is the median fall in annualised net Sharpe ratio."""
        parts = collapsing(traces, _VALUES, -self.fall, self.least, self.share)
        return blind_spots(
            self.name,
            parts,
            self._words,
            "net Sharpe ratio",
            (Lever("vol_bars", "lower"), Lever("target_vol", "lower")),
        )

    def _words(self, part: Part) -> tuple[str, str]:
        return f"the result collapses in {part.part} markets", (
            f"Holding less in {part.part} markets raises the net result of {part.module}: in {part.times} of "
            f"{part.seen} runs that lose there the Sharpe ratio lay more than {self.fall:g} below the run's "
            f"best regime (median {-part.median:.1f})."
        )


MINER = BlindRegimes()
