"""The orders that a parent has sent: what filled, what may fill yet, and so how much is free to be sent.

A child of which nobody knows whether the venue has it counts as open: its lots are not sent a second time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from modules.live.algorithms.heard import OrderNews, Send
from modules.live.algorithms.parent import AlgorithmError, Parent
from modules.live.messages import (
    Acknowledged,
    Busted,
    Cancelled,
    CancelRefused,
    Corrected,
    Expired,
    Filled,
    Lost,
    OpenAtVenue,
    OrderType,
    RefusedByVenue,
    Ruled,
    TimeInForce,
)
from modules.live.orders.book import OrderBook
from modules.live.orders.ids import child_of, client_id
from modules.live.orders.order import Fill, Order, Ticket
from modules.live.orders.states import News, State
from modules.live.risk.rules import Answer
from modules.live.units import MICROS

MOST_CHILDREN: Final = 100_000
_NEWS: Final[dict[type, News]] = {
    Acknowledged: News.ACKNOWLEDGED,
    RefusedByVenue: News.REFUSED,
    Cancelled: News.CANCELLED,
    CancelRefused: News.CANCEL_REFUSED,
    Expired: News.EXPIRED,
    Lost: News.LOST,
}


@dataclass(frozen=True)
class Child:
    """Why a child was sent: in which slice, and whether it crosses the spread."""

    slice: int
    crosses: bool


class Children:
    """All children of one parent. Lots are without sign, in the parent's direction."""

    def __init__(self, parent: Parent) -> None:
        self.parent = parent
        self.book = OrderBook()
        self.kinds: dict[str, Child] = {}
        self.filled = 0
        self.open_lots = 0
        self.number = 0
        """Of the next child, in its id."""
        self.crossing_lots = 0
        self._open: dict[str, tuple[int, int]] = {}  # filled and left of each child, as counted above
        self._live: dict[str, None] = {}

    @property
    def free(self) -> int:
        """Lots that neither filled nor may fill yet; never below 0."""
        return max(0, self.parent.total - self.filled - self.open_lots)

    def live(self) -> Iterator[Order]:
        """Children that a venue may have, oldest first."""
        return (self.book.orders[i] for i in self._live)

    def send(
        self,
        now_ns: int,
        lots: int,
        venue: str,
        order_type: OrderType,
        time_in_force: TimeInForce,
        limit_micros: int | None,
        kind: Child,
    ) -> Send:
        """A new child. Raises AlgorithmError for more than is free: a fault here must not reach a venue."""
        parent = self.parent
        if not 0 < lots <= self.free:
            raise AlgorithmError(
                f"child of {lots} lots, parent {parent.parent_id} has {self.free} free of {parent.total}: a child is "
                "never larger than what its parent has left"
            )
        number = self.number
        if number >= MOST_CHILDREN:
            raise AlgorithmError(
                f"parent {parent.parent_id} has sent {number} children, the most there may be; "
                "give larger slices or a larger least_lots"
            )
        ticket = Ticket(
            client_id=client_id(
                parent.account, child_of(parent.strategy, parent.parent_id), now_ns, parent.symbol, number
            ),
            strategy=parent.strategy,
            symbol=parent.symbol,
            lots=parent.side * lots,
            venue=venue,
            order_type=order_type,
            time_in_force=time_in_force,
            limit_micros=limit_micros,
            parent=parent.parent_id,
        )
        left = self.free
        self.number = number + 1
        self.book.create(ticket)
        self.kinds[ticket.client_id] = kind
        self._count(ticket.client_id)
        return Send(ticket, left)

    def adopt(self, told: OpenAtVenue, number: int, kind: Child) -> None:
        """Take in a child that an earlier process sent, as the desk has it. Raises OrderError for what cannot be."""
        parent = self.parent
        ticket = Ticket(
            told.client_id, parent.strategy, told.symbol, told.lots, parent.venues[0], told.order_type,
            told.time_in_force, _micros(told.limit_price), parent.parent_id,
        )  # fmt: skip
        if self.book.create(ticket):
            self.book.hear(told.client_id, News.SENT)
            self.kinds[told.client_id] = kind
            self._count(told.client_id)
        self.number = max(self.number, number + 1)
        for news in news_of(told):
            self.hear(news)

    def withdraw(self, name: str) -> None:
        """A cancel of it goes out."""
        self.book.hear(name, News.CANCEL_SENT)

    def hear(self, news: OrderNews) -> Order | None:
        """The child after news of it; None where it is not of this parent."""
        order = self.book.orders.get(news.client_id)
        if order is None:
            return None
        if isinstance(news, Filled | Corrected):
            fill = Fill(news.exec_id, news.lots, round(news.price * MICROS), news.fee_micros, news.value_micros)
            if isinstance(news, Filled):
                self.book.fill(news.client_id, fill)
            else:
                self.book.correct(news.client_id, fill)
        elif isinstance(news, Busted):
            self.book.bust(news.client_id, news.exec_id)
        elif isinstance(news, Ruled):
            self._ruled(order, news)
        elif type(news) in _NEWS:
            self.book.hear(news.client_id, _NEWS[type(news)])
        elif order.state is State.CREATED:
            self.book.hear(news.client_id, News.WITHDRAWN)
        else:
            self.book.hear(news.client_id, News.NEVER_ARRIVED)
        self._count(news.client_id)
        return self.book.orders[news.client_id]

    def _ruled(self, order: Order, ruled: Ruled) -> None:
        """What went out is an order of the lots that were allowed."""
        name = order.ticket.client_id
        if ruled.answer not in (Answer.APPROVE, Answer.REDUCE) or ruled.allowed == 0:
            if order.state is State.CREATED:
                self.book.hear(name, News.WITHDRAWN)
            return
        self.book.hear(name, News.SENT)
        if ruled.allowed != order.ticket.lots:
            self.book.size(name, ruled.allowed)

    def _count(self, name: str) -> None:
        """Bring the totals up to this child."""
        order, side = self.book.orders[name], self.parent.side
        before = self._open.get(name, (0, 0))
        now = side * order.filled, max(0, side * order.left)
        self._open[name] = now
        self.filled += now[0] - before[0]
        self.open_lots += now[1] - before[1]
        if self.kinds[name].crosses:
            self.crossing_lots += now[1] - before[1]
        if order.is_open:
            self._live[name] = None
        else:
            self._live.pop(name, None)


def news_of(told: OpenAtVenue) -> list[OrderNews]:
    """What the desk has of a child in the words of news, which may be heard again and again."""
    news: list[OrderNews] = list(told.fills)
    if told.ended == "rejected":
        news.append(RefusedByVenue(told.client_id, "the desk has it as refused", 0))
    elif told.ended == "expired":
        news.append(Expired(told.client_id, 0))
    elif told.ended is not None and sum(f.lots for f in told.fills) != told.lots:
        news.append(Cancelled(told.client_id, 0))
    return news


def _micros(price: float | None) -> int | None:
    return None if price is None else round(price * MICROS)
