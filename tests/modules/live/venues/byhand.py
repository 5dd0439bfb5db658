"""A matching that fills when it is told, so that a test says what an exchange does."""

from __future__ import annotations

import time

from modules.live.messages import Corrected, Filled, Report, VenueNews
from modules.live.venues.sim.orders import SimOrders
from modules.live.venues.sim.protocol import NewOrder


class ByHand:
    """One account; nothing fills by itself. Fees are none."""

    symbols = ("AAA.TEST", "BBB.TEST")

    def __init__(self) -> None:
        self.orders = SimOrders()
        self.refuses = 0
        self._executions = 0

    def submit(self, order: NewOrder) -> list[VenueNews]:
        refusal = None if order.symbol in self.symbols else f"symbol {order.symbol} is not traded here"
        if self.refuses:
            self.refuses -= 1
            refusal = "refused by hand"
        return [self.orders.take(order, refusal, time.time_ns())[1]]

    def cancel(self, client_id: str) -> list[VenueNews]:
        return [self.orders.cancel(client_id, time.time_ns())]

    def cancel_all(self) -> list[VenueNews]:
        return self.orders.cancel_all(time.time_ns())

    def proceed(self, ts_ns: int) -> list[VenueNews]:
        return []

    def standing(self) -> list[VenueNews]:
        return []

    def report(self) -> Report:
        return Report("sim", tuple(self.orders.report()), self.positions(), self.cash(), True, time.time_ns())

    def positions(self) -> dict[str, int]:
        """Lots held: the sum of the fills."""
        total: dict[str, int] = {}
        for fill in self.fills():
            total[fill.symbol] = total.get(fill.symbol, 0) + fill.lots
        return {symbol: lots for symbol, lots in total.items() if lots}

    def cash(self) -> int:
        """What the fills left of 10**12 micros."""
        return 10**12 - sum(f.value_micros + f.fee_micros for f in self.fills())

    def fills(self) -> list[Filled]:
        """All fills that stand."""
        return [f for o in self.orders.by_id.values() for f in o.fills.values()]

    def fill(self, client_id: str, lots: int, price: float) -> Filled:
        """Execute a part of an order, also of one that has ended."""
        order = self.orders.by_id[client_id]
        ended = order.ended
        fill = self.orders.fill(order, lots, price, round(lots * price * 1e6), 0, time.time_ns())
        order.ended = ended or order.ended
        return fill

    def correct(self, client_id: str, exec_id: str, lots: int, price: float) -> Corrected:
        """Correct an execution."""
        order = self.orders.by_id[client_id]
        value = round(lots * price * 1e6)
        corrected = Corrected(client_id, exec_id, order.sent.symbol, lots, price, value, 0, time.time_ns())
        self.orders.correct(corrected)
        return corrected
