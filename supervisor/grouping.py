"""Commit the events of runs in groups: one fdatasync for dozens of them instead of one each.

Only what a run or a look on mining data says of itself waits (lost, it is found again). Everything that something else
relies on (a trial, a verdict, a review) is appended at once, after all that came before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from traces.events import Event, PatchScreened, RunFinished, RunStarted, StageFinished

EmitAll = Callable[[Sequence[Event]], None]

MOST_WAITING = 64
_MAY_WAIT = (RunStarted, StageFinished, RunFinished, PatchScreened)


def one_by_one(emit: Callable[[Event], None]) -> EmitAll:
    """For a ledger that is only known by its `emit`."""

    def emit_all(events: Sequence[Event]) -> None:
        for event in events:
            emit(event)

    return emit_all


class Grouped:
    """An `emit` that keeps order. Call `flush` before reading the ledger, and at the end."""

    def __init__(self, emit_all: EmitAll) -> None:
        self._emit_all = emit_all
        self._waiting: list[Event] = []

    def __call__(self, event: Event) -> None:
        self._waiting.append(event)
        if not isinstance(event, _MAY_WAIT) or len(self._waiting) >= MOST_WAITING:
            self.flush()

    def flush(self) -> None:
        """Append what waits, as one group."""
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            self._emit_all(waiting)
