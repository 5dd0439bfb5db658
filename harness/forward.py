"""What a signal is judged on: returns that an order could have earned. One convention for screens and sheets, the
backtest's own: decided at the close of bar t, filled at bar t+1."""

from __future__ import annotations

import numpy as np

from modules.engine.settings import FillWithoutOpen
from modules.panel import FloatArray, Panel

FILL_DELAY_BARS = 1


def fills(panel: Panel, without_open: FillWithoutOpen) -> FloatArray:
    """`[T, N]`: the price at which an order decided at bar t fills, one bar later; NaN where it does not."""
    from modules.engine.market import fill_prices

    price = fill_prices(panel, without_open)
    out = np.full(price.shape, np.nan)
    out[:-FILL_DELAY_BARS] = price[FILL_DELAY_BARS:]
    return out


def forward_returns(panel: Panel, without_open: FillWithoutOpen, horizon_bars: int = 1) -> FloatArray:
    """`[T, N]`: what a position asked for at bar t earns in its first `horizon_bars` bars, from fill to fill, simple.

    NaN at the end and where one of the two fills is missing. With a horizon of 1 it is the return that the backtest
    judges a signal by (`modules.engine.evidence`), standing at the row of the signal.
    """
    price = fills(panel, without_open)
    out = np.full(price.shape, np.nan)
    if horizon_bars < price.shape[0]:
        out[:-horizon_bars] = price[horizon_bars:] / price[:-horizon_bars] - 1.0
    return out
