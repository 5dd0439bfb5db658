"""Whether the feeds are good enough to open anything. Cancels, and what only reduces, are never held up here.

Three things are watched: a feed from which nothing at all is heard, a book that is out of sequence, a reference price
that grows old. Outside of the market's hours the first and the last are no faults; after it opened, ages count from
then, and nothing is opened before a price of the session. Times are given, so a replay says the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field

from modules.live.units import MILLI_NS


class HealthLimits(BaseModel):
    """After how long silence counts as a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    feed_ms: int = Field(default=5_000, ge=1, description="no byte from a feed, heartbeats included")
    price_ms: int = Field(default=5_000, ge=1, description="no believed price of an instrument whose market is open")


@dataclass
class _Source:
    is_up: bool = False
    reason: str = "it was not opened yet"
    heard_ns: int = -1


@dataclass
class FeedHealth:
    """What is known of all feeds and instruments of an account."""

    limits: HealthLimits = field(default_factory=HealthLimits)
    sources: dict[str, _Source] = field(default_factory=dict)
    priced_ns: dict[str, int] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    """Instruments whose book is not to be believed, and why."""
    shut: set[str] = field(default_factory=set)
    """Instruments whose market is closed: their silence is no fault."""
    is_open: bool = True
    """Whether the market of them all is open."""
    opened_ns: int = -1
    """When it opened."""

    def link(self, feed: str, is_up: bool, reason: str, ts_ns: int) -> None:
        """A feed's connection came or went."""
        self.sources[feed] = _Source(is_up, reason, ts_ns)

    def heard(self, feed: str, ts_ns: int) -> None:
        """Something came from a feed, whatever it was."""
        source = self.sources.get(feed)
        if source is None:
            source = self.sources[feed] = _Source()
        if ts_ns > source.heard_ns:
            source.heard_ns = ts_ns

    def priced(self, symbol: str, ts_ns: int) -> None:
        """A believed price of an instrument."""
        if ts_ns > self.priced_ns.get(symbol, -1):
            self.priced_ns[symbol] = ts_ns

    def trading(self, symbol: str, is_open: bool) -> None:
        """Whether an instrument's market is open; it is taken to be until told otherwise."""
        (self.shut.discard if is_open else self.shut.add)(symbol)

    def hours(self, is_open: bool, opened_ns: int) -> None:
        """Whether the market of all instruments is open, and since when."""
        self.is_open, self.opened_ns = is_open, opened_ns

    def stalled(self, now_ns: int, symbol: str | None = None) -> str | None:
        """Why nothing may be opened (in `symbol`, or at all), in words; None = the feeds are good."""
        if not self.sources:
            return "no feed was opened yet"
        for name in self.sources:
            wrong = self.source(now_ns, name)
            if wrong is not None:
                return wrong
        return None if symbol is None else self.symbol(now_ns, symbol)

    def source(self, now_ns: int, feed: str) -> str | None:
        """What is wrong with a feed; None = it is well."""
        source = self.sources.get(feed) or _Source()
        if not source.is_up:
            return f"feed {feed} is down: {source.reason}"
        silent_ms = (now_ns - max(source.heard_ns, self.opened_ns)) // MILLI_NS
        if silent_ms > self.limits.feed_ms and self.is_open:
            return f"feed {feed} has said nothing for {silent_ms} ms, above feed_ms = {self.limits.feed_ms}"
        if silent_ms < -self.limits.feed_ms:
            return f"the clock is {-silent_ms} ms before what feed {feed} last said: it was set back"
        return None

    def symbol(self, now_ns: int, symbol: str) -> str | None:
        """What is wrong with an instrument's prices; None = nothing is."""
        if symbol in self.broken:
            return f"the book of {symbol} does not stand: {self.broken[symbol]}"
        if not self.is_open or symbol in self.shut:
            return None
        priced = self.priced_ns.get(symbol)
        if priced is None:
            return f"{symbol} has had no believed price yet"
        old_ms = (now_ns - max(priced, self.opened_ns)) // MILLI_NS
        if old_ms > self.limits.price_ms:
            return f"the last believed price of {symbol} is {old_ms} ms old, above price_ms = {self.limits.price_ms}"
        return None

    def opens(self, symbol: str, lots: int, held: int, now_ns: int) -> str | None:
        """Why an order of `lots` may not go out while `held` lots (open orders of its side included) are held.

        None where the feeds are good, or the order only reduces: smaller, not through zero.
        """
        if lots * held < 0 and abs(lots) <= abs(held):
            return None
        why = self.stalled(now_ns, symbol)
        if why is None and self.is_open and self.priced_ns.get(symbol, -1) < self.opened_ns:
            return f"{symbol} has had no believed price since its market opened"
        return why
