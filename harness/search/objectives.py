"""What a search makes greater: figures of a trial's net returns, or any metric of its run."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from harness.validation.sharpe import deflated_sharpe, moments
from modules.engine.metrics import annual_return, max_drawdown, mean, sharpe, total
from modules.panel import FloatArray

OWN = ("sharpe", "sortino", "calmar", "deflated_sharpe")


def objective(name: str, returns: FloatArray, metrics: Mapping[str, float], per_year: float, trials: int) -> float:
    """The figure `name`; NaN where there is none. A metric's name with a minus before it is made smaller instead.

    `trials`: how many were made on these data, this one included, for the deflated Sharpe ratio, whose spread is what
    luck alone gives over as many bars.
    """
    if name == "sharpe":
        return sharpe(returns, per_year)
    if name == "sortino":
        return sortino(returns, per_year)
    if name == "calmar":
        worst = max_drawdown(np.multiply.accumulate(1.0 + np.concatenate([[0.0], returns])))
        return annual_return(returns, per_year) / worst if worst > 0.0 else math.nan
    if name == "deflated_sharpe":
        found = moments(returns)
        return math.nan if found is None else deflated_sharpe(found, trials, 1.0 / math.sqrt(max(1, found.bars - 1)))
    sign, plain = (-1.0, name[1:]) if name.startswith("-") else (1.0, name)
    return sign * metrics.get(plain, math.nan)


def sortino(returns: FloatArray, per_year: float) -> float:
    """Mean over the downside deviation from zero, annual (Sortino and van der Meer 1991): the root of the mean square
    of losses, gains counted as zero. NaN without a loss."""
    if not returns.size:
        return math.nan
    below = np.minimum(returns, 0.0)
    risk = math.sqrt(total(below * below) / returns.size)
    return mean(returns) / risk * math.sqrt(per_year) if risk > 0.0 else math.nan
