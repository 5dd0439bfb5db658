"""What is held, by side, sector and instrument, against NAV. Values are the risk core's: exact micros of the currency.

What has no price is named and never counted as nothing; what NAV holds beyond cash and positions is said as such.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from modules.engine.accounting import MICROS
from modules.live.messages import Position
from modules.live.risk.core import Instrument

UNKNOWN: Final = "UNKNOWN"


class ExposureError(ValueError):
    """An account of which nothing can be said as a share: NAV is not above 0, or a position is no instrument of it."""


@dataclass(frozen=True)
class Held:
    """One position. `weight` is its signed value over NAV, `beta` its own; `days`: of trading the given share of the
    average volume until it is closed, None where volume is not known."""

    symbol: str
    sector: str
    lots: int
    price: float
    price_ns: int
    value_micros: int
    weight: float
    beta: float
    days: float | None


@dataclass(frozen=True)
class Side:
    """Values of a group of positions, in micros; `short_micros` is at most 0."""

    name: str
    long_micros: int
    short_micros: int

    @property
    def gross_micros(self) -> int:
        """Long and short together."""
        return self.long_micros - self.short_micros

    @property
    def net_micros(self) -> int:
        """Long less short."""
        return self.long_micros + self.short_micros


@dataclass(frozen=True)
class Exposure:
    """An account at a moment.

    `concentration` is the sum of squared weights, `effective` how many equal positions would spread as widely (1 over
    the sum of squared shares of gross). `gross_if_filled_micros`: with every open order filled that widens a position.
    `unexplained_micros`: NAV less cash and positions. `unpriced`: positions without a price, in none of the figures.
    """

    at_ns: int
    nav_micros: int
    cash_micros: int
    total: Side
    held: tuple[Held, ...]
    sectors: tuple[Side, ...]
    leverage: float
    net: float
    beta: float
    concentration: float
    effective: float
    gross_if_filled_micros: int
    unexplained_micros: int
    oldest_price_ns: int | None
    unpriced: tuple[str, ...]

    @property
    def weights(self) -> dict[str, float]:
        """Signed weights by symbol."""
        return {h.symbol: h.weight for h in self.held}


def exposure(
    positions: Iterable[Position],
    instruments: Mapping[str, Instrument],
    *,
    nav_micros: int,
    cash_micros: int,
    at_ns: int,
    participation: float = 0.1,
) -> Exposure:
    """The exposure of an account, positions by falling size. Raises ExposureError."""
    if nav_micros <= 0:
        raise ExposureError(f"NAV is {nav_micros / MICROS:,.2f}; shares of it mean nothing: close what is held")
    if not 0.0 < participation <= 1.0:
        raise ExposureError(f"participation = {participation}; give a share of the volume above 0, at most 1")
    held, unpriced, if_filled = [], [], 0
    for p in positions:
        x = instruments.get(p.symbol)
        if x is None:
            raise ExposureError(
                f"{p.symbol} is held and no instrument of the account; list it with sector and lot size"
            )
        if p.price is None or p.price_ns is None:
            if p.lots or p.open_buy or p.open_sell:
                unpriced.append(p.symbol)
            continue
        worst = max(abs(p.lots + p.open_buy), abs(p.lots - p.open_sell), abs(p.lots))
        if_filled += value_of(worst, x.lot_size, p.price)
        if p.lots:
            held.append(_held(p.lots, p.price, p.price_ns, x, nav_micros, participation))
    held.sort(key=lambda h: (-abs(h.value_micros), h.symbol))
    total = _side("all", held)
    squares = sum(h.weight * h.weight for h in held)
    leverage = total.gross_micros / nav_micros
    return Exposure(
        at_ns=at_ns,
        nav_micros=nav_micros,
        cash_micros=cash_micros,
        total=total,
        held=tuple(held),
        sectors=tuple(_side(name, [h for h in held if h.sector == name]) for name in sorted({h.sector for h in held})),
        leverage=leverage,
        net=total.net_micros / nav_micros,
        beta=sum(h.weight * h.beta for h in held),
        concentration=squares,
        effective=leverage * leverage / squares if squares else 0.0,
        gross_if_filled_micros=if_filled,
        unexplained_micros=nav_micros - cash_micros - total.net_micros,
        oldest_price_ns=min((h.price_ns for h in held), default=None),
        unpriced=tuple(sorted(unpriced)),
    )


def value_of(lots: int, lot_size: float, price: float) -> int:
    """Signed value in micros, rounded as the risk core does."""
    return round(lots * lot_size * price * MICROS)


def _held(lots: int, price: float, price_ns: int, x: Instrument, nav_micros: int, participation: float) -> Held:
    value = value_of(lots, x.lot_size, price)
    days = abs(lots) / (participation * x.adv_lots) if x.adv_lots > 0 else None
    return Held(x.symbol, x.sector or UNKNOWN, lots, price, price_ns, value, value / nav_micros, x.beta, days)


def _side(name: str, held: list[Held]) -> Side:
    return Side(
        name,
        sum(h.value_micros for h in held if h.value_micros > 0),
        sum(h.value_micros for h in held if h.value_micros < 0),
    )
