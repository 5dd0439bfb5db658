"""Executions as the broker says them: the fill first, its fee later, a correction as a revision of the same one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from modules.live.messages import Corrected, Filled, Moved
from modules.live.venues.exact import Listings, micros
from modules.live.venues.ib import words
from modules.live.venues.ib.report import order_name


class Timer(Protocol):
    """What waits, and need not."""

    def cancel(self) -> None: ...


class Executions:
    """Fills that wait for their fees. Used in the client's thread.

    `say` tells one; `later` calls back with an execution's id, once its fee was waited for long enough.
    """

    def __init__(
        self,
        account: str,
        listings: Listings,
        say: Callable[[Filled | Corrected | Moved], None],
        later: Callable[[Callable[[str], None], str], Timer],
    ) -> None:
        self._account, self._listings, self._say, self._later = account, listings, say, later
        self._waiting: dict[str, tuple[Filled | Corrected, Timer]] = {}
        self._revisions: dict[str, int] = {}
        self._fees: set[str] = set()

    def take(self, contract: Any, execution: Any) -> Filled | None:
        """An execution; the fill, where it is a new one of this account. Raises FigureError."""
        if execution.acctNumber != self._account:
            return None
        client_id = order_name(execution.orderRef, execution.permId)
        fill = words.filled(client_id, execution, contract.symbol, None, self._listings)
        exec_id, revision = words.execution_id(execution.execId)
        before = self._revisions.setdefault(exec_id, revision)
        if revision < before:
            return None
        self._revisions[exec_id] = revision
        timer = self._later(self._tell, execution.execId)
        self._waiting[execution.execId] = (fill if revision == before else Corrected(**_fields(fill)), timer)
        return fill if revision == before else None

    def fee(self, report: Any, now_ns: int, *, is_asked: bool) -> None:
        """The fee of an execution. `is_asked`: a report is being made, and has it. Raises FigureError."""
        waiting = self._waiting.get(report.execId)
        fee = micros(words.exact(report.commission))
        if waiting is not None:
            news, timer = waiting
            self._waiting[report.execId] = (type(news)(**{**_fields(news), "fee_micros": fee}), timer)
            self._tell(report.execId)
        elif not is_asked and fee and report.execId not in self._fees:
            self._say(Moved(what="fee", symbol=None, micros=-fee, ts_ns=now_ns))
        self._fees.add(report.execId)

    @property
    def is_waiting(self) -> bool:
        """Whether the fee of a fill may come yet."""
        return bool(self._waiting)

    def ended(self) -> list[Filled | Corrected]:
        """The connection is gone, and no fee comes through it: what waits, without."""
        waiting = list(self._waiting.values())
        self._waiting.clear()
        for _, timer in waiting:
            timer.cancel()
        return [fill for fill, _ in waiting]

    def _tell(self, exec_id: str) -> None:
        waiting = self._waiting.pop(exec_id, None)
        if waiting is not None:
            fill, timer = waiting
            timer.cancel()
            self._say(fill)


def _fields(news: Filled | Corrected) -> dict[str, Any]:
    return {f: getattr(news, f) for f in news.__struct_fields__}
