"""The bar engine with nothing in the way of a trade: no cost, no limit, lots and micro-units too small to matter.

What rounding is left, by construction: amounts are whole micro-units of 1e9 of the currency, 1e-15 of NAV; positions
are whole lots, of which the largest target is 2**48 (2**43 where NAV grows past sixteen times) at the lowest price of
its symbol, so that a lot is at most 1e-13 of NAV times the ratio of the symbol's price to its lowest. NAV differs by
what such a lot earns: 1e-12 on the bundled data, far below `TOLERANCE`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from modules.engine.limits import RiskLimits
from modules.engine.settings import TradingSettings
from modules.panel import FloatArray, Panel

if TYPE_CHECKING:
    from modules.engine.result import Simulation

TOLERANCE: Final = 1e-9
"""Relative difference in NAV, on every bar, that the frictionless engine and vectorbt keep."""

LARGE_CAPITAL: Final = 1e9
_GROWTH: Final = 2.0**4
_MORE_GROWTH: Final = 2.0**9
"""Room for NAV to grow before lots leave 2**53; more only where the first did not suffice."""

UNLIMITED: Final = RiskLimits.model_construct(
    max_instrument_nav=math.inf, max_sector_nav=math.inf, max_daily_loss=math.inf, max_trade_risk=math.inf
)
"""Past the validation, which refuses it: for comparisons. No settings file can say it, and no order comes of it."""

FRICTIONLESS: Final[Mapping[str, object]] = {
    **{name: field.default for name, field in TradingSettings.model_fields.items()},
    "half_spread_bps": 0.0,
    "commission_bps": 0.0,
    "impact_k": 0.0,
    "borrow_bps_year": 0.0,
    "fill_without_open": "previous_close",
    "min_order_usd": 0.0,
    **UNLIMITED.model_dump(),
}
"""The settings of an account without frictions. Those not named here are no friction at their default."""


class FreeSettings(TradingSettings):
    """Settings that may have no limits: built by `free`, never read from a file."""

    @property
    def limits(self) -> RiskLimits:
        """The limits, unchecked."""
        names = RiskLimits.model_fields
        return RiskLimits.model_construct(**{name: getattr(self, name) for name in names})


def free(settings: TradingSettings, **changes: object) -> FreeSettings:
    """`settings` with changes that no settings file may make."""
    values = {name: getattr(settings, name) for name in TradingSettings.model_fields}
    return FreeSettings.model_construct(**{**values, **changes})


def closes_only(bars: Panel) -> Panel:
    """The same bars with nothing but closes: every order fills, at the close at which it was decided."""
    return Panel(bars.ts, bars.symbols, {"close": bars["close"]})


def fine_lots(bars: Panel, weights: Panel, instruments: pl.DataFrame, growth: float) -> pl.DataFrame:
    """Instruments with lots so small that truncation to whole ones is nothing: powers of two, per symbol.

    A symbol's largest target, at its lowest price, with NAV grown `growth` times, is at most 2**52 lots.
    """
    largest = float(np.abs(weights["weight"]).max(initial=0.0)) or 1.0
    lots = {}
    prices = np.vstack([bars[name] for name in ("close", "raw_close") if name in bars])
    for i, symbol in enumerate(bars.symbols):
        known = prices[~np.isnan(prices[:, i]), i]
        lowest = float(known.min()) if known.size else 1.0
        most_shares = LARGE_CAPITAL * largest * growth / lowest
        lots[symbol] = 2.0 ** math.ceil(math.log2(most_shares) - 52.0)
    return instruments.with_columns(
        pl.col("symbol").replace_strict(lots, default=pl.col("lot_size"), return_dtype=pl.Float64).alias("lot_size")
    )


@dataclass(frozen=True, eq=False)
class Traded:
    """An account with what its lots are worth: closes as traded of all bars [T, N], and shares a lot [N]."""

    account: Simulation
    close: FloatArray
    lot_size: FloatArray


def traded(bars: Panel, weights: Panel, instruments: pl.DataFrame, settings: TradingSettings, start_ns: int) -> Traded:
    """The engine under `settings`. Raises EngineError."""
    from modules.engine.actions import as_traded
    from modules.engine.bars import trade
    from modules.engine.instruments import align_instruments

    account = trade(bars, weights, instruments, settings, start_ns)
    return Traded(account, as_traded(bars)["close"], align_instruments(instruments, bars.symbols, bars.ts).lot_size)


def simulate_fine(
    bars: Panel, weights: Panel, instruments: pl.DataFrame, settings: TradingSettings, start_ns: int
) -> Traded:
    """The engine under `settings`, but with large capital and lots too small to matter. Raises EngineError."""
    from modules.engine.accounting import EngineOverflowError

    large = free(settings, capital_usd=LARGE_CAPITAL)
    lots = fine_lots(bars, weights, instruments, _GROWTH)
    try:
        return traded(bars, weights, lots, large, start_ns)
    except EngineOverflowError:
        lots = fine_lots(bars, weights, instruments, _MORE_GROWTH)
    return traded(bars, weights, lots, large, start_ns)


def frictionless(bars: Panel, weights: Panel, instruments: pl.DataFrame, start_ns: int) -> Traded:
    """The account of `weights` with every friction off; fills at the close of the decision. Raises EngineError."""
    settings = free(TradingSettings(), **FRICTIONLESS)
    return simulate_fine(closes_only(bars), weights, instruments, settings, start_ns)
