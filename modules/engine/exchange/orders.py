"""Words of an order's life: types, times in force, states, events, reasons, and the table of what may follow what."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np

from modules.engine.exchange import layout as f
from modules.engine.exchange.plain import inlined


class OrderType(IntEnum):
    """How an order is priced."""

    MARKET = 0
    LIMIT = 1
    STOP = 2
    STOP_LIMIT = 3


class TimeInForce(IntEnum):
    """How long an order works. DAY: to the end of the UTC day of its arrival; on bars, of the first bar it meets."""

    GTC = 0
    IOC = 1
    FOK = 2
    DAY = 3


class State(IntEnum):
    """Where an order stands. The exchange and the strategy each have their own, and both follow `NEXT`."""

    NONE = 0
    SENT = 1
    WAITING = 2
    WORKING = 3
    PARTLY_FILLED = 4
    FILLED = 5
    CANCELLED = 6
    REJECTED = 7
    EXPIRED = 8


class Event(IntEnum):
    """What can happen to an order."""

    SEND = 0
    ACCEPT = 1
    ACCEPT_STOP = 2
    REJECT = 3
    TRIGGER = 4
    FILL_PART = 5
    FILL_LAST = 6
    CANCEL = 7
    EXPIRE = 8
    REPLACE = 9
    CANCEL_REFUSED = 10
    REPLACE_REFUSED = 11


class Reason(IntEnum):
    """Why an order or a request was refused, or why an order ended unfilled. The first that holds is given."""

    NONE = 0
    UNKNOWN_SYMBOL = 1
    BAD_QUANTITY = 2
    BAD_PRICE = 3
    BAD_STOP = 4
    BAD_TERMS = 5
    DUPLICATE_CLIENT_ID = 6
    TOO_MANY_ORDERS = 7
    RISK = 8
    POST_ONLY_WOULD_TAKE = 9
    FOK_UNFILLABLE = 10
    IOC_REMAINDER = 11
    DAY_ENDED = 12
    BY_CLIENT = 13
    BY_RISK = 14
    UNKNOWN_ORDER = 15
    TOO_LATE = 16
    REQUEST_UNDER_WAY = 17
    BELOW_FILLED = 18


LIVE: Final = (State.SENT, State.WAITING, State.WORKING, State.PARTLY_FILLED)
FINISHED: Final = (State.FILLED, State.CANCELLED, State.REJECTED, State.EXPIRED)


def _transitions() -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    table = np.full((len(State), len(Event)), f.NONE, dtype=np.int64)
    table[State.NONE, Event.SEND] = State.SENT
    for done in FINISHED:  # a slot is used again
        table[done, Event.SEND] = State.SENT
    table[State.SENT, Event.ACCEPT] = State.WORKING
    table[State.SENT, Event.ACCEPT_STOP] = State.WAITING
    table[State.SENT, Event.REJECT] = State.REJECTED
    table[State.WAITING, Event.TRIGGER] = State.WORKING
    for at_work in (State.WORKING, State.PARTLY_FILLED):
        table[at_work, Event.FILL_PART] = State.PARTLY_FILLED
        table[at_work, Event.FILL_LAST] = State.FILLED
    for accepted in (State.WAITING, State.WORKING, State.PARTLY_FILLED):
        table[accepted, Event.CANCEL] = State.CANCELLED
        table[accepted, Event.EXPIRE] = State.EXPIRED
        table[accepted, Event.REPLACE] = accepted
    for state in State:
        if state not in (State.NONE, State.SENT):
            table[state, Event.CANCEL_REFUSED] = state
            table[state, Event.REPLACE_REFUSED] = state
    return table


NEXT: Final = _transitions()
"""`NEXT[state, event]`: the state that follows, or -1 where the event cannot happen in that state."""

_SENT: Final = int(State.SENT)
_PARTLY: Final = int(State.PARTLY_FILLED)


@inlined
def follow(state: int, event: int) -> int:
    """`NEXT[state, event]`."""
    return int(NEXT[state, event])


@inlined
def is_live(state: int) -> bool:
    """Whether an order in this state may still fill."""
    return _SENT <= state <= _PARTLY
