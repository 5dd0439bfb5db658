"""The desk behind its socket, for whoever works an order from a process of its own.

The desk stays the only one that asks for orders, the risk core the only one at the venue. Where the desk does not
answer, the same child is asked for again through a new connection: it is the same order, and is not sent twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from modules.live.algorithms.parent import Parent
from modules.live.desk.asking import ByHand, Children, ChildrenAsked, Stand, Told
from modules.live.desk.client import DeskClient, DeskUnavailableError
from modules.live.desk.outcome import Outcome
from modules.live.messages import Ruled
from modules.live.orders.ids import decided_ns
from modules.live.orders.order import Ticket
from modules.live.units import MICROS

T = TypeVar("T")


class RemoteDesk:
    """The desk behind a socket, as a floor needs it."""

    def __init__(self, path: Path, timeout_s: float = 5.0) -> None:
        """Raises DeskUnavailableError where nobody serves it."""
        self._path, self._timeout_s = path, timeout_s
        self._client: DeskClient | None = DeskClient(path, timeout_s)
        self._numbers: dict[str, int] = {}
        self._taken: dict[str, ChildrenAsked] = {}
        self.is_new = False
        """Whether the connection was made anew since `children` was asked for all."""

    def children(self, parent: Parent, ids: tuple[str, ...] = ()) -> Children:
        """What is out of a parent, or of its orders `ids`. No older connection can send any of it from now on.

        Raises DeskUnavailableError.
        """
        asked = ChildrenAsked(parent.strategy, parent.symbol, parent.parent_id, ids)
        told = self._call(lambda desk: desk.children(asked))
        self._taken[parent.parent_id] = ChildrenAsked(parent.strategy, parent.symbol, parent.parent_id, ("",))
        if not ids:
            self.is_new = False
        return told

    def goes_on(self, parent_id: str, number: int) -> None:
        """The next child of a parent has this number."""
        self._numbers[parent_id] = number

    def submit(self, ticket: Ticket, parent_left: int = -1) -> Outcome:
        """Ask for a child, once; asked again where no answer came, until one comes or none can."""
        assert ticket.parent is not None, "only children are worked"
        number = self._numbers.setdefault(ticket.parent, 0)
        self._numbers[ticket.parent] = number + 1
        limit = None if ticket.limit_micros is None else ticket.limit_micros / MICROS
        asked = ByHand(
            ticket.strategy, ticket.symbol, ticket.lots, ticket.venue, decided_ns(ticket.client_id), number,
            ticket.order_type, ticket.time_in_force, limit, ticket.parent, parent_left,
        )  # fmt: skip
        may_be_out = False
        for _ in range(2):
            try:
                return _outcome(ticket, self._call(lambda desk: desk.submit(asked)))
            except DeskUnavailableError as error:
                may_be_out |= error.may_be_out
                words = str(error)
        return Outcome("unknown" if may_be_out else "held", ticket.client_id, why=words)

    def cancel(self, client_id: str) -> None:
        """Ask for a cancel. Raises OSError where nobody can be asked."""
        told = self._call(lambda desk: desk.cancel(client_id))
        if told.status != "done":
            raise DeskUnavailableError(f"cancel of {client_id}: {told.status}, {told.why}")

    def stand(self) -> Stand:
        """Where the desk stands. Raises DeskUnavailableError."""
        return self._call(lambda desk: desk.stand())

    def close(self) -> None:
        """Hang up."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _call(self, what: Callable[[DeskClient], T]) -> T:
        try:
            if self._client is None:
                self._client = DeskClient(self._path, self._timeout_s)
                self.is_new = True
                for taken in self._taken.values():
                    self._client.children(taken)
            return what(self._client)
        except DeskUnavailableError:
            self.close()
            raise


def _outcome(ticket: Ticket, told: Told) -> Outcome:
    """What the desk told, as it says it in its own process."""
    if told.client_id != ticket.client_id:
        return Outcome("refused", ticket.client_id, why=told.why or f"the desk knows it as {told.client_id!r}")
    ruled = None
    if told.answer is not None and told.rule is not None and told.allowed is not None:
        ruled = Ruled(ticket.client_id, told.answer, told.rule, told.allowed, told.limit, told.value, 0)
    status = "refused" if told.status in ("bad", "done") else told.status
    return Outcome(status, ticket.client_id, ruled, told.why)  # type: ignore[arg-type]


@contextmanager
def remote(path: Path) -> Iterator[RemoteDesk]:
    """A desk's socket, hung up on at the end. Raises DeskUnavailableError."""
    desk = RemoteDesk(path)
    try:
        yield desk
    finally:
        desk.close()
