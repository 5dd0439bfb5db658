"""Two strategies, each compiled and in Python: a crossover of averages on bars, and a market maker that requotes."""

from __future__ import annotations

from modules.engine.exchange import view as v
from modules.engine.exchange.strategy import Strategy
from modules.jit import kernel
from modules.panel import FloatArray, IntArray

FAST, SLOW = 20, 100
LOTS = 10
MOST = 200
WAIT_NS = 10_000_000
NOBODY = 1 << 60  # asks above this are no asks


@kernel
def crossover(a: IntArray, memory: FloatArray) -> None:
    """Long while the mean of the last 20 closes is above that of the last 100.

    Memory: 1 bars seen, 2 and 3 the sums, 4 the last order, 10.. the last 100 closes.
    """
    n = int(memory[1])
    close = float(v.close(a, 0))
    memory[2] += close - (memory[10 + (n - FAST) % SLOW] if n >= FAST else 0.0)
    memory[3] += close - (memory[10 + n % SLOW] if n >= SLOW else 0.0)
    memory[10 + n % SLOW] = close
    memory[1] += 1.0
    if n + 1 < SLOW or (memory[5] > 0.0 and v.is_working(a, int(memory[4]))):
        return
    held = v.position(a, 0)
    above = memory[2] * SLOW > memory[3] * FAST
    if above != (held > 0):
        memory[4] = float(v.market(a, 0, LOTS if above else -held))
        memory[5] = 1.0


class Crossover(Strategy):
    """The same in Python."""

    def __init__(self) -> None:
        self.closes = [0.0] * SLOW
        self.seen = 0
        self.order = -1
        self.fast = self.slow = 0.0

    def on_bar(self, time_ns: int, symbol: int, open_: int, high: int, low: int, close: int, volume: int) -> None:
        n, closes = self.seen, self.closes
        self.fast += close - (closes[(n - FAST) % SLOW] if n >= FAST else 0.0)
        self.slow += close - (closes[n % SLOW] if n >= SLOW else 0.0)
        closes[n % SLOW] = close
        self.seen = n + 1
        if n + 1 < SLOW or self.is_working(self.order):
            return
        held = self.position(0)
        above = self.fast * SLOW > self.slow * FAST
        if above != (held > 0):
            self.order = self.market(0, LOTS if above else -held)


@kernel
def _requote(a: IntArray, order: int, signed_lots: int, price: int) -> int:
    """Keep a working order at its price; move it where the price has moved."""
    if v.is_working(a, order):
        if v.price_of_order(a, order) == price:
            return order
        v.cancel(a, order)
    if abs(v.position(a, 0) + signed_lots) > MOST:
        return order
    return v.limit(a, 0, signed_lots, price)


@kernel
def market_maker(a: IntArray, memory: FloatArray) -> None:
    """Every 10 ms, or `memory[4]` ns: a post-only bid and ask, a tick behind the best. Memory: 1 and 2 the orders."""
    v.wake_at(a, v.now(a) + (int(memory[4]) if memory[4] > 0.0 else WAIT_NS))
    bid, ask = v.bid(a, 0), v.ask(a, 0)
    if bid == 0 or ask > NOBODY:
        return
    memory[1] = float(_requote(a, int(memory[1]) if memory[3] > 0.0 else -1, LOTS, bid - 1))
    memory[2] = float(_requote(a, int(memory[2]) if memory[3] > 0.0 else -1, -LOTS, ask + 1))
    memory[3] = 1.0


class MarketMaker(Strategy):
    """The same in Python."""

    def __init__(self) -> None:
        self.buy = self.sell = -1

    def on_start(self, time_ns: int) -> None:
        self.quote()

    def on_timer(self, time_ns: int) -> None:
        self.quote()

    def quote(self) -> None:
        """Both sides anew."""
        self.wake_at(self.now() + WAIT_NS)
        bid, ask = self.bid(0), self.ask(0)
        if bid == 0 or ask > NOBODY:
            return
        self.buy = self.requote(self.buy, LOTS, bid - 1)
        self.sell = self.requote(self.sell, -LOTS, ask + 1)

    def requote(self, order: int, signed_lots: int, price: int) -> int:
        """Keep a working order at its price; move it where the price has moved."""
        if self.is_working(order):
            if self.price_of_order(order) == price:
                return order
            self.cancel(order)
        if abs(self.position(0) + signed_lots) > MOST:
            return order
        return self.limit(0, signed_lots, price)
