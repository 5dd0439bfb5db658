"""The trials of a workspace as its ledger has acknowledged them, read on from where this process stopped reading."""

from __future__ import annotations

import threading
from pathlib import Path

from modules.workspace import Workspace
from traces.events import Event, TrialRecorded
from traces.reader import Follower

KINDS = (TrialRecorded.model_fields["kind"].default,)

MOST_LEDGERS = 16
"""How many ledgers a process keeps its place in."""


class _Place:
    """Where reading of one ledger stands, and what was found before."""

    def __init__(self, workspace: Workspace) -> None:
        self._follower = Follower(workspace.ledger, workspace.checkpoints, kinds=KINDS)
        self.events: list[Event] = []

    def read_on(self) -> list[Event]:
        """Everything so far. Raises LedgerError where the log does not go on from where it was."""
        for found in self._follower.new():
            self.events.append(found.event)  # at once: the follower has passed it, whatever comes next
        return list(self.events)


_PLACES: dict[tuple[Path, Path], _Place] = {}
_LOCK = threading.Lock()


def trials_so_far(workspace: Workspace) -> list[Event]:
    """Every trial in ledger order. A ledger cut short is refused, for it would forget trials: against its signature,
    and against what this process has read of it before.

    Raises LedgerError.
    """
    key = (workspace.ledger.resolve(), workspace.checkpoints.resolve())
    with _LOCK:
        if key not in _PLACES:
            while len(_PLACES) >= MOST_LEDGERS:
                del _PLACES[next(iter(_PLACES))]
            _PLACES[key] = _Place(workspace)
        return _PLACES[key].read_on()
