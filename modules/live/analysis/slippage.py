"""What trading cost beside what the backtest assumed it would: spread, commission and square-root impact.

A fill is measured from the price at which its order was decided; the model's cost is the engine's own
(`modules/engine/costs.py`) for the whole order. Where the two differ by more than chance, the backtest's figures do not
hold.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from modules.engine.costs import BPS, impact_rate
from modules.engine.settings import Costs
from modules.live.messages import Filled

LEAST_ORDERS: Final = 20
"""Below so many orders no verdict is given."""
SURE: Final = 2.5758
"""Standard errors of a two-sided test at 1 %."""


@dataclass(frozen=True)
class Decided:
    """An order as it was decided. `price`: the mid then; `shares` signed; `sigma` of a bar's return and `adv` in shares
    as the engine estimated them, NaN = not known."""

    client_id: str
    symbol: str
    shares: float
    price: float
    sigma: float
    adv: float


@dataclass(frozen=True)
class Slip:
    """One order, costs in bps of its value at the price decided on; above 0 is paid."""

    client_id: str
    symbol: str
    value: float
    paid_bps: float
    fee_bps: float
    model_bps: float

    @property
    def over_bps(self) -> float:
        """What was paid beyond the model, fees included."""
        return self.paid_bps + self.fee_bps - self.model_bps


@dataclass(frozen=True)
class Slippage:
    """All orders: means weighted by value. `error_bps`: standard error of `over_bps`, orders taken as independent.

    `verdict`: whether the model is right, too kind (trading costs more than it says) or too harsh, or "unknown" for
    fewer than `LEAST_ORDERS`.
    """

    orders: int
    value: float
    paid_bps: float
    fee_bps: float
    model_bps: float
    over_bps: float
    error_bps: float
    verdict: Literal["right", "too kind", "too harsh", "unknown"]
    worst: tuple[Slip, ...]


def slips(decided: Iterable[Decided], fills: Iterable[Filled], lot_sizes: dict[str, float], costs: Costs) -> list[Slip]:
    """Each order that was filled, at least in part; the model's cost is that of what was filled."""
    by_order: dict[str, list[Filled]] = {}
    for fill in fills:
        by_order.setdefault(fill.client_id, []).append(fill)
    found = []
    for order in decided:
        own = by_order.get(order.client_id)
        shares = abs(sum(f.lots for f in own) * lot_sizes[order.symbol]) if own else 0.0
        if not own or shares == 0.0:
            continue
        value = shares * order.price
        side = 1.0 if order.shares > 0 else -1.0
        paid = sum(side * (f.price - order.price) * abs(f.lots) * lot_sizes[order.symbol] for f in own)
        fee = sum(f.fee_micros for f in own) / 1e6
        found.append(
            Slip(
                order.client_id, order.symbol, value, paid / value / BPS, fee / value / BPS,
                model_bps(costs, shares, order.price, order.sigma, order.adv),
            )
        )  # fmt: skip
    return found


def model_bps(costs: Costs, shares: float, price: float, sigma: float, adv: float) -> float:
    """The engine's cost of an order, commission included, in bps of its value."""
    value = shares * price
    by_value = value * costs.commission_bps * BPS + shares * costs.commission_share_usd + costs.commission_trade_usd
    commission = max(by_value, costs.commission_minimum_usd) / value / BPS
    return costs.half_spread_bps + commission + impact_rate(costs.impact_k, sigma, shares, adv) / BPS


def slippage(orders: Sequence[Slip], worst: int = 10) -> Slippage:
    """The orders together, and those that cost most beyond the model in money."""
    total = sum(s.value for s in orders)
    if not orders or total <= 0.0:
        return Slippage(0, 0.0, math.nan, math.nan, math.nan, math.nan, math.nan, "unknown", ())

    def mean(values: list[float]) -> float:
        return sum(v * s.value for v, s in zip(values, orders, strict=True)) / total

    over = mean([s.over_bps for s in orders])
    # of a weighted mean of independent values (W. Cochran, 1977, the ratio estimator)
    squares = sum((s.value * (s.over_bps - over)) ** 2 for s in orders)
    n = len(orders)
    error = math.sqrt(squares * n / (n - 1)) / total if n > 1 else math.nan
    verdict: Literal["right", "too kind", "too harsh", "unknown"] = "unknown"
    if n >= LEAST_ORDERS:
        verdict = "right" if abs(over) <= SURE * error else "too kind" if over > 0.0 else "too harsh"
    ranked = sorted(orders, key=lambda s: (-s.over_bps * s.value, s.client_id))
    return Slippage(
        orders=n,
        value=total,
        paid_bps=mean([s.paid_bps for s in orders]),
        fee_bps=mean([s.fee_bps for s in orders]),
        model_bps=mean([s.model_bps for s in orders]),
        over_bps=over,
        error_bps=error,
        verdict=verdict,
        worst=tuple(ranked[:worst]),
    )
