"""The market that an account trades in, as the loop reads it: prices, estimates, sectors, actions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl

from modules.engine.accounting import EngineError, Market
from modules.engine.actions import as_traded, find_events, previous_close, shares_per_adjusted
from modules.engine.costs import still_bars
from modules.engine.estimates import (
    ESTIMATE_BARS,
    MINIMUM_BARS,
    NARROW,
    Estimates,
    made_ahead,
    made_as_needed,
    trailing_mean,
    trailing_sigma,
)
from modules.engine.instruments import align_instruments
from modules.engine.metrics import known_bars_per_day
from modules.engine.settings import FillWithoutOpen, Liquidity
from modules.jit import kernel
from modules.memory import empty
from modules.panel import FloatArray, Panel, read_only


@kernel
def _next_prices(
    price: FloatArray, close: FloatArray, opening: FloatArray, volume: FloatArray, out: FloatArray
) -> None:
    """Flat cells: the open where it and the close are known, else `price`; NaN at zero volume. No cells = no field."""
    for c in range(out.size):
        chosen = price[c]
        if opening.size and not (np.isnan(opening[c]) or np.isnan(close[c])):
            chosen = opening[c]
        out[c] = np.nan if volume.size and volume[c] == 0.0 else chosen


def fill_prices(
    bars: Panel, without_open: FillWithoutOpen = "next_close", before: FloatArray | None = None
) -> FloatArray:
    """`[T, N]` price at which an order decided a bar earlier fills: the bar's open, where there is one.

    Without an open: the bar's own close (`next_close`), or the close at which the order was decided
    (`previous_close`, the research convention weight[t] * return[t + 1], which takes the open to be the previous
    close). NaN, so no fill, where the bar's close is missing or its volume is known to be zero. `before`, `[T, N]`: the
    close before each bar as it stands after the bar's corporate actions, where that is not simply the row before.
    """
    close = bars["close"]
    price = close
    if without_open == "previous_close":
        price = np.full(close.shape, np.nan)
        price[1:] = np.where(np.isnan(close[1:]), np.nan, close[:-1] if before is None else before[1:])
    opening, volume = (bars.fields.get(field, np.empty((0, 0))) for field in ("open", "volume"))
    price, close, opening, volume = (read_only(x).reshape(-1) for x in (price, close, opening, volume))
    out = empty(bars.shape)
    _next_prices(price, close, opening, volume, out.reshape(-1))
    return out


def opens_everywhere(bars: Panel) -> bool:
    """Whether each bar that has a close has an open."""
    return "open" in bars and not bool((np.isnan(bars["open"]) & ~np.isnan(bars["close"])).any())


def build_market(
    bars: Panel, instruments: pl.DataFrame, without_open: FillWithoutOpen, liquidity: Liquidity | None = None
) -> Market:
    """The arrays that the loop reads: prices as traded where the bars have them, volatility of total returns.

    Raises EngineError for instruments that do not cover the symbols, and for a participation cap without volume.
    """
    liquidity = liquidity or Liquidity()
    with ThreadPoolExecutor(1) as pool:  # what it does and what goes on here know nothing of each other
        per_day = pool.submit(known_bars_per_day, bars.ts)
        axes = align_instruments(instruments, bars.symbols, bars.ts)
        traded = as_traded(bars)
        fill = fill_prices(traded, without_open, previous_close(bars, traded) if traded is not bars else None)
        if liquidity.stale_bars:
            fill = np.where(still_bars(traded["close"]) > liquidity.stale_bars, np.nan, fill)
        estimates = _estimates(bars, traded, pool, all_of_them=liquidity.participation_of != "bar")
    return Market(
        ts=bars.ts,
        fill=read_only(fill),
        close=read_only(traded["close"]),
        estimates=estimates,
        day_scale=np.sqrt(per_day.result(), out=per_day.result()),
        lot_size=axes.lot_size,
        segment=axes.segment,
        sectors=axes.sectors,
        sequence=np.array(sorted(range(len(bars.symbols)), key=bars.symbols.__getitem__), dtype=np.int64),
        busy=read_only(_busy(traded, estimates.adv, liquidity)),
        member=read_only(bars.fields.get("member", np.empty((0, len(bars.symbols))))),
        events=find_events(bars),
    )


def _estimates(bars: Panel, traded: Panel, pool: ThreadPoolExecutor, *, all_of_them: bool) -> Estimates:
    """Of total returns, and of volume in shares as traded. A narrow market makes them when somebody orders."""
    volume = bars["volume"] if "volume" in bars else np.empty((0, len(bars.symbols)))
    if len(bars.symbols) < NARROW and traded is bars and not all_of_them:
        return made_as_needed(bars["close"], volume)
    sigma = pool.submit(trailing_sigma, bars["close"], ESTIMATE_BARS, MINIMUM_BARS)
    if not volume.size:
        return made_ahead(sigma.result(), np.full(bars.shape, np.nan))
    adv = trailing_mean(volume, ESTIMATE_BARS, MINIMUM_BARS)
    if traded is not bars:
        adv *= shares_per_adjusted(bars)
        adv[:-1] *= bars["split"][1:] if "split" in bars else 1.0
    return made_ahead(sigma.result(), adv)


def _busy(traded: Panel, adv: FloatArray, liquidity: Liquidity) -> FloatArray:
    """`[T, N]` volume in shares that fills of each bar may take their part of; no rows without a cap."""
    if liquidity.participation == 0.0:
        return np.empty((0, len(traded.symbols)))
    if "volume" not in traded:
        raise EngineError(
            f"max_participation = {liquidity.participation} and the bars have no volume, so nothing could ever fill; "
            "give bars with volume, or set it to 0"
        )
    if liquidity.participation_of == "bar":
        return traded["volume"]
    before = np.full(adv.shape, np.nan)
    before[1:] = adv[:-1]
    return before
