"""The step that all algorithms share: how much should be done by now, what is done, and what to send for the rest.

An algorithm says two figures: `wanted`, the lots that may have been sent by now, and `late`, those that should have
filled. What is wanted beyond what filled or may fill yet is sent; what is late crosses the spread, the rest is placed
as the style says. A child that rests when its slice is over is withdrawn; its lots go out again only when the venue
has said that they came back. After the end, or when it was stopped, nothing but cancels goes out.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Literal

from modules.live.algorithms import routing
from modules.live.algorithms.children import MOST_CHILDREN, Child, Children
from modules.live.algorithms.heard import Action, Event, NotSent, Shown, Traded, Withdraw
from modules.live.algorithms.parent import AlgorithmError, Parent
from modules.live.algorithms.schedule import Slices
from modules.live.messages import OrderType, RefusedByVenue, Ruled, TimeInForce
from modules.live.orders.order import Order, OrderError
from modules.live.orders.states import State
from modules.live.risk.rules import FLATTENING, Answer, Rule

Style = Literal["market", "take", "make"]
MOST_REFUSALS: Final = 5
"""Refused so often in a row, with nothing filled between, the order is stopped: a human should look."""

_AT_VENUE: Final = (State.SENT, State.WORKING, State.CANCELLING, State.UNKNOWN)
_STOPPING: Final = {int(r) for r in (*FLATTENING, Rule.KILLED)}


class Standing(Enum):
    """Where a parent is."""

    WAITING = "waiting"  # its time has not come
    WORKING = "working"
    CLOSING = "closing"  # its time is over, or it was stopped; children may still fill
    DONE = "done"


@dataclass(frozen=True)
class Placing:
    """How children are placed. `style`: `market` orders; `take` what is displayed, as limit orders that do not rest; or
    `make`: rest at the touch, and cross with what has not filled when the slice is over.

    `retry_ns`: pause after orders that crossed, and after a refusal. `least_lots`: smaller children are not sent, but
    for the last. `most_lots`: of a child, 0 = no bound. `terms`: what each venue costs.
    """

    style: Style = "take"
    retry_ns: int = 1_000_000_000
    least_lots: int = 1
    most_lots: int = 0
    terms: Mapping[str, routing.Terms] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.retry_ns < 1 or self.least_lots < 1 or self.most_lots < 0:
            raise AlgorithmError(
                f"retry_ns {self.retry_ns}, least_lots {self.least_lots}, most_lots {self.most_lots}: the first "
                "two are at least 1, the last at least 0"
            )
        if 0 < self.most_lots < self.least_lots:
            raise AlgorithmError(
                f"most_lots {self.most_lots} is below least_lots {self.least_lots}, so no child could be sent; raise it"
            )


class Algorithm(ABC):
    """One parent order at work. Equal calls in equal order give equal orders: no clock, no randomness of its own."""

    name: str

    def __init__(self, parent: Parent, slices: Slices, placing: Placing) -> None:
        self.parent, self.slices, self.placing = parent, slices, placing
        self.children = Children(parent)
        self.shown: dict[str, Shown] = {}
        self.terms = {v: placing.terms.get(v, routing.Terms()) for v in parent.venues}
        self.now_ns = 0
        self.volume = 0  # lots that the market traded inside the window
        self.stopped: str | None = None
        self.refusals = 0
        self._asked: dict[str, int] = {}  # when a cancel that was sent may be sent again
        self._quiet_until = 0
        self._quiet_slice = -2

    @abstractmethod
    def wanted(self) -> int:
        """Lots that may be filled or on their way by now; never falls, never above the total."""

    @abstractmethod
    def late(self) -> int:
        """Lots that should have filled by now, at most `wanted`."""

    # --- what is heard, what goes out -----------------------------------------------------------------

    def on(self, now_ns: int, event: Event | None = None) -> list[Action]:
        """Take in the time, and what happened; returns what to do, in order. A time before the last one is that one."""
        self.now_ns = max(self.now_ns, now_ns)
        if event is not None:
            self._take_in(event)
        if self.standing in (Standing.WAITING, Standing.DONE):
            return []
        if self.standing is Standing.CLOSING:
            return self._withdraw(self.children.live())
        return self._step()

    def stop(self, reason: str) -> list[Action]:
        """End it now: open children are withdrawn, nothing more is sent."""
        self.stopped = self.stopped or reason
        return self._withdraw(self.children.live())

    @property
    def standing(self) -> Standing:
        """Where it is."""
        over = self.stopped is not None or self.now_ns >= self.parent.end_ns
        if not over and self.now_ns < self.parent.begin_ns:
            return Standing.WAITING
        if self.children.open_lots == 0 and (over or self.children.free == 0):
            return Standing.DONE
        return Standing.CLOSING if over else Standing.WORKING

    @property
    def wake_ns(self) -> int | None:
        """When it wants to be called at the latest; None = only when something happened."""
        if self.now_ns < self.parent.begin_ns:
            return self.parent.begin_ns
        if self.standing is Standing.CLOSING:
            return min((self._asked.get(o.ticket.client_id, self.now_ns) for o in self.children.live()), default=None)
        if self.standing is not Standing.WORKING:
            return None
        wake = self.slices.start(self.slices.at(self.now_ns) + 1)
        return min(wake, self._quiet_until) if self._quiet_until > self.now_ns else wake

    @property
    def crosses_the_rest(self) -> bool:
        """Whether this is the last slice of an order that is to be done by its end."""
        return self.parent.residual == "cross" and self.slices.at(self.now_ns) >= self.slices.count - 1

    def _take_in(self, event: Event) -> None:
        if isinstance(event, Shown):
            self.shown[event.venue] = event
        elif isinstance(event, Traded):
            if self.parent.begin_ns < event.ts_ns <= self.parent.end_ns and event.lots > 0:
                self.volume += event.lots
        else:
            before = self.children.filled
            try:
                known = self.children.hear(event)
            except OrderError as error:
                self.stopped = self.stopped or f"what was heard cannot be: {error}"
                return
            if known is None:
                return
            if self.children.filled != before:
                self.refusals = 0
            if isinstance(event, Ruled):
                self._ruled(event)
            elif isinstance(event, RefusedByVenue):
                self._refused(event.reason)
            elif isinstance(event, NotSent):
                self._pause()

    def _ruled(self, ruled: Ruled) -> None:
        if ruled.rule in _STOPPING or ruled.answer == Answer.FLATTEN:
            self.stopped = self.stopped or f"the risk core: {Rule(ruled.rule).name}"
        elif ruled.answer == Answer.REJECT or ruled.allowed == 0:
            self._refused(f"the risk core: {Rule(ruled.rule).name}")

    def _refused(self, reason: str) -> None:
        self.refusals += 1
        self._pause()
        if self.refusals >= MOST_REFUSALS:
            self.stopped = self.stopped or f"refused {self.refusals} times: {reason}"

    def _pause(self) -> None:
        """Nothing is sent for a while, whether or not a slice begins."""
        self._quiet_until, self._quiet_slice = self.now_ns + self.placing.retry_ns, self.slices.count

    # --- one step -------------------------------------------------------------------------------------

    def _step(self) -> list[Action]:
        here, children = self.slices.at(self.now_ns), self.children
        out = self._withdraw(o for o in children.live() if self._is_overdue(o.ticket.client_id, here))
        want, late = (self.parent.total,) * 2 if self.crosses_the_rest else (self.wanted(), self.late())
        due = min(want - children.filled - children.open_lots, children.free)
        small = due < self.placing.least_lots and due < children.free
        if due <= 0 or small or (self.now_ns < self._quiet_until and here <= self._quiet_slice):
            return out
        if len(children.kinds) + len(self.parent.venues) + 1 > MOST_CHILDREN:
            return out + self.stop(f"{len(children.kinds)} children were sent; give larger slices or least_lots")
        crossing = due
        if self.placing.style == "make":
            crossing = min(due, max(0, late - children.filled - children.crossing_lots))
        sent = self._cross(crossing, here) + self._rest(due - crossing, here)
        if sent:
            self._quiet_until, self._quiet_slice = self.now_ns + self.placing.retry_ns, here
        return out + sent

    def _is_overdue(self, client_id: str, here: int) -> bool:
        """Whether a child rests since an earlier slice."""
        child = self.children.kinds[client_id]
        return not child.crosses and child.slice < here

    def _withdraw(self, orders: Iterable[Order]) -> list[Action]:
        """Cancels of orders that may be at a venue; each again only after a pause."""
        out: list[Action] = []
        for order in list(orders):
            client_id = order.ticket.client_id
            if order.state in _AT_VENUE and self._asked.get(client_id, self.now_ns) <= self.now_ns:
                self._asked[client_id] = self.now_ns + self.placing.retry_ns
                self.children.withdraw(client_id)
                out.append(Withdraw(client_id))
        return out

    def _cross(self, lots: int, here: int) -> list[Action]:
        """Children that fill at once or not at all."""
        if lots <= 0:
            return []
        parent = self.parent
        legs = routing.take(
            lots, parent.buys, self.shown, self.terms, parent.venues, self.now_ns,
            limit_micros=parent.limit_micros, tick_micros=parent.tick_micros,
        )  # fmt: skip
        if self.placing.style == "market" or (not legs and self.crosses_the_rest):
            venue = max(legs, key=lambda leg: leg.lots).venue if legs else parent.venues[0]
            return self._child(lots, venue, parent.limit_micros, Child(here, crosses=True))
        return [
            send
            for leg in legs
            for send in self._child(leg.lots, leg.venue, leg.limit_micros, Child(here, crosses=True))
        ]

    def _rest(self, lots: int, here: int) -> list[Action]:
        """A child that rests."""
        leg = self._place_to_rest() if lots > 0 else None
        return [] if leg is None else self._child(lots, leg.venue, leg.limit_micros, Child(here, crosses=False))

    def _place_to_rest(self) -> routing.Leg | None:
        """Where, and at what price; None = nowhere yet."""
        parent = self.parent
        return routing.make(
            parent.buys, self.shown, self.terms, parent.venues, self.now_ns, limit_micros=parent.limit_micros
        )

    def _child(self, lots: int, venue: str, limit_micros: int | None, kind: Child) -> list[Action]:
        lots = min(lots, self.placing.most_lots or lots)
        order_type: OrderType = "market" if limit_micros is None else "limit"
        time_in_force: TimeInForce = "ioc" if kind.crosses else "day"
        return [self.children.send(self.now_ns, lots, venue, order_type, time_in_force, limit_micros, kind)]
