"""What a value is measured in: prices are not shares, and a sector is not a number.

Two dimensions suffice for market data, currency and shares: a price is currency a share, a volume shares, a traded
value currency. Counts, bars, ratios and truth values are plain. A number that is written out fits any unit, as in
`volume + 1`; a field that nobody declared fits everything, so that data with columns of their own stay usable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from fractions import Fraction
from types import MappingProxyType

from modules.facts.fields import FACT_FIELDS

_PRECISION = 10_000


@dataclass(frozen=True)
class Unit:
    """Currency and shares to their powers; both 0 is a plain number."""

    currency: Fraction = Fraction(0)
    shares: Fraction = Fraction(0)

    def __mul__(self, other: Unit) -> Unit:
        return Unit(self.currency + other.currency, self.shares + other.shares)

    def __pow__(self, power: float) -> Unit:
        exponent = Fraction(power).limit_denominator(_PRECISION)
        return Unit(self.currency * exponent, self.shares * exponent)

    def __str__(self) -> str:
        if self in _NAMES:
            return _NAMES[self]
        parts = (("currency", self.currency), ("shares", self.shares))
        return " * ".join(name if power == 1 else f"{name}^{power}" for name, power in parts if power)


PLAIN = Unit()
PRICE = Unit(Fraction(1), Fraction(-1))
SHARES = Unit(shares=Fraction(1))
MONEY = Unit(currency=Fraction(1))
_NAMES = {PLAIN: "a plain number", PRICE: "price", SHARES: "shares", MONEY: "currency"}


class Loose(Enum):
    """What is no unit. LITERAL: a number as written, which fits beside any unit and is plain in a product. UNKNOWN: a
    field that nobody declared, or what was made of one. GROUP: a label that sorts symbols, no number at all."""

    LITERAL = "a number"
    UNKNOWN = "an unknown unit"
    GROUP = "a group"

    def __str__(self) -> str:
        return self.value


Measure = Unit | Loose

FIELD_UNITS: Mapping[str, Measure] = MappingProxyType(
    {
        **dict.fromkeys(("price", "open", "high", "low", "close", "adj_close", "vwap", "bid", "ask", "mid"), PRICE),
        **dict.fromkeys(("raw_open", "raw_close", "dividend"), PRICE),
        **dict.fromkeys(("split", "delisting", "member"), PLAIN),
        **dict.fromkeys(("volume", "bid_size", "ask_size"), SHARES),
        **dict.fromkeys(("amount", "dollar_volume"), MONEY),
        **{name: {"money": MONEY, "shares": SHARES, "price": PRICE}[kind] for name, kind in FACT_FIELDS.items()},
        **dict.fromkeys(("trades", "day_of_week", "day_of_month", "month", "hour"), PLAIN),
        **dict.fromkeys(("sector", "industry", "venue", "country"), Loose.GROUP),
    }
)
"""Units of the fields that have a meaning wherever they occur; any other field is UNKNOWN."""


AS_TRADED = frozenset({"raw_open", "raw_close", "dividend"})
"""Fields that no later split restates: they stay what was paid on the day."""


@dataclass(frozen=True)
class UnitRule:
    """How an operator's result is measured: the product of its inputs' units to `powers` (nothing: a plain number).

    A power may be the name of one of the operator's numbers. `alike` inputs must share one unit; `groups` must be
    groups. `says` is for the reader, where the rule has a better name than its formula.
    """

    powers: tuple[tuple[str, float | str], ...] = ()
    alike: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    says: str = ""

    def over(self, *alike: str) -> UnitRule:
        """The rule with inputs that must share one unit."""
        return replace(self, alike=alike)

    def by(self, *groups: str) -> UnitRule:
        """The rule with inputs that must be groups."""
        return replace(self, groups=groups)

    def __str__(self) -> str:
        if self.says:
            return self.says
        if not self.powers:
            return "ratio"
        return "of " + " * ".join(
            n if p == 1 else f"{n}^{p if isinstance(p, str) else f'{p:g}'}" for n, p in self.powers
        )


RATIO = UnitRule(says="ratio")
TRUTH = UnitRule(says="0 or 1")
BARS = UnitRule(says="bars")


def plain(says: str) -> UnitRule:
    """A plain number with a name or a range of its own, such as `0 to 100`."""
    return UnitRule(says=says)


def of(*inputs: str, says: str = "", **powers: float | str) -> UnitRule:
    """`of("x")`: as x. `of("x", y=-1)`: x over y. `of(x="exponent")`: x to the number `exponent`."""
    return UnitRule((*((name, 1) for name in inputs), *powers.items()), says=says)


class UnitError(Exception):
    """Inputs that do not fit: which, and what to do. The caller knows where they stand in the text."""

    def __init__(self, inputs: tuple[str, ...], rule: str, remedy: str) -> None:
        self.inputs = inputs
        self.rule = rule
        self.remedy = remedy
        super().__init__(f"{' and '.join(inputs)}: {rule}; {remedy}")


def result_of(rule: UnitRule, inputs: Mapping[str, Measure], numbers: Mapping[str, float]) -> Measure:
    """The unit of a result. Raises UnitError where the inputs do not fit."""
    _check_groups(rule, inputs)
    shared = _check_alike(rule, inputs)
    if not rule.powers:
        return PLAIN
    result = PLAIN
    literal = True
    for name, power in rule.powers:
        unit = inputs[name]
        if unit is Loose.LITERAL and name in rule.alike:
            unit = shared
        if unit is Loose.UNKNOWN or unit is Loose.GROUP:
            return unit
        if isinstance(unit, Unit):
            literal = False
            result = result * unit ** (numbers[power] if isinstance(power, str) else power)
    return Loose.LITERAL if literal else result


def _check_groups(rule: UnitRule, inputs: Mapping[str, Measure]) -> None:
    for name, unit in inputs.items():
        if name in rule.groups and unit not in (Loose.GROUP, Loose.UNKNOWN):
            raise UnitError((name,), "a group is needed here", "name a group field, as in neutralize(x, sector)")
        if name not in rule.groups and unit is Loose.GROUP:
            raise UnitError(
                (name,),
                "a group is a label, no number",
                "it goes where groups are compared, as in neutralize(x, sector)",
            )


def _check_alike(rule: UnitRule, inputs: Mapping[str, Measure]) -> Measure:
    """The unit that the `alike` inputs share; LITERAL where all are numbers, UNKNOWN where none is known."""
    shared: Measure = Loose.LITERAL
    holder = ""
    for name in rule.alike:
        unit = inputs[name]
        if unit is Loose.UNKNOWN and not isinstance(shared, Unit):
            shared = unit
        if not isinstance(unit, Unit):
            continue
        if isinstance(shared, Unit) and unit != shared:
            raise UnitError(
                (holder, name),
                "these need one unit",
                "bring both to one scale first, as in rank(x), zscore(x) or x / ts_mean(x, 20); "
                "unitless(x) says that x is meant as a plain number",
            )
        if not isinstance(shared, Unit):
            shared, holder = unit, name
    return shared
