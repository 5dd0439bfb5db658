"""The life of an order, as a table: the state it is in, what is heard, the state it is in then.

Three principles decide every row:

1. What the venue may have, it has. An order whose sending had no answer is UNKNOWN: it counts as open, is never sent
   again, and never taken for refused, until the venue says what became of it.
2. News may come twice, late, early or out of order, and the end is the same. An order that has ended stays ended.
3. Fills are facts whatever the state: they are no rows of this table (`order.py`).
"""

from __future__ import annotations

from enum import Enum
from typing import Final


class State(Enum):
    """Where an order is. `UNKNOWN`: it may be at the venue, and it may not."""

    CREATED = "created"  # ruled on and recorded, not yet sent
    SENT = "sent"
    WORKING = "working"
    CANCELLING = "cancelling"  # a cancel was sent
    UNKNOWN = "unknown"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    EXPIRED = "expired"

    __hash__ = object.__hash__  # its members are looked up on the way of every order

    @property
    def is_final(self) -> bool:
        """Whether nothing but fills, busts and corrections can come any more."""
        return self in FINAL


FINAL: Final = frozenset({State.FILLED, State.CANCELLED, State.REJECTED, State.EXPIRED})


class News(Enum):
    """What is heard of an order, beside fills."""

    SENT = "sent"
    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"  # by the risk core, or by the venue in words that say it never worked
    CANCEL_SENT = "cancel sent"
    CANCELLED = "cancelled"
    CANCEL_REFUSED = "cancel refused"
    EXPIRED = "expired"
    LOST = "lost"  # no answer in time, connection gone, process restarted
    NEVER_ARRIVED = "never arrived"  # the venue, asked, has no such order
    STILL_OPEN = "still open"  # the venue, asked, has it open
    WITHDRAWN = "withdrawn"  # by us, before it was sent

    __hash__ = object.__hash__


class Remark(Enum):
    """What a human should hear of."""

    CONTRADICTION = "the news contradicts what the venue said before"
    LATE_FILL = "a fill came after the order had ended"
    EXCESS_FILL = "more was filled than was ordered"
    BUSTED = "the venue took a fill back"
    CORRECTED = "the venue corrected a fill"
    CHANGED_FILL = "a fill came again with other figures"
    ADOPTED = "an order of this account was found at the venue, unknown here, and is taken in"
    IMPOSSIBLE_FILL = "a fill that cannot be of its order was not taken in"


_S, _N = State, News

TABLE: Final[dict[State, dict[News, State]]] = {
    _S.CREATED: {
        _N.SENT: _S.SENT,
        _N.ACKNOWLEDGED: _S.WORKING,  # it was sent, and the record of that was lost
        _N.REFUSED: _S.REJECTED,
        _N.CANCEL_SENT: _S.CANCELLING,
        _N.CANCELLED: _S.CANCELLED,
        _N.CANCEL_REFUSED: _S.CREATED,
        _N.EXPIRED: _S.EXPIRED,
        _N.LOST: _S.UNKNOWN,  # the process ended between the record and the sending, or after it
        _N.NEVER_ARRIVED: _S.REJECTED,
        _N.STILL_OPEN: _S.WORKING,
        _N.WITHDRAWN: _S.CANCELLED,
    },
    _S.SENT: {
        _N.SENT: _S.SENT,
        _N.ACKNOWLEDGED: _S.WORKING,
        _N.REFUSED: _S.REJECTED,
        _N.CANCEL_SENT: _S.CANCELLING,
        _N.CANCELLED: _S.CANCELLED,
        _N.CANCEL_REFUSED: _S.SENT,
        _N.EXPIRED: _S.EXPIRED,
        _N.LOST: _S.UNKNOWN,
        _N.NEVER_ARRIVED: _S.UNKNOWN,  # asked while it was on its way: it may arrive yet
        _N.STILL_OPEN: _S.WORKING,
    },
    _S.WORKING: {
        _N.SENT: _S.WORKING,
        _N.ACKNOWLEDGED: _S.WORKING,
        _N.REFUSED: _S.REJECTED,
        _N.CANCEL_SENT: _S.CANCELLING,
        _N.CANCELLED: _S.CANCELLED,
        _N.CANCEL_REFUSED: _S.WORKING,
        _N.EXPIRED: _S.EXPIRED,
        _N.LOST: _S.UNKNOWN,
        _N.NEVER_ARRIVED: _S.UNKNOWN,
        _N.STILL_OPEN: _S.WORKING,
    },
    _S.CANCELLING: {
        _N.SENT: _S.CANCELLING,
        _N.ACKNOWLEDGED: _S.CANCELLING,
        _N.REFUSED: _S.REJECTED,
        _N.CANCEL_SENT: _S.CANCELLING,
        _N.CANCELLED: _S.CANCELLED,
        _N.CANCEL_REFUSED: _S.WORKING,
        _N.EXPIRED: _S.EXPIRED,
        _N.LOST: _S.UNKNOWN,
        _N.NEVER_ARRIVED: _S.UNKNOWN,
        _N.STILL_OPEN: _S.CANCELLING,
    },
    _S.UNKNOWN: {
        _N.SENT: _S.UNKNOWN,
        _N.ACKNOWLEDGED: _S.WORKING,
        _N.REFUSED: _S.REJECTED,
        _N.CANCEL_SENT: _S.UNKNOWN,  # a cancel may go out; that it did says nothing of the order
        _N.CANCELLED: _S.CANCELLED,
        _N.CANCEL_REFUSED: _S.UNKNOWN,  # too late, or no such order: neither says which
        _N.EXPIRED: _S.EXPIRED,
        _N.LOST: _S.UNKNOWN,
        _N.NEVER_ARRIVED: _S.REJECTED,
        _N.STILL_OPEN: _S.WORKING,
    },
}
"""Final states are no rows: nothing here moves them. WITHDRAWN stands only where nothing can have been sent."""

CONTRADICTIONS: Final = frozenset(
    {
        (_S.CREATED, _N.CANCEL_REFUSED),
        (_S.WORKING, _N.REFUSED),
        (_S.WORKING, _N.NEVER_ARRIVED),
        (_S.CANCELLING, _N.NEVER_ARRIVED),
        *((state, news) for state in (_S.REJECTED,) for news in (_N.ACKNOWLEDGED, _N.STILL_OPEN, _N.EXPIRED)),
        *((state, _N.STILL_OPEN) for state in (_S.FILLED, _S.CANCELLED, _S.EXPIRED)),
        *((state, _N.REFUSED) for state in (_S.FILLED, _S.CANCELLED, _S.EXPIRED)),
        *((state, _N.NEVER_ARRIVED) for state in (_S.FILLED,)),
    }
)
"""News that a venue cannot have meant: the state moves as the table says, and a human is told."""


class TransitionError(ValueError):
    """News that only we can give, in a state in which we cannot have given it: a fault of ours."""


def after(state: State, news: News) -> tuple[State, Remark | None]:
    """The state after news. Raises TransitionError for a withdrawal of what may have been sent."""
    remark = Remark.CONTRADICTION if (state, news) in CONTRADICTIONS else None
    if news is News.WITHDRAWN and state is not State.CREATED:
        raise TransitionError(f"an order that is {state.value} cannot be withdrawn: it may be at the venue; cancel it")
    if state.is_final:
        return state, remark
    return TABLE[state][news], remark
