"""The lists that TWS is asked for, and the report that is made of its answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from ib_async.objects import ExecutionFilter

from modules.live.venues.ib.executions import Executions
from modules.live.venues.ib.report import TAGS, Collected


class Questions:
    """Questions under way. Used in the client's thread. `collected`: the report that is being made; None = none is.

    Most answers do not name their question: a list is whole once as many of its kind ended as were asked for.
    """

    def __init__(self, account: str, executions: Executions) -> None:
        self._account, self._executions = account, executions
        self._client: Any = None
        self._asked: Counter[str] = Counter()
        self.collected: Collected | None = None

    def begin(self, client: Any) -> None:
        """A connection stands: what is open? Raises ConnectionError."""
        self._client = client
        self._asked.clear()
        self._ask("orders", client.reqAllOpenOrders)

    def report(self, collected: Collected) -> None:
        """Ask for all that a report is made of. Without a connection it is over at once."""
        self._collects(collected, "another report was asked for")
        client = self._client
        try:
            self._ask("orders", client.reqAllOpenOrders)
            self._ask("completed", client.reqCompletedOrders, False)
            self.executions()
            self._ask("positions", client.reqPositions)
            self._ask("summary", client.reqAccountSummary, client.getReqId(), "All", TAGS)
        except ConnectionError as error:
            self._collects(None, str(error))

    def executions(self) -> None:
        """Ask for those of the day. Raises ConnectionError."""
        found = ExecutionFilter(acctCode=self._account)
        self._ask("executions", self._client.reqExecutions, self._client.getReqId(), found)

    def ended(self, what: str, request: int) -> None:
        """One of the lists is whole. Raises ConnectionError."""
        self._asked[what] -= 1
        collected, is_last = self.collected, self._asked[what] <= 0
        if what == "positions":
            self._client.cancelPositions()
        elif what == "summary":
            self._client.cancelAccountSummary(request)  # TWS keeps two, and refuses the third
        if collected is not None and not is_last:
            collected.begin(what)
        elif collected is not None and collected.end(what):
            self._collects(None)

    def give_up(self, collected: Collected) -> None:
        """What came until now is all of it; what did not come is waited for no longer."""
        self._asked.clear()
        if self.collected is collected:
            self._collects(None)

    def fail(self, why: str) -> None:
        """No answers come any more."""
        self._collects(None, why)

    def _ask(self, what: str, ask: Callable[..., None], *args: Any) -> None:
        ask(*args)
        self._asked[what] += 1

    def _collects(self, collected: Collected | None, why: str | None = None) -> None:
        """What a report is made of goes into this from now on; the one before is over."""
        before, self.collected = self.collected, collected
        if before is not None:
            before.fees_wait = self._executions.is_waiting
            before.over(why)
