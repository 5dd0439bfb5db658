"""What every figure of a sheet is made of: signal, forward returns, quantiles and sectors on one pair of axes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from harness.forward import forward_returns
from harness.sheet.errors import SheetError
from modules.engine.metrics import bars_per_year
from modules.engine.settings import TradingSettings
from modules.groups import dated_labels
from modules.panel import FloatArray, IntArray, Panel

HORIZONS: Final = (1, 2, 3, 5, 10, 21, 42, 63)
DETAIL: Final = (1, 5, 21)
"""Horizons, in bars: those of the decay, and those that the tables and the bars of the quantiles show."""

MINIMUM_SYMBOLS: Final = 3
MINIMUM_ROWS: Final = 30
SYMBOLS_A_QUANTILE: Final = 2
HORIZON_SHARE: Final = 10
"""A horizon must fit this often, end to end, into the rows that have a value."""


@dataclass(frozen=True, eq=False)
class Material:
    """Rows from the first that can have a value on. `bucket` is 0 for the lowest signals, NaN outside every quantile.

    Buckets hold the symbols with a signal and a return over the next bar, so that the one-bar figures are those of the
    backtest; every horizon and the turnover are told of the same buckets.
    """

    ts: IntArray  # [T]
    symbols: tuple[str, ...]  # N
    signal: FloatArray  # [T, N]
    close: FloatArray  # [T, N]
    dollar_volume: FloatArray | None  # [T, N] mean money traded a bar, NaN where unknown
    sigma: FloatArray  # [T, N] volatility a bar
    forward: Mapping[int, FloatArray]  # horizon in bars -> [T, N]
    bucket: FloatArray  # [T, N]
    sector: IntArray  # [T, N] place in `sector_names`, -1 where not known
    sector_names: tuple[str, ...]
    currency: str  # of the prices; several joined by a slash
    per_year: float
    quantiles: int
    quantiles_asked: int

    @property
    def horizons(self) -> tuple[int, ...]:
        """The horizons that the rows allow."""
        return tuple(self.forward)

    @property
    def detail(self) -> tuple[int, ...]:
        """Those of them that tables show."""
        return tuple(h for h in DETAIL if h in self.forward)


def prepare(
    values: FloatArray,
    bars: Panel,
    instruments: pl.DataFrame,
    settings: TradingSettings,
    *,
    first: int,
    quantiles: int,
) -> Material:
    """Put what a signal is judged on beside it, from row `first` of its `values` `[T, N]` on.

    Raises SheetError where nothing can be compared.
    """
    signal = values[first:]
    ahead = forward_returns(bars, settings.fill_without_open)[first:]
    rows = _comparable_rows(signal, ahead)
    usable = tuple(h for h in HORIZONS if h * HORIZON_SHARE <= rows)
    labels = dated_labels(instruments, bars.symbols, bars.ts[first:], "sector")
    count = _quantiles(signal, ahead, quantiles)
    sigma, dollar_volume = _liquidity(bars)
    return Material(
        ts=bars.ts[first:],
        symbols=bars.symbols,
        signal=signal,
        close=bars["close"][first:],
        dollar_volume=None if dollar_volume is None else dollar_volume[first:],
        sigma=sigma[first:],
        forward={h: forward_returns(bars, settings.fill_without_open, h)[first:] for h in usable},
        bucket=_buckets(np.where(np.isnan(ahead), np.nan, signal), count),
        sector=labels.codes[labels.segment],
        sector_names=labels.names,
        currency="/".join(sorted(set(instruments["currency"].to_list()))),
        per_year=bars_per_year(bars.ts),
        quantiles=count,
        quantiles_asked=quantiles,
    )


def refuse_few_symbols(bars: Panel) -> None:
    """Raises SheetError where there is no cross-section; said before anything is computed."""
    if len(bars.symbols) < MINIMUM_SYMBOLS:
        raise SheetError(
            f"a sheet compares symbols with each other and needs {MINIMUM_SYMBOLS}; the data have "
            f"{len(bars.symbols)} ({', '.join(bars.symbols)})",
            "add symbols, or judge a signal of one symbol with `cws run --signal`",
        )


def _comparable_rows(signal: FloatArray, ahead: FloatArray) -> int:
    """Rows on which symbols can be told apart. Raises SheetError with what is wrong where there are too few."""
    known = ~np.isnan(signal)
    if not known.any():
        raise SheetError(
            "the signal has no value on any bar (all are missing)",
            "look at the fields it reads with `cws signal explain`, and at its values with `cws signal eval`",
        )
    low = np.where(known, signal, np.inf).min(axis=1)
    high = np.where(known, signal, -np.inf).max(axis=1)
    if not (high > low).any():
        raise SheetError(
            "the signal is the same for all symbols on every bar, so it cannot rank them",
            "use a signal that differs between symbols",
        )
    both = np.count_nonzero(known & ~np.isnan(ahead), axis=1)
    rows = int(np.count_nonzero((both >= MINIMUM_SYMBOLS) & (high > low)))
    if rows < MINIMUM_ROWS:
        raise SheetError(
            f"{rows} bars have {MINIMUM_SYMBOLS} symbols with different values and a next return; "
            f"a sheet needs {MINIMUM_ROWS}",
            "take a longer period, more symbols or a shorter window",
        )
    return rows


def _quantiles(signal: FloatArray, ahead: FloatArray, asked: int) -> int:
    """As many as asked, fewer where a quantile would hold less than two symbols of the usual bar; at least 2."""
    present = np.count_nonzero(~np.isnan(signal) & ~np.isnan(ahead), axis=1)
    usual = int(np.median(present[present >= MINIMUM_SYMBOLS]))
    return max(2, min(asked, usual // SYMBOLS_A_QUANTILE))


def _buckets(signal: FloatArray, quantiles: int) -> FloatArray:
    """`[T, N]`: floor((rank - 1/2) / n * quantiles), ties together, on rows with at least that many symbols."""
    from modules.signal.kernels.cross import quantile_bucket

    enough = np.count_nonzero(~np.isnan(signal), axis=1) >= max(quantiles, MINIMUM_SYMBOLS)
    kept = np.ascontiguousarray(np.where(enough[:, np.newaxis], signal, np.nan))
    kept.setflags(write=False)
    out = np.empty(signal.shape)
    quantile_bucket(kept, quantiles, out)
    return out


def _liquidity(bars: Panel) -> tuple[FloatArray, FloatArray | None]:
    """Volatility and mean money traded a bar, as the engine charges impact by; None where there is no volume."""
    from modules.engine.estimates import ESTIMATE_BARS, MINIMUM_BARS, trailing_mean, trailing_sigma

    sigma = trailing_sigma(bars["close"], ESTIMATE_BARS, MINIMUM_BARS)
    if "volume" not in bars or not bool((bars["volume"] > 0.0).any()):
        return sigma, None
    shares = trailing_mean(bars["volume"], ESTIMATE_BARS, MINIMUM_BARS)
    money = shares * bars["close"]
    return sigma, np.where(money > 0.0, money, np.nan)
