"""The order that is worked: how much, from when to when, where, and what happens to what is left at the end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Residual = Literal["cross", "leave"]


class AlgorithmError(ValueError):
    """An order that cannot be worked as asked; names field, value, rule and remedy."""


@dataclass(frozen=True)
class Parent:
    """A large order. `lots` is signed; prices are micros of the currency; times ns UTC.

    `parent_id` from `modules/live/orders/ids.py` tells when it was decided, from which its costs are counted.

    `venues` in order of preference where all else is equal. `limit_micros`: no child is priced beyond it. `residual`:
    what has not filled before the last slice crosses the spread in it, or is left undone.
    """

    parent_id: str
    account: str
    strategy: str
    symbol: str
    lots: int
    begin_ns: int
    end_ns: int
    venues: tuple[str, ...]
    limit_micros: int | None = None
    tick_micros: int = 10_000
    residual: Residual = "cross"

    def __post_init__(self) -> None:
        if not self.parent_id or self.lots == 0:
            raise AlgorithmError(
                f"parent_id {self.parent_id!r}, lots {self.lots}: give an id, and lots other than 0 (sells below 0)"
            )
        if self.end_ns <= self.begin_ns:
            raise AlgorithmError(
                f"end_ns {self.end_ns} is not after begin_ns {self.begin_ns}; give a window that lasts"
            )
        if not self.venues or len(set(self.venues)) != len(self.venues):
            raise AlgorithmError(f"venues {self.venues} must name at least one venue, each once")
        if self.tick_micros < 1 or (self.limit_micros is not None and self.limit_micros < 1):
            raise AlgorithmError(
                f"tick_micros {self.tick_micros}, limit_micros {self.limit_micros}: prices are at least 1 micro"
            )

    @property
    def buys(self) -> bool:
        """Whether it buys."""
        return self.lots > 0

    @property
    def side(self) -> int:
        """1 = buys, -1 = sells."""
        return 1 if self.lots > 0 else -1

    @property
    def total(self) -> int:
        """Lots without their sign."""
        return abs(self.lots)

    def allows(self, price_micros: int) -> bool:
        """Whether a child may be priced there."""
        return self.limit_micros is None or self.side * price_micros <= self.side * self.limit_micros
