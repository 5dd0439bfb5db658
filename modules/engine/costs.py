"""What trading costs: spread, commission, square-root impact and borrow, and the estimates they need.

Impact follows the square-root law, cost per unit of notional = k * sigma * sqrt(q / adv) (Almgren, Thum,
Hauptmann and Li, "Direct estimation of equity market impact", 2005; Toth et al., "Anomalous price impact",
2011), k in [0.3, 1.0]. It is charged only where volume is known; it is never guessed.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from modules.jit import inlined, kernel
from modules.panel import FloatArray

BPS: Final = 1e-4
ESTIMATE_BARS: Final = 20
MINIMUM_BARS: Final = 5
NO_VOLUME_NOTE: Final = "impact is not modelled: no volume"


@inlined
def impact_rate(k: float, sigma: float, shares: float, adv: float) -> float:
    """Fraction of the notional: k * sigma * sqrt(shares / adv); 0 where sigma or adv is unknown or 0."""
    if not (sigma > 0.0 and adv > 0.0):
        return 0.0
    return float(k * sigma * np.sqrt(shares / adv))


@kernel
def trailing_sigma(close: FloatArray, bars: int, minimum: int) -> FloatArray:
    """Root mean square of the last `bars` simple returns up to and including row t, `[T, N]`, per bar.

    Zero mean, as usual at short horizons (J.P. Morgan, RiskMetrics Technical Document, 1996). Each row is summed
    afresh, oldest first, so it does not depend on where history began. NaN below `minimum` known returns.
    """
    rows, symbols = close.shape
    square = np.full((rows, symbols), np.nan)
    for t in range(1, rows):
        for i in range(symbols):
            r = close[t, i] / close[t - 1, i] - 1.0
            square[t, i] = r * r
    out = np.full((rows, symbols), np.nan)
    total = np.empty(symbols)
    count = np.empty(symbols)
    for t in range(rows):
        total[:] = 0.0
        count[:] = 0.0
        for s in range(max(0, t - bars + 1), t + 1):
            for i in range(symbols):
                x = square[s, i]
                known = x == x
                total[i] += x if known else 0.0
                count[i] += 1.0 if known else 0.0
        for i in range(symbols):
            if count[i] >= minimum:
                out[t, i] = np.sqrt(total[i] / count[i])
    return out


@kernel
def trailing_mean(values: FloatArray, bars: int, minimum: int) -> FloatArray:
    """Mean of the known values of the last `bars` rows up to and including t, `[T, N]`; NaN below `minimum`."""
    rows, symbols = values.shape
    out = np.full((rows, symbols), np.nan)
    total = np.empty(symbols)
    count = np.empty(symbols)
    for t in range(rows):
        total[:] = 0.0
        count[:] = 0.0
        for s in range(max(0, t - bars + 1), t + 1):
            for i in range(symbols):
                x = values[s, i]
                known = x == x
                total[i] += x if known else 0.0
                count[i] += 1.0 if known else 0.0
        for i in range(symbols):
            if count[i] >= minimum:
                out[t, i] = total[i] / count[i]
    return out
