"""What trading and holding cost on paper: the backtest's own rules, for an account that no bar drives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from modules.engine.accounting import fee
from modules.engine.costs import BPS, impact_rate, scheduled
from modules.engine.settings import Costs
from modules.live.risk.core import Instrument
from modules.live.units import MICROS

_YEAR_DAYS: Final = 365.0


def execution(c: Costs, x: Instrument, shares: float, size: int, *, blind: bool) -> int:
    """Micros for an execution worth `size`. `blind`: nobody showed its price, so spread and impact are charged."""
    charged = scheduled(
        fee(size, c.commission_bps * BPS), shares, c.commission_share_usd * MICROS,
        c.commission_trade_usd * MICROS, c.commission_minimum_usd * MICROS,
    )  # fmt: skip
    if blind:
        impact = impact_rate(c.impact_k, x.sigma_day, shares, x.adv_lots * x.lot_size)
        charged += fee(size, c.half_spread_bps * BPS) + fee(size, impact)
    return int(charged)


def holding(c: Costs, short: int, long: int, days: int) -> Iterator[tuple[Literal["borrow", "funding"], int]]:
    """Micros for holding so much short and long, each worth micros above 0, over so many days."""
    if short and (borrow := fee(short, c.borrow_bps_year * BPS * days / _YEAR_DAYS)):
        yield "borrow", borrow
    if long and (funding := fee(long, c.funding_bps_year * BPS * days / _YEAR_DAYS)):
        yield "funding", funding
