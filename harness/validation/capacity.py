"""One figure for how much capital a run can carry, read off the capacity curve of its validation.

Between two capitals that were run, the net Sharpe ratio is taken as a straight line in the logarithm of the capital.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from harness.validation.report import Capacity

NO_EDGE: Final = "there is no edge to dilute"


@dataclass(frozen=True)
class CapacityFigure:
    """In the currency of the account. `half`: where half of the net Sharpe ratio at the run's own capital is left;
    `none`: where none is; None where the largest capital run, `reach`, has more. `most_profit`: of the capitals run,
    the one that earns most money a year, and what it earns."""

    own: float
    own_sharpe: float
    half: float | None
    none: float | None
    reach: float
    most_profit: float
    profit_a_year: float

    @property
    def words(self) -> str:
        """The figure in one sentence."""
        if self.half is None:
            return f"more than half of the Sharpe ratio is left at the largest capital run, {_rounded(self.reach)} USD"
        gone = "" if self.none is None else f", all of it by {_rounded(self.none)} USD"
        return f"half of the Sharpe ratio is gone by {_rounded(self.half)} USD{gone}"


def _rounded(amount: float) -> str:
    """Two digits: a line drawn between two accounts knows no more."""
    return f"{float(f'{amount:.2g}'):,.0f}"


def capacity_figure(curve: Sequence[Capacity], own: float) -> CapacityFigure | None:
    """None where there is no edge at the run's own capital, or no account of more was run."""
    known = sorted((c for c in curve if c.net_sharpe is not None), key=lambda c: c.capital_usd)
    at_own = next((c.net_sharpe for c in known if math.isclose(c.capital_usd, own, rel_tol=1e-9)), None)
    beyond = [(c.capital_usd, c.net_sharpe or 0.0) for c in known if c.capital_usd >= own * (1 - 1e-9)]
    if at_own is None or at_own <= 0.0 or len(beyond) < 2:
        return None
    earned = [(c.capital_usd * (c.annual_return or 0.0), c.capital_usd) for c in known]
    most, at = max(earned, key=lambda pair: (pair[0], -pair[1]))
    return CapacityFigure(
        own=own,
        own_sharpe=at_own,
        half=_falls_to(beyond, 0.5 * at_own),
        none=_falls_to(beyond, 0.0),
        reach=beyond[-1][0],
        most_profit=at,
        profit_a_year=most,
    )


def _falls_to(points: Sequence[tuple[float, float]], level: float) -> float | None:
    """Capital at which the curve first falls to `level`."""
    for (below, high), (above, low) in itertools.pairwise(points):
        if low <= level < high:
            share = (high - level) / (high - low)
            return float(below * (above / below) ** share)
    return None
