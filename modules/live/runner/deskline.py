"""The desk as the runner sees it: one thread waits for the venue's news and for who looks on at the desk's socket."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from pathlib import Path

from modules.live.desk.acceptance import acceptance_in
from modules.live.desk.control import Control
from modules.live.desk.desk import Desk, Identity
from modules.live.journal.port import Journal
from modules.live.messages import Hello, Report, VenueNews
from modules.live.orders.order import Ticket
from modules.live.riskd.client import RiskClient
from modules.live.runner.taped import Outcome

CONNECT_S = 5.0
IDLE_S = 0.05
"""How long to wait where there is no connection to wait on."""


class DeskLine:
    """A desk with its connection to the risk core at `socket`. `control` serves whoever looks on.

    The first connection is made by `agree`, and made anew whenever it is lost. `patience_s`: how long an order that is
    held is tried again; only where time stands still meanwhile, as it does where recorded data are played.
    """

    def __init__(
        self,
        identity: Identity,
        socket: Path,
        journal: Journal,
        say: Callable[[str], None] = lambda _: None,
        patience_s: float = 0.0,
    ) -> None:
        self._patience_s = patience_s
        self._later: list[VenueNews] = []
        self._client: RiskClient | None = None
        self._say = say
        self.control: Control | None = None
        hello = Hello("desk", identity.mode, identity.build, identity.account)

        def connect() -> RiskClient:
            self._client = RiskClient.connect(socket, hello, CONNECT_S)
            return self._client

        self.desk = Desk(identity, connect, journal, accepted=acceptance_in(socket.parent))

    @property
    def cancel_only(self) -> str | None:
        """Why nothing but cancels may go out; None = book and venue agree."""
        return self.desk.cancel_only

    def agree(self) -> str | None:
        """Ask the venue what it has; why nothing but cancels may go out afterwards."""
        self.desk.recover()
        return self.desk.cancel_only

    def submit(self, ticket: Ticket) -> Outcome:
        """Ask for an order. One that was submitted before is where it stands."""
        if self._patience_s > 0.0:
            self._wait_until_open(ticket.client_id)
        outcome = self.desk.submit(ticket)
        ruled, lots = outcome.ruled, 0
        if outcome.status == "unknown":
            lots = ticket.lots if ruled is None else ruled.allowed
        elif outcome.status == "sent":
            lots = ruled.allowed if ruled is not None else self.desk.book.orders[ticket.client_id].left
        words = outcome.why or ""
        if ruled is None:
            return Outcome(ticket.client_id, outcome.status, lots, words=words)
        return Outcome(ticket.client_id, outcome.status, lots, ruled.rule, ruled.limit, ruled.value, words)

    def _wait_until_open(self, client_id: str) -> None:
        """Wait until desk and risk core let orders out; what is heard meanwhile is told by the next `poll`."""
        until, is_told = time.monotonic() + self._patience_s, False
        while (why := self._shut()) is not None and time.monotonic() < until:
            if not is_told:
                self._say(f"{client_id} waits: {why}")
                is_told = True
            time.sleep(IDLE_S)
            self.desk.tend()

    def _shut(self) -> str | None:
        """Why no order may go out just now."""
        self._later += self.desk.poll(0.0)
        if self.desk.cancel_only is not None or self._client is None:
            return self.desk.cancel_only or "there is no connection to the risk core"
        try:
            return self._client.status().refusing
        except OSError as error:
            return str(error)

    def cancel(self, client_id: str) -> None:
        """Ask for a cancel; where nobody can be asked, the desk's next agreement with the venue shows what works."""
        try:
            self.desk.cancel(client_id)
        except OSError as error:
            self._say(f"cancel of {client_id} could not be asked for: {error}")

    def poll(self, timeout_s: float) -> list[VenueNews]:
        """What the venue said; serves the desk's socket meanwhile."""
        self.desk.tend()
        news = [*self._later, *self.desk.poll(0.0)]
        self._later.clear()
        if not news:
            self._wait(timeout_s)
            news = self.desk.poll(0.0)
        if self.control is not None:
            self.control.poll()
        return news

    def report(self) -> Report:
        """What the venue had of the account when it was asked last. Raises ConnectionError where it never was."""
        found = self.desk.last_report
        if found is None:
            raise ConnectionError("the venue was not asked yet what it has; nothing may be ordered before")
        return found

    def proceed(self, ts_ns: int) -> None:
        """Nothing more is ordered at this moment."""
        if self._client is not None and not self._client.is_dead:
            self._client.proceed(ts_ns)

    def close(self) -> None:
        """Hang up on everybody."""
        if self.control is not None:
            self.control.close()
        self.desk.close()

    def _wait(self, timeout_s: float) -> None:
        files: list[int] = [] if self.control is None else [self.control.fileno()]
        if self._client is None or self._client.is_dead:
            timeout_s = min(timeout_s, IDLE_S)
        else:
            files.append(self._client.fileno())
        if self._client is not None and self._client.welcome.spins and not self._client.is_dead:
            until = time.monotonic() + timeout_s
            while not select.select(files, [], [], 0.0)[0] and time.monotonic() < until:
                self.desk.rehearse()
        elif files:
            select.select(files, [], [], timeout_s)
        else:
            time.sleep(timeout_s)
