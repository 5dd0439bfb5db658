"""What the risk core is asked and what it answers, in its own words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import msgspec

from modules.live.risk.rules import Answer, Rule

Mode = Literal["paper", "live"]


class RiskCoreError(ValueError):
    """News that does not fit the account: an unknown order, an excess fill, a price that is none."""


@dataclass(frozen=True)
class Instrument:
    """What may be traded. Lots and volume are in lots, `sigma_day` the volatility of a day's return."""

    symbol: str
    sector: str
    lot_size: float = 1.0
    tick: float = 0.01
    sigma_day: float = math.nan
    beta: float = 1.0
    adv_lots: int = 0
    located_lots: int = 0
    max_long_lots: int = 2**53
    max_short_lots: int = 2**53


class Intent(msgspec.Struct, frozen=True, gc=False):
    """An order that somebody wants to send. `lots` is signed; `limit_price` NaN = none."""

    client_id: str
    strategy: str
    symbol: str
    lots: int
    venue: str
    mode: Mode
    build: str
    now_ns: int
    order_type: str = "market"
    time_in_force: str = "day"
    limit_price: float = math.nan
    parent_left: int = -1


class Ruling(msgspec.Struct, frozen=True, gc=False):
    """The answer: what may be sent, and the rule that spoke with its limit and value (NaN: none)."""

    answer: Answer
    rule: Rule
    allowed_lots: int
    limit: float
    value: float

    @property
    def goes_out(self) -> bool:
        """Whether an order of `allowed_lots` may be sent."""
        return self.answer in (Answer.APPROVE, Answer.REDUCE) and self.allowed_lots != 0


@dataclass(frozen=True)
class Day:
    """NAV at the day's beginning, its lowest and highest, and its largest fall from the highest, in micros."""

    first_micros: int
    least_micros: int
    peak_micros: int
    deepest_micros: int


class Open(msgspec.Struct, gc=False):
    """An order that passed: lots that may still fill, signed."""

    intent: Intent
    row: int
    left: int
