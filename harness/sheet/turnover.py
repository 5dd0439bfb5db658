"""How fast the signal changes its mind, and where it has one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.sheet.information import rank_ics
from harness.sheet.material import Material
from modules.panel import FloatArray


@dataclass(frozen=True)
class QuantileTurnover:
    """Mean share of a quantile's symbols that were not in it `lag_bars` before."""

    quantile: int
    lag_bars: int
    share: float | None


@dataclass(frozen=True)
class Autocorrelation:
    """Mean rank correlation of the signal with itself `lag_bars` before."""

    lag_bars: int
    mean: float | None


@dataclass(frozen=True, eq=False)
class Turnover:
    """`newcomers` is `[T, Q]`, one bar back; `autocorrelation` is `[T]`, one bar back. `present` is the number of
    symbols with a price and `covered` of those with a value too, `[T]`."""

    by_quantile: tuple[QuantileTurnover, ...]
    by_lag: tuple[Autocorrelation, ...]
    newcomers: FloatArray
    autocorrelation: FloatArray
    present: FloatArray
    covered: FloatArray

    @property
    def coverage(self) -> float | None:
        """Share of the priced cells that have a value."""
        cells = float(self.present.sum())
        return float(self.covered.sum()) / cells if cells else None


def turnover(m: Material) -> Turnover:
    """Turnover by quantile, rank autocorrelation and coverage."""
    newcomers = {lag: entered(m.bucket, m.quantiles, lag) for lag in m.detail}
    alike = {lag: lagged_rank_correlation(m.signal, lag) for lag in m.detail}
    priced = ~np.isnan(m.close)
    return Turnover(
        by_quantile=tuple(
            QuantileTurnover(q + 1, lag, _mean(shares[:, q]))
            for lag, shares in newcomers.items()
            for q in range(m.quantiles)
        ),
        by_lag=tuple(Autocorrelation(lag, _mean(values)) for lag, values in alike.items()),
        newcomers=newcomers[1],
        autocorrelation=alike[1],
        present=np.count_nonzero(priced, axis=1).astype(np.float64),
        covered=np.count_nonzero(priced & ~np.isnan(m.signal), axis=1).astype(np.float64),
    )


def entered(bucket: FloatArray, quantiles: int, lag_bars: int) -> FloatArray:
    """`[T, Q]`: share of each quantile's symbols that were elsewhere, or nowhere, `lag_bars` before; NaN where the
    quantile is empty now or the row before holds none at all."""
    out = np.full((bucket.shape[0], quantiles), np.nan)
    now, before = bucket[lag_bars:], bucket[:-lag_bars]
    told = ~np.isnan(before).all(axis=1)
    for q in range(quantiles):
        inside = now == q
        count = np.count_nonzero(inside, axis=1)
        new = np.count_nonzero(inside & (before != q), axis=1)
        known = told & (count > 0)
        out[lag_bars:, q] = np.divide(new, count, out=np.full(count.size, np.nan), where=known)
    return out


def lagged_rank_correlation(signal: FloatArray, lag_bars: int) -> FloatArray:
    """`[T]`: rank correlation of each row with the row `lag_bars` before."""
    out = np.full(signal.shape[0], np.nan)
    out[lag_bars:] = rank_ics(signal[:-lag_bars], signal[lag_bars:])
    return out


def _mean(values: FloatArray) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else None
