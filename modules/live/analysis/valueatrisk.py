"""What the present holdings can lose, by three methods, and which of them does it; and whether past forecasts held.

The holdings' returns are those that today's weights would have had over the history given: an account that traded had
others. The estimators are those of a run's report (`modules/tail.py`). A bar in which a held instrument has no return
is left out, and an instrument with too few of them is named as not measured: it is in no figure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, Literal

import numpy as np

from modules.panel import FloatArray
from modules.tail import LEAST, LEVELS, Tail, historical, kupiec, monte_carlo, normal

_NORMAL: Final = NormalDist()
MOST_MISSING: Final = 0.05
"""Share of bars without a return from which on an instrument counts as not measured."""


class ValueAtRiskError(ValueError):
    """History that does not fit the holdings; names what and the remedy."""


@dataclass(frozen=True)
class Part:
    """One instrument's part in the loss, as shares of NAV. Parts of a figure add up to it.

    `normal`: by covariance with the whole (R. Litterman, 1996); `beyond`: its mean loss in the bars of the historical
    expected shortfall (D. Tasche, 1999). Both at the last of `LEVELS`. Below 0: it hedges.
    """

    symbol: str
    weight: float
    normal: float
    beyond: float


@dataclass(frozen=True)
class ValueAtRisk:
    """Losses as shares of NAV by level of `LEVELS`, above 0 for a loss. `seed` is that of the Monte Carlo draws.

    `tails` is empty where nothing is held or the history is too short (`note` says which).
    """

    horizon_bars: int
    bars: int
    left_out: int
    tails: tuple[Tail, ...]
    parts: tuple[Part, ...]
    not_measured: tuple[tuple[str, float], ...]
    seed: int
    note: str = ""

    def tail(self, method: Literal["historical", "normal", "Monte Carlo"]) -> Tail | None:
        """One method's losses."""
        return next((t for t in self.tails if t.method == method), None)


def value_at_risk(
    weights: Mapping[str, float],
    symbols: Sequence[str],
    returns: FloatArray,
    *,
    seed: int,
    horizon_bars: int = 1,
    block_bars: int | None = None,
) -> ValueAtRisk:
    """Losses of `weights` (signed, of NAV) over `returns` `[T, N]` of `symbols`, NaN = none.

    Raises ValueAtRiskError for returns of another shape, infinite ones or a horizon below 1.
    """
    place = {s: i for i, s in enumerate(symbols)}
    if returns.shape != (returns.shape[0], len(place)) or len(place) != len(symbols):
        raise ValueAtRiskError(f"returns are {returns.shape} for {len(symbols)} symbols; give [T, N], each symbol once")
    if horizon_bars < 1:
        raise ValueAtRiskError(f"horizon_bars = {horizon_bars}; give at least 1")
    if np.isinf(returns).any():
        raise ValueAtRiskError("returns hold infinities; a price of 0 is missing (NaN)")
    held = sorted(s for s, w in weights.items() if w != 0.0)
    measured = [s for s in held if s in place and _known(returns[:, place[s]])]
    missing = tuple((s, weights[s]) for s in held if s not in set(measured))
    rows = returns[:, [place[s] for s in measured]]
    whole = ~np.isnan(rows).any(axis=1)
    rows, out = np.ascontiguousarray(rows[whole]), int((~whole).sum())
    own = np.array([weights[s] for s in measured])
    series: FloatArray = rows @ own if measured else np.empty(0)

    def said(note: str, tails: tuple[Tail, ...] = (), parts: tuple[Part, ...] = ()) -> ValueAtRisk:
        return ValueAtRisk(horizon_bars, int(whole.sum()), out, tails, parts, missing, seed, note)

    if not measured:
        return said("nothing that is measured is held")
    if series.size < LEAST or series.size < 2 * horizon_bars:
        return said(f"{series.size} bars are too few; {max(LEAST, 2 * horizon_bars)} are needed")
    if np.ptp(series) == 0.0:
        return said("nothing that is held moved")
    block = block_bars or max(1, min(math.ceil(series.size ** (1 / 3)), series.size // 8))
    tails = (
        historical(series, horizon_bars),
        normal(series, horizon_bars),
        monte_carlo(series, horizon_bars, block, seed),
    )
    return said("", tails, _parts(measured, own, rows, series, horizon_bars))


def _known(column: FloatArray) -> bool:
    return bool(column.size) and float(np.isnan(column).mean()) <= MOST_MISSING


def _parts(
    symbols: Sequence[str], own: FloatArray, rows: FloatArray, series: FloatArray, horizon: int
) -> tuple[Part, ...]:
    """Euler's parts of the normal VaR over the horizon, and of the historical shortfall over one bar, largest first."""
    level = LEVELS[-1]
    centred, whole = rows - rows.mean(axis=0), series - series.mean()
    covariance = centred.T @ whole / (series.size - 1)
    deviation = math.sqrt(float(whole @ whole) / (series.size - 1))
    z = _NORMAL.inv_cdf(1.0 - level)
    by_normal = -(own * rows.mean(axis=0) * horizon + z * math.sqrt(horizon) * own * covariance / deviation)
    count = max(1, math.ceil((1.0 - level) * series.size - 1e-9))
    worst = np.argsort(series, kind="stable")[:count]
    beyond = -(own * rows[worst].mean(axis=0))
    parts = [Part(s, float(w), float(n), float(b)) for s, w, n, b in zip(symbols, own, by_normal, beyond, strict=True)]
    return tuple(sorted(parts, key=lambda p: (-p.normal, p.symbol)))


# --- whether past forecasts held ---------------------------------------------------------------------


@dataclass(frozen=True)
class Day:
    """A day's forecast loss and what came, as shares of NAV (`came` below 0 for a loss)."""

    forecast: float
    came: float


@dataclass(frozen=True)
class Judged:
    """How often the loss was beyond its forecast. `p_value`: P. Kupiec (1995).

    `zone`: Basel Committee (1996): the chance that a true forecast is exceeded so often at most is below 95 % (green),
    below 99.99 % (yellow), or not (red).
    """

    days: int
    exceeded: int
    expected: float
    p_value: float
    zone: Literal["green", "yellow", "red"]


def judge(days: Sequence[Day], level: float = LEVELS[-1]) -> Judged:
    """Past forecasts of VaR at `level` held against what came. Raises ValueAtRiskError for no days."""
    if not days:
        raise ValueAtRiskError("no day was given; a forecast is judged by at least one")
    exceeded = sum(-d.came > d.forecast for d in days)
    p, n = 1.0 - level, len(days)
    at_most, term = 0.0, (1.0 - p) ** n
    for k in range(exceeded + 1):
        at_most += term
        term *= (n - k) / (k + 1) * p / (1.0 - p)
    fewer = at_most
    zone: Literal["green", "yellow", "red"] = "green" if fewer < 0.95 else "yellow" if fewer < 0.9999 else "red"
    return Judged(n, exceeded, p * n, kupiec(exceeded, n, p), zone)
