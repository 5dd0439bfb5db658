"""Whether a price may be believed: a table of gates, in order of precedence; the first that speaks wins.

What does not pass changes nothing: no reference price, no bar. Each refusal is counted by its gate. A spike is the one
that may be true after all: the price is believed once `spike_confirmations` later ones in a row agree with it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from modules.live.units import MILLI_NS

_INF: Final = math.inf


class Gate(IntEnum):
    """Why a quote, trade or book was not believed; PASS = it was."""

    PASS = 0
    UNKNOWN_SYMBOL = 1
    OUT_OF_ORDER = 2
    AHEAD = 3
    STALE = 4
    ZERO = 5
    CROSSED = 6
    LOCKED = 7
    WIDE = 8
    SPIKE = 9
    OFF_TICK = 10
    BAR_INCONSISTENT = 11
    REPEATED = 12


MEANING: Final[dict[Gate, str]] = {
    Gate.PASS: "believed",
    Gate.UNKNOWN_SYMBOL: "no instrument of this account",
    Gate.OUT_OF_ORDER: "the venue's time is before that of the last one believed",
    Gate.AHEAD: "the venue's time is further in the future than clocks differ (`ahead_ms`)",
    Gate.STALE: "it was on its way longer than `stale_ms`",
    Gate.ZERO: "a price that is missing, not finite or not above 0, or a size that is",
    Gate.CROSSED: "the bid is above the ask",
    Gate.LOCKED: "the bid is the ask (`allow_locked`)",
    Gate.WIDE: "the spread is more than `max_spread` of the mid price",
    Gate.SPIKE: "further than `max_jump` from the median of the last believed, and not confirmed yet",
    Gate.OFF_TICK: "a level between two ticks",
    Gate.BAR_INCONSISTENT: "open or close outside of low and high",
    Gate.REPEATED: "a trade whose id was heard before",
}


class GateLimits(BaseModel):
    """Limits of the gates. Fractions are of the price."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    ahead_ms: int = Field(default=1_000, ge=0)
    stale_ms: int = Field(default=5_000, ge=1)
    max_spread: float = Field(default=0.02, gt=0.0, lt=1.0)
    max_jump: float = Field(default=0.05, gt=0.0, lt=1.0)
    spike_confirmations: int = Field(default=3, ge=1, le=100)
    memory: int = Field(default=7, ge=1, le=101, description="prices whose median a spike is measured from")
    allow_locked: bool = False


@dataclass
class Gatekeeper:
    """What the gates know of one symbol at one venue. Without a clock: the times are those of the news."""

    limits: GateLimits
    last_ns: int = -1
    recent: list[float] = field(default_factory=list)
    doubted: list[float] = field(default_factory=list)
    refused: dict[Gate, int] = field(default_factory=dict)
    passed: int = 0
    confirmed: int = 0
    """How many doubted prices, the last ones, the last believed one confirmed."""

    def __post_init__(self) -> None:
        limits = self.limits  # a model's fields are slow to read, and this is on the way of every tick
        self._ahead_ns, self._stale_ns = limits.ahead_ms * MILLI_NS, limits.stale_ms * MILLI_NS
        self._spread, self._limit, self._memory = limits.max_spread, limits.max_jump, limits.memory

    def quote(
        self, bid: float | None, ask: float | None, bid_size: float, ask_size: float, venue_ns: int, seen_ns: int
    ) -> Gate:
        """Judge a best bid and ask, and remember the verdict."""
        gate = self._time(venue_ns, seen_ns)
        if gate is Gate.PASS:
            gate = self._sides(bid, ask, bid_size, ask_size)
        if gate is Gate.PASS and bid is not None and ask is not None:
            gate = self._jump(0.5 * bid + 0.5 * ask)
        return self._said(gate, venue_ns)

    def trade(self, price: float, size: float, venue_ns: int, seen_ns: int) -> Gate:
        """Judge a trade, and remember the verdict."""
        gate = self._time(venue_ns, seen_ns)
        if gate is Gate.PASS and not (0.0 < price < math.inf and 0.0 < size < math.inf):
            gate = Gate.ZERO
        if gate is Gate.PASS:
            gate = self._jump(price)
        return self._said(gate, venue_ns)

    def bar(self, values: tuple[float, float, float, float], volume: float, ts_ns: int) -> Gate:
        """Judge open, high, low, close and volume. A bar's label must be after the last one's."""
        first, high, low, last = values
        gate = Gate.PASS
        if ts_ns <= self.last_ns:
            gate = Gate.OUT_OF_ORDER
        elif not (all(0.0 < v < math.inf for v in values) and 0.0 <= volume < math.inf):
            gate = Gate.ZERO
        elif not (low <= min(first, last) and max(first, last) <= high):
            gate = Gate.BAR_INCONSISTENT
        return self._said(gate, ts_ns)

    def refuse(self, gate: Gate) -> Gate:
        """Count a refusal that was found elsewhere (a book that contradicts itself)."""
        return self._said(gate, self.last_ns)

    def _time(self, venue_ns: int, seen_ns: int) -> Gate:
        if venue_ns < self.last_ns:
            return Gate.OUT_OF_ORDER
        if venue_ns > seen_ns + self._ahead_ns:
            return Gate.AHEAD
        if venue_ns < seen_ns - self._stale_ns:
            return Gate.STALE
        return Gate.PASS

    def _sides(self, bid: float | None, ask: float | None, bid_size: float, ask_size: float) -> Gate:
        if bid is None or ask is None or not (0.0 < bid < _INF and 0.0 < ask < _INF):
            return Gate.ZERO
        if not (0.0 < bid_size < _INF and 0.0 < ask_size < _INF):
            return Gate.ZERO
        if bid > ask:
            return Gate.CROSSED
        if bid == ask and not self.limits.allow_locked:
            return Gate.LOCKED
        if ask - bid > self._spread * (0.5 * bid + 0.5 * ask):
            return Gate.WIDE
        return Gate.PASS

    def _jump(self, price: float) -> Gate:
        """A price near the recent ones passes; one far off waits until as many as asked for agree with each other."""
        recent, limit = self.recent, self._limit
        self.confirmed = 0
        if recent:
            middle = sorted(recent)[len(recent) // 2]
            if abs(price - middle) > limit * middle and not self._confirmed(price):
                return Gate.SPIKE
        if self.doubted:
            self.doubted.clear()
        recent.append(price)
        if len(recent) > self._memory:
            del recent[0]
        return Gate.PASS

    def _confirmed(self, price: float) -> bool:
        """Whether enough far prices in a row agree with each other; then those of before measure nothing."""
        if self.doubted and abs(price - self.doubted[-1]) > self._limit * self.doubted[-1]:
            self.doubted.clear()
        self.doubted.append(price)
        if len(self.doubted) <= self.limits.spike_confirmations:
            return False
        self.recent.clear()
        self.confirmed = len(self.doubted) - 1
        return True

    def _said(self, gate: Gate, ns: int) -> Gate:
        if gate is Gate.PASS:
            self.passed += 1
            self.last_ns = ns
        else:
            self.refused[gate] = self.refused.get(gate, 0) + 1
        return gate
