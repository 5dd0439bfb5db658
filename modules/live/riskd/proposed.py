"""What an account's file may say of instruments, proposed from the bars of a run: for a human to read and correct."""

from __future__ import annotations

import numpy as np
import polars as pl

from modules.engine.actions import as_traded
from modules.engine.estimates import ESTIMATE_BARS, MINIMUM_BARS, trailing_mean, trailing_sigma
from modules.engine.instruments import align_instruments
from modules.engine.metrics import known_bars_per_day
from modules.live.riskd.config import InstrumentRow
from modules.panel import FloatArray, Panel

BETA_BARS = 252
_MOST_LOTS = 2**53 - 1


def propose_instruments(
    bars: Panel, instruments: pl.DataFrame, *, adv_lots: int = 0, located_lots: int = 0
) -> tuple[InstrumentRow, ...]:
    """One row a symbol, as known at the last bar.

    `sigma_day` and `adv_lots` are the engine's own estimates over the last `ESTIMATE_BARS` bars, turned into days;
    `beta` is the slope of returns on the mean of all symbols' over the last `BETA_BARS`. adv_lots: where the bars tell
    no volume. located_lots: what may be sold short of each, which no bars tell.
    Raises EngineError for a symbol without an instrument.
    """
    axes = align_instruments(instruments, bars.symbols, bars.ts)
    close = as_traded(bars)["close"]
    a_day = float(known_bars_per_day(bars.ts)[-1])
    sigma = trailing_sigma(close, ESTIMATE_BARS, MINIMUM_BARS)[-1] * np.sqrt(a_day)
    volume = bars["volume"] if "volume" in bars else np.full(bars.shape, np.nan)
    traded = trailing_mean(volume, ESTIMATE_BARS, MINIMUM_BARS)[-1] * a_day / axes.lot_size
    betas = _betas(close[-BETA_BARS - 1 :])
    last = instruments.sort("symbol", "valid_from").group_by("symbol", maintain_order=True).last()
    ticks = dict(zip(last["symbol"].to_list(), last["tick"].to_list(), strict=True)) if "tick" in last.columns else {}
    sectors = axes.sectors[axes.segment[-1]]
    return tuple(
        InstrumentRow(
            symbol=symbol,
            sector=axes.names[int(sectors[i])],
            lot_size=float(axes.lot_size[i]),
            tick=float(ticks.get(symbol) or 0.01),
            sigma_day=round(float(sigma[i]), 6),
            beta=round(float(betas[i]), 3),
            adv_lots=min(int(traded[i]), _MOST_LOTS) if np.isfinite(traded[i]) else adv_lots,
            located_lots=located_lots,
        )
        for i, symbol in enumerate(bars.symbols)
    )


def _betas(close: FloatArray) -> FloatArray:
    """Least-squares slope on the mean of all; 1 where too little is known."""
    returns = close[1:] / close[:-1] - 1.0
    with np.errstate(invalid="ignore"):
        market = np.nanmean(returns, axis=1) if returns.size else np.zeros(0)
    found = np.ones(close.shape[1])
    for i in range(close.shape[1]):
        both = np.isfinite(returns[:, i]) & np.isfinite(market)
        if np.count_nonzero(both) >= ESTIMATE_BARS:
            of_market = market[both] - market[both].mean()
            spread = float(of_market @ of_market)
            if spread > 0.0:
                found[i] = float(of_market @ returns[both, i]) / spread
    return found
