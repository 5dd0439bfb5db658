"""The same algorithms in the event engine: its events become what an algorithm hears, its orders what one asks for.

    worked = Working([algorithm])
    replay = replay_python(stream, worked, settings)

An instrument of the stream is one symbol at one venue; where an order may go to several, `places` names the instrument
of each. What an algorithm heard and sent is kept in `executions` and `children`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from modules.engine.exchange import layout, view
from modules.engine.exchange.orders import Event as OrderEvent
from modules.engine.exchange.orders import Reason
from modules.engine.exchange.strategy import Strategy
from modules.live.algorithms.algorithm import Algorithm
from modules.live.algorithms.heard import Event, NotSent, Send, Shown, Traded
from modules.live.algorithms.parent import AlgorithmError
from modules.live.messages import Acknowledged, Cancelled, CancelRefused, Expired, Filled, RefusedByVenue, Ruled
from modules.live.orders.order import Ticket
from modules.live.risk.rules import Answer, Rule
from modules.live.units import MICROS


@dataclass(frozen=True)
class Place:
    """Where an algorithm trades in the stream: the instrument's number, and the venue that it stands for."""

    algorithm: Algorithm
    venue: str
    number: int


class Working(Strategy):
    """Works any number of parents at once. `places`: the instrument of (symbol, venue), where it is not the symbol."""

    def __init__(self, algorithms: Sequence[Algorithm], places: Mapping[tuple[str, str], str] | None = None) -> None:
        self.algorithms = tuple(algorithms)
        self.executions: list[Filled] = []
        self.children: list[tuple[int, Send]] = []
        self._named = dict(places or {})
        self._places: tuple[Place, ...] = ()
        self._owner: dict[int, tuple[Algorithm, str]] = {}
        self._number: dict[str, int] = {}
        self._fills = 0

    # --- what the engine says ------------------------------------------------------------------------

    def on_start(self, time_ns: int) -> None:
        """Find the instruments; ask for the first call."""
        at = {symbol: k for k, symbol in enumerate(self.symbols)}
        found = []
        for algorithm in self.algorithms:
            for venue in algorithm.parent.venues:
                name = self._named.get((algorithm.parent.symbol, venue), algorithm.parent.symbol)
                if name not in at:
                    raise AlgorithmError(
                        f"parent {algorithm.parent.parent_id}: {name} at {venue} is no instrument of the stream "
                        f"({', '.join(self.symbols)}); name it in `places`"
                    )
                found.append(Place(algorithm, venue, at[name]))
        self._places = tuple(found)
        self._everyone(time_ns)

    def on_timer(self, time_ns: int) -> None:
        """A slice has begun, or a pause is over."""
        self._everyone(time_ns)

    def on_quote(self, time_ns: int, symbol: int, bid: int, ask: int, bid_lots: int, ask_lots: int) -> None:
        """A new touch."""
        self._show(time_ns, symbol)

    def on_depth(self, time_ns: int, symbol: int) -> None:
        """A book has changed; its best level is what counts here."""
        self._show(time_ns, symbol)

    def on_trade(self, time_ns: int, symbol: int, price: int, lots: int, aggressor: int) -> None:
        """Others have traded."""
        self._traded(time_ns, symbol, price, lots)

    def on_bar(self, time_ns: int, symbol: int, open_: int, high: int, low: int, close: int, volume: int) -> None:
        """A bar's volume."""
        self._traded(time_ns, symbol, close, volume)

    def on_fill(self, time_ns: int, symbol: int, order: int, signed_lots: int, price: int, maker: bool) -> None:
        """A child has filled; fees are in the engine's own account."""
        if order not in self._owner:
            return
        algorithm, client_id = self._owner[order]
        micros, self._fills = self._micros(symbol, price), self._fills + 1
        size = self.instruments[symbol].lot_size
        value = round(signed_lots * size * micros)
        fill = Filled(
            client_id, f"{self._fills}", algorithm.parent.symbol, signed_lots, micros / MICROS, value, 0, time_ns
        )
        self.executions.append(fill)
        self._tell(time_ns, algorithm, fill)

    def on_order(self, time_ns: int, symbol: int, order: int, event: int, reason: int) -> None:
        """What became of a child."""
        if order not in self._owner:
            return
        algorithm, client_id = self._owner[order]
        if event == OrderEvent.ACCEPT:
            ticket = algorithm.children.book.orders[client_id].ticket
            allowed = self.leaves(order) * (1 if ticket.lots > 0 else -1)
            answer = Answer.APPROVE if allowed == ticket.lots else Answer.REDUCE
            self._tell(time_ns, algorithm, Ruled(client_id, answer, Rule.WITHIN_LIMITS, allowed, None, None, time_ns))
            self._tell(time_ns, algorithm, Acknowledged(client_id, str(order), time_ns))
        elif event == OrderEvent.REJECT:
            self._tell(time_ns, algorithm, RefusedByVenue(client_id, Reason(reason).name, time_ns))
        elif event == OrderEvent.CANCEL:
            self._tell(time_ns, algorithm, Cancelled(client_id, time_ns))
        elif event == OrderEvent.EXPIRE:
            self._tell(time_ns, algorithm, Expired(client_id, time_ns))
        elif event == OrderEvent.CANCEL_REFUSED:
            self._tell(time_ns, algorithm, CancelRefused(client_id, Reason(reason).name, time_ns))

    # --- what the algorithms say ---------------------------------------------------------------------

    def _show(self, time_ns: int, symbol: int) -> None:
        for place in self._places:
            if place.number == symbol:
                bid, ask = self.bid(symbol), self.ask(symbol)
                bids = ((self._micros(symbol, bid), self.bid_lots(symbol)),) if bid else ()
                asks = ((self._micros(symbol, ask), self.ask_lots(symbol)),) if ask != layout.NO_ASK else ()
                self._tell(time_ns, place.algorithm, Shown(place.venue, bids, asks, time_ns))

    def _traded(self, time_ns: int, symbol: int, price: int, lots: int) -> None:
        for place in self._places:
            if place.number == symbol:
                self._tell(time_ns, place.algorithm, Traded(place.venue, self._micros(symbol, price), lots, time_ns))

    def _everyone(self, time_ns: int) -> None:
        for algorithm in self.algorithms:
            self._tell(time_ns, algorithm, None)

    def _tell(self, time_ns: int, algorithm: Algorithm, event: Event | None) -> None:
        actions = algorithm.on(time_ns, event)
        while actions:
            action = actions.pop(0)
            if isinstance(action, Send):
                self.children.append((time_ns, action))
                order = self._submit_child(algorithm, action.ticket)
                if order < 0:
                    full = NotSent(action.ticket.client_id, "too many requests wait", time_ns)
                    actions += algorithm.on(time_ns, full)
                else:
                    self._owner[order] = algorithm, action.ticket.client_id
                    self._number[action.ticket.client_id] = order
            else:
                self.cancel(self._number[action.client_id])
        wakes = [w for w in (a.wake_ns for a in self.algorithms) if w is not None]
        if wakes:
            self.wake_at(min(wakes))

    def _submit_child(self, algorithm: Algorithm, ticket: Ticket) -> int:
        number = next(p.number for p in self._places if p.algorithm is algorithm and p.venue == ticket.venue)
        rests = ticket.time_in_force == "day"
        if ticket.limit_micros is None:
            return self.market(number, ticket.lots)
        price = self._ticks(number, ticket.limit_micros, down=ticket.lots > 0)
        return self.submit(number, ticket.lots, price, view.LIMIT, view.GTC if rests else view.IOC)

    def _micros(self, symbol: int, ticks: int) -> int:
        top, bottom = self.instruments[symbol].ratio()
        return round(ticks * top * MICROS / bottom)

    def _ticks(self, symbol: int, micros: int, *, down: bool) -> int:
        """A limit in ticks, never beyond it."""
        top, bottom = self.instruments[symbol].ratio()
        ticks = round(micros * bottom / (top * MICROS))
        if down and self._micros(symbol, ticks) > micros:
            return ticks - 1
        return ticks + 1 if not down and self._micros(symbol, ticks) < micros else ticks
