"""A level-2 book of one instrument, kept by the same kernels as the backtest's exchange.

A message counts as a whole or not at all. Levels stand in a window of ticks around the market that grows as needed up
to `MOST_TICKS`; what is displayed further out is left away and counted, and a market that walks towards such an edge
needs a new snapshot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from modules.engine.exchange import layout as f
from modules.engine.exchange.book import clear
from modules.engine.exchange.events import Instrument
from modules.live.feeds import bookkernel as k
from modules.live.feeds.gates import Gate
from modules.live.feeds.news import Levels
from modules.panel import IntArray

MOST_TICKS: Final = 1 << 20
LEAST_TICKS: Final = 1 << 10
MOST_LEVELS: Final = 1 << 16
"""Levels in one message; a longer one is garbage."""
_FAULTS: Final = {k.ZERO: Gate.ZERO, k.OFF_TICK: Gate.OFF_TICK}


@dataclass(frozen=True)
class Swept:
    """What an order that takes would get from what is displayed: lots, and their mean price (None for no lots)."""

    lots: int
    price: float | None


class DepthBook:
    """Bids and asks of one instrument. Prices leave it as floats on the tick, quantities as lots."""

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self._numerator, self._denominator = instrument.ratio()
        self._scale = np.array([self._numerator, self._denominator, instrument.lot_size])
        self._rows, self._span = np.zeros((2, 256), np.int64), np.zeros(2, np.int64)
        self._a = _window(1, LEAST_TICKS)
        self._low, self._high = 1, LEAST_TICKS
        self._best = [0, f.NO_ASK, 0, 0]
        self.beyond = 0
        """Levels that were left away, too far from the market, since the last snapshot."""
        self.venue_ns = -1

    # --- what is heard ------------------------------------------------------------------------------

    def replace(self, bids: Levels, asks: Levels, venue_ns: int) -> Gate:
        """A snapshot: what stood before is gone. A snapshot with a bad level leaves the book empty."""
        self.clear()
        return self._take(bids, asks, venue_ns, fresh=True)

    def change(self, bids: Levels, asks: Levels, venue_ns: int) -> Gate:
        """Changed levels. CROSSED or LOCKED: they stand, and the book is not to be believed: a change is missing."""
        return self._take(bids, asks, venue_ns, fresh=False)

    def clear(self) -> None:
        """Nothing is known any more."""
        clear(self._a, 0, 0, 0)
        self._best, self.beyond = [0, f.NO_ASK, 0, 0], 0

    def _take(self, bids: Levels, asks: Levels, venue_ns: int, *, fresh: bool) -> Gate:
        count = len(bids) + len(asks)
        if count > MOST_LEVELS:
            return Gate.ZERO
        if count > self._rows.shape[1]:
            self._rows = np.zeros((2, 2 * count), np.int64)
        if count:
            flat = np.array(bids + asks, dtype=np.float64)
            fault = k.read_levels(flat[:, 0], flat[:, 1], self._scale, self._rows, self._span)
            if fault:
                return _FAULTS[fault]
            first, last = self._span.tolist()
            if fresh or first < self._low or last > self._high:
                self._cover(len(bids), count, first, last, fresh)
            self.beyond += k.write_levels(self._a, self._rows, count, len(bids))
        self.venue_ns = venue_ns
        bid, ask, _, _ = self._best = self._a[: f.S_ASK_LOTS + 1].tolist()
        if bid < ask:
            return Gate.PASS
        return Gate.LOCKED if bid == ask else Gate.CROSSED

    def _cover(self, bids: int, count: int, first: int, last: int, fresh: bool) -> None:
        """Widen the window so that it holds the message's levels, those within reach of the market."""
        low, high = self._low, self._high
        middle = self._middle(bids, count) if fresh else self._middle_held(first, last)
        reach = MOST_TICKS // 2 - 1
        first, last = max(first, middle - reach, 1), min(last, middle + reach)
        if not fresh:
            if low <= first and last <= high:
                return
            first, last = min(first, max(low, middle - reach)), max(last, min(high, middle + reach))
        begin, width = _around(first, last)
        wider = _window(begin, width)
        if not fresh:
            k.copy_levels(self._a, wider)
        self._a, self._low, self._high = wider, begin, begin + width - 1

    def _middle(self, bids: int, count: int) -> int:
        """Between the best bid and the best ask of a message that is a whole book."""
        ticks = self._rows[0]
        ends = [int(ticks[:bids].max())] if bids else []
        ends += [int(ticks[bids:count].min())] if count > bids else []
        return sum(ends) // len(ends)

    def _middle_held(self, first: int, last: int) -> int:
        bid, ask, _, _ = self._best
        ends = [x for x in (bid if bid else None, ask if ask != f.NO_ASK else None) if x is not None]
        return sum(ends) // len(ends) if ends else (first + last) // 2

    # --- what stands --------------------------------------------------------------------------------

    @property
    def bid(self) -> float | None:
        """Best bid; None for an empty side."""
        return self.price(self._best[0]) if self._best[0] else None

    @property
    def ask(self) -> float | None:
        """Best ask; None for an empty side."""
        return self.price(self._best[1]) if self._best[1] != f.NO_ASK else None

    @property
    def bid_lots(self) -> int:
        """Lots at the best bid."""
        return self._best[2]

    @property
    def ask_lots(self) -> int:
        """Lots at the best ask."""
        return self._best[3]

    @property
    def at_edge(self) -> bool:
        """Whether the market has come near levels that were left away: a new snapshot is needed."""
        if not self.beyond:
            return False
        bid, ask, _, _ = self._best
        near = (self._high - self._low) // 16
        return (bid != 0 and bid > self._high - near) or (ask != f.NO_ASK and ask < self._low + near)

    def price(self, tick: int) -> float:
        """The price at a tick."""
        return tick * self._numerator / self._denominator

    def levels(self, buy: bool, most: int = 10) -> tuple[tuple[float, int], ...]:
        """The best levels of a side, best first: price and lots."""
        out = np.zeros((2, most), np.int64)
        found = k.top_levels(self._a, buy, out)
        return tuple((self.price(int(out[0, i])), int(out[1, i])) for i in range(found))

    def sweep(self, lots: int, limit: float | None = None) -> Swept:
        """What an order of signed `lots` that takes at once would get, down to 1,000 levels and not beyond `limit`."""
        buy, left, paid = lots > 0, abs(lots), 0.0
        for price, shown in self.levels(not buy, 1_000):
            if left == 0 or (limit is not None and (price > limit if buy else price < limit)):
                break
            took = min(left, shown)
            paid, left = paid + took * price, left - took
        got = abs(lots) - left
        return Swept(got if buy else -got, paid / got if got else None)


def _around(first: int, last: int) -> tuple[int, int]:
    """Lowest tick and width, a power of two, of a window with room on both sides."""
    width = max(LEAST_TICKS, min(MOST_TICKS, 1 << max(1, (2 * (last - first + 1) - 1).bit_length())))
    return max(1, (first + last) // 2 - width // 2), width


def _window(low: int, width: int) -> IntArray:
    a = np.zeros(f.SYMBOL + 2 * width, np.int64)
    a[f.S_ASK], a[f.S_BOOK], a[f.S_BOOK_LOW], a[f.S_BOOK_MASK] = f.NO_ASK, f.SYMBOL, low, width - 1
    return a
