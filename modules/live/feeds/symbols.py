"""Canonical symbols (`AAPL.NASDAQ`: name, dot, place) and what each venue calls them.

A venue's words are a rule (`RULES`) and exceptions. Both directions are laid out for the instruments of an account when
it starts, and anything that could be read in two ways is refused then, not guessed at when a price comes in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

_CANONICAL = re.compile(r"[A-Z0-9][A-Z0-9_/-]{0,31}(\.[A-Z])?\.[A-Z][A-Z0-9_]{0,15}")


class SymbolError(ValueError):
    """A symbol that is not canonical, not known to a venue, or stands for two; names it and the remedy."""


@dataclass(frozen=True)
class Canonical:
    """A symbol in its two parts. Classes of shares keep their dot: `BRK.B.NYSE`."""

    name: str
    place: str


def split(symbol: str) -> Canonical:
    """The parts of a canonical symbol. Raises SymbolError."""
    if _CANONICAL.fullmatch(symbol) is None:
        raise SymbolError(f"symbol {symbol!r} is not canonical; write name and place like AAPL.NASDAQ, in capitals")
    name, _, place = symbol.rpartition(".")
    return Canonical(name, place)


def _name(parts: Canonical) -> str:
    return parts.name


def _joined(parts: Canonical) -> str:
    return parts.name.replace("-", "").replace("/", "")


def _slashed(parts: Canonical) -> str:
    return parts.name.replace("-", "/")


def _spaced(parts: Canonical) -> str:
    return parts.name.replace(".", " ")


RULES: Final[Mapping[str, Callable[[Canonical], str]]] = {
    "alpaca": _name,  # BRK.B
    "ib": _spaced,  # BRK B
    "fix": _name,
    "ccxt": _slashed,  # XRP/USDT for XRP-USDT.BYBIT
    "bybit": _joined,  # XRPUSDT
    "binance": _joined,
}
"""How a venue writes a name. A venue that is not here (sim, paper) uses the canonical symbol itself."""


@dataclass(frozen=True)
class SymbolMap:
    """Both directions for one venue."""

    venue: str
    natives: Mapping[str, str]
    canonicals: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        back: dict[str, str] = {}
        for symbol, native in self.natives.items():
            if native in back:
                raise SymbolError(
                    f"{back[native]} and {symbol} are both {native!r} at {self.venue}: a price could be of either; "
                    "trade one of them there, or give an exception"
                )
            back[native] = symbol
        object.__setattr__(self, "canonicals", back)

    def native(self, symbol: str) -> str:
        """What the venue calls it. Raises SymbolError."""
        found = self.natives.get(symbol)
        if found is None:
            raise SymbolError(f"{symbol} is not listed for {self.venue}; add it to the account's instruments")
        return found

    def canonical(self, native: str) -> str | None:
        """What it is here; None for what was not asked for."""
        return self.canonicals.get(native)


def symbol_map(venue: str, symbols: Iterable[str], exceptions: Mapping[str, str] | None = None) -> SymbolMap:
    """The map of a venue for these symbols. `exceptions`: canonical to native, where the venue's rule does not hold.

    Raises SymbolError for a symbol that is not canonical where the venue has a rule, an exception for an unknown
    symbol, and two symbols of one native name.
    """
    rule = RULES.get(venue)
    given = dict(exceptions or {})
    listed = tuple(dict.fromkeys(symbols))
    strange = sorted(given.keys() - set(listed))
    if strange:
        raise SymbolError(f"exceptions name {', '.join(strange[:5])}, which is no instrument here; drop the exception")
    return SymbolMap(venue, {s: given[s] if s in given else rule(split(s)) if rule else s for s in listed})
