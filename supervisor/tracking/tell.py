"""Tell MLflow what the ledger holds and it has not heard: each run, ablation and certificate once.

What was told is known from MLflow itself: every run there bears its id, and as the last thing written the place in the
ledger up to which it is complete. How far the ledger was read is noted beside them, so that the next pass reads on
from there; a note that is lost, or of another ledger, costs time and nothing else. A crash anywhere leaves at most one
run that is not complete, and the next pass completes it.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from modules.workspace import Workspace
from supervisor.tracking.entries import KINDS, PURPOSES, Entry, Fate, Gatherer, named
from traces.checkpoint import PUBLIC_NAME, fingerprint
from traces.events import AblationStarted, RunStarted
from traces.export import EXPERIMENT, ExportError, Mlflow, without_password
from traces.log import LedgerError
from traces.reader import START, Follower, Mark

EXPERIMENTS = {"runs": EXPERIMENT, "ablations": f"{EXPERIMENT}-ablations", "certificates": f"{EXPERIMENT}-certificates"}
EVERY_PURPOSE = frozenset({"run", "research", "ablation", "replay", "certify", "validate"})
DEFAULT_SECONDS = 600.0
NOTED_EVERY = 50
"""Things told between two notes of how far the ledger was read."""

_MARK = TypeAdapter(Mark)


@dataclass(frozen=True)
class Tracked:
    """What one pass told. `complete`: nothing is left that has an end; else time ran out, and the next pass goes on."""

    tracking_uri: str
    runs: int
    ablations: int
    certificates: int
    reviews: int
    complete: bool


def track(
    workspace: Workspace, tracking_uri: str | None = None, *, everything: bool = False, seconds: float = DEFAULT_SECONDS
) -> Tracked:
    """Tell MLflow (default: a database in the workspace) what is new in the ledger, for at most `seconds`.

    `everything`: the runs of ablations and certificates too. Raises LedgerError, ExportError.
    """
    uri = tracking_uri or f"sqlite:///{workspace.home / 'mlflow.db'}"
    told = {"runs": 0, "ablations": 0, "certificates": 0, "reviews": 0}
    public = workspace.checkpoints / PUBLIC_NAME
    if not public.is_file():
        return Tracked(without_password(uri), **told, complete=True)
    with _alone(workspace):
        key = fingerprint(bytes.fromhex(public.read_text().strip()))
        pass_ = _Pass(workspace, Mlflow(uri, workspace.home / "mlflow"), key, everything, time.monotonic() + seconds)
        complete = pass_.go(told)
    return Tracked(without_password(uri), **told, complete=complete)


class _Pass:
    """One reading of the ledger."""

    def __init__(self, workspace: Workspace, mlflow: Mlflow, key: str, everything: bool, deadline_s: float) -> None:
        self._workspace = workspace
        self._mlflow = mlflow
        self._key = key
        self._note = f"cws.mark.{key}{'.all' if everything else ''}"
        self._gatherer = Gatherer(workspace, key, EVERY_PURPOSE if everything else PURPOSES)
        self._deadline_s = deadline_s
        self._opened: dict[int, Mark] = {}

    def go(self, told: dict[str, int]) -> bool:
        """Tell all that is new, counting in `told`; whether the end was reached."""
        follower = self._follower()
        for envelope in follower.new():
            if isinstance(envelope.event, RunStarted | AblationStarted):
                # Of the line, not before it: a line names its own place and the hash of the one before.
                self._opened[envelope.seq] = follower.before
            for thing in self._gatherer.take(envelope):
                self._tell(thing, told)
                if sum(told.values()) % NOTED_EVERY == 0:
                    self._keep(follower.mark)
            if time.monotonic() > self._deadline_s:
                self._keep(follower.mark)
                return False
        self._keep(follower.mark)
        return True

    def _tell(self, thing: Entry | Fate, told: dict[str, int]) -> None:
        if isinstance(thing, Fate):
            run_id = named(thing.ablation_id, self._key)
            told["reviews"] += self._mlflow.add_tags(EXPERIMENTS["ablations"], run_id, thing.tags)
        else:
            self._mlflow.put(EXPERIMENTS[thing.kind], thing.export, thing.seq)
            told[thing.kind] += 1

    def _follower(self) -> Follower:
        """From the note on; from the beginning where there is none, or it is of a log that is no more."""
        mark = START
        try:
            noted = self._mlflow.note(self._note)
            mark = START if noted is None else _MARK.validate_json(noted)
            found = Follower(self._workspace.ledger, self._workspace.checkpoints, mark, KINDS)
            found.check()
        except ExportError:
            raise
        except (LedgerError, ValidationError):
            found = Follower(self._workspace.ledger, self._workspace.checkpoints, START, KINDS)
        return found

    def _keep(self, reached: Mark) -> None:
        """Note where to read on: before the oldest run that has no end yet."""
        oldest = self._gatherer.oldest_open()
        self._opened = {seq: mark for seq, mark in self._opened.items() if oldest is not None and seq >= oldest}
        mark = reached if oldest is None else self._opened[oldest]
        self._mlflow.keep(self._note, _MARK.dump_json(mark).decode())


@contextmanager
def _alone(workspace: Workspace) -> Iterator[None]:
    """Two passes at once would tell the same run twice."""
    with (workspace.home / "tracking.lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(handle, fcntl.LOCK_UN)
