"""The backtest's fills, a bar at a time, as news of a venue."""

from __future__ import annotations

from modules.engine.accounting import (
    FILLS,
    NEXT_ORDER,
    PENDING,
    ActionLog,
    BarLog,
    Book,
    FillLog,
    Market,
    Room,
    Terms,
    new_room,
)
from modules.engine.bars import Run
from modules.engine.loop import begin_bar
from modules.jit import uncounted
from modules.live.messages import Expired, Filled, Moved, VenueNews
from modules.live.orders.order import Ticket


@uncounted
def _begin(
    t: int, row: int, market: Market, terms: Terms, book: Book, bars: BarLog, fills: FillLog, acts: ActionLog,
    room: Room,
) -> None:  # fmt: skip
    begin_bar(t, row, market, terms, book, bars, fills, acts, room)


class Matching:
    """Fills at each bar what was ordered at the one before."""

    def __init__(self, run: Run) -> None:
        self.run, self.t = run, run.start
        self._working: dict[int, str] = {}

    def order(self, ticket: Ticket) -> None:
        """An order that fills at the next bar."""
        book, column = self.run.book, self.run.bars.symbols.index(ticket.symbol)
        book.pending[column], book.pending_id[column] = ticket.lots, book.totals[NEXT_ORDER]
        book.totals[NEXT_ORDER] += 1
        book.totals[PENDING] += 1
        self._working[column] = ticket.client_id

    def bar(self) -> tuple[int, list[VenueNews]]:
        """Take the next bar; its label, and what became of the orders."""
        run, t, row = self.run, self.t, self.t - self.run.start
        ts_ns, before, fills = int(run.bars.ts[t]), int(run.book.totals[FILLS]), run.fills
        _begin(t, row, run.market, run.terms, run.book, run.log, fills, run.acts, new_room(run.book))
        news: list[VenueNews] = []
        for k in range(before, int(run.book.totals[FILLS])):
            column = int(fills.symbol[k])
            fees = int(fills.commission[k] + fills.spread[k] + fills.impact[k])
            news.append(
                Filled(
                    self._working.pop(column), f"x{k}", run.bars.symbols[column], int(fills.lots[k]),
                    float(fills.price[k]), int(fills.notional[k]), fees, ts_ns,
                )
            )  # fmt: skip
        news += [Expired(client_id, ts_ns) for client_id in self._working.values()]
        self._working.clear()
        if run.log.borrow[row]:
            news.append(Moved("borrow", None, -int(run.log.borrow[row]), ts_ns))
        self.t += 1
        return ts_ns, news
