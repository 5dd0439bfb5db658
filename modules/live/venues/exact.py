"""What an instrument is called at a venue, and money and quantities between its texts and our integers, exactly.

A venue's figures come as texts. They are decimals here, never floats, until they are micros and lots; a figure that
is no whole number of lots, or no figure, is a `FigureError`, not a rounded one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from modules.live.venues.port import VenueError

_MICROS = Decimal(1_000_000)
_WHOLE = Decimal(1)
_MOST = Decimal(10) ** 15
_MOST_MONEY = Decimal(9) * 10**12  # what int64 micros hold
_MOST_DIGITS = 60
_TICK_SHARE = Decimal("0.000001")  # of a tick, by which a price may be off it, as in the risk core
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|z|[+-]\d\d:\d\d)", re.ASCII)


class FigureError(ValueError):
    """What a venue said cannot be read: names field and value. Whoever reads it treats the connection as lost."""


@dataclass(frozen=True)
class Listing:
    """An instrument at one venue: its name there, units of it in a lot of ours, its smallest step of price."""

    symbol: str
    native: str
    lot: Decimal = Decimal(1)
    tick: Decimal = Decimal("0.01")

    def __post_init__(self) -> None:
        if not (self.lot > 0 and self.tick > 0 and self.symbol and self.native):
            raise ValueError(f"{self.symbol!r} ({self.native!r}): lot {self.lot} and tick {self.tick} must be above 0")

    def quantity(self, lots: int) -> str:
        """Lots, unsigned, as the venue's quantity."""
        return _plain(abs(lots) * self.lot)

    def lots(self, quantity: Decimal) -> int:
        """Lots of a quantity. Raises FigureError where it is no whole number of them."""
        lots = quantity / self.lot
        if lots != lots.to_integral_value():
            raise FigureError(f"{self.symbol}: {quantity} is no whole number of lots of {self.lot}")
        return int(lots)

    def price(self, price: float) -> str:
        """A price as text. Raises VenueError for one off the tick, by more than a float's rounding."""
        exact = Decimal(repr(price))
        if exact.is_finite() and exact > 0:
            ticks = exact / self.tick
            whole = ticks.to_integral_value()
            if whole > 0 and abs(ticks - whole) <= _TICK_SHARE * max(_WHOLE, ticks * _TICK_SHARE):
                return _plain(whole * self.tick)
        raise VenueError(f"{self.symbol}: price {price} is no multiple of the tick {self.tick} above 0; not sent")

    def value_micros(self, lots: int, price: Decimal) -> int:
        """Signed money of an execution, half a micro to even."""
        return micros(lots * self.lot * price)


class Listings:
    """The instruments of an account at one venue, by both of their names."""

    def __init__(self, rows: Iterable[Listing]) -> None:
        rows = tuple(rows)
        self._here = {r.symbol: r for r in rows}
        self._there = {r.native: r for r in rows}
        if len(self._here) != len(rows) or len(self._there) != len(rows):
            raise ValueError("an instrument is listed twice; give each symbol and each native name once")

    def __iter__(self) -> Iterator[Listing]:
        return iter(self._here.values())

    def here(self, symbol: str) -> Listing:
        """By our name. Raises VenueError."""
        try:
            return self._here[symbol]
        except KeyError:
            raise VenueError(f"symbol {symbol} is not listed for this venue; add it to its listings") from None

    def there(self, native: str) -> Listing:
        """By the venue's name. One that is not listed keeps that name, a lot of 1: it is not ours, and it is seen."""
        return self._there.get(native) or Listing(native, native)


def decimal(value: object, field: str) -> Decimal:
    """A venue's figure. Raises FigureError for a float, for what is none, and for one that is beyond all reason."""
    if isinstance(value, bool) or not isinstance(value, str | bytes | int | Decimal):
        raise FigureError(f"{field} is {value!r}: a figure is a text or a whole number")
    try:
        figure = Decimal(value.decode() if isinstance(value, bytes) else value)
    except (InvalidOperation, UnicodeDecodeError):
        raise FigureError(f"{field} is {value!r}: not a figure") from None
    digits, exponent = figure.as_tuple().digits, figure.as_tuple().exponent
    if not isinstance(exponent, int) or abs(figure) >= _MOST or len(digits) > _MOST_DIGITS or exponent < -_MOST_DIGITS:
        raise FigureError(f"{field} is {value!r}: not finite, {_MOST:.0e} or more, or of too many digits")
    return figure


def micros(amount: Decimal) -> int:
    """Money in micros, half a micro to even. Raises FigureError for more than they hold."""
    if not abs(amount) < _MOST_MONEY:
        raise FigureError(f"an amount of {amount} is more than int64 micros hold")
    return int((amount * _MICROS).quantize(_WHOLE, ROUND_HALF_EVEN))


def moment_ns(text: object) -> int:
    """A moment as RFC 3339 writes it, in ns UTC. Raises FigureError."""
    found = _MOMENT.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise FigureError(f"{text!r} is no moment like 2024-01-02T15:30:00.123Z")
    seconds, fraction, zone = found.groups()
    try:
        whole = datetime.fromisoformat(seconds + ("+00:00" if zone in "Zz" else zone)).timestamp()
    except ValueError:
        raise FigureError(f"{text!r} is no moment like 2024-01-02T15:30:00.123Z") from None
    return int(whole) * 1_000_000_000 + int((fraction or "").ljust(9, "0")[:9])


def _plain(figure: Decimal) -> str:
    text = format(figure, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
