"""What was judged before, read from the ledger: the supervisor's memory is the traces and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ablations.gate import Reason
from ablations.patch import Change as SettingChange
from ablations.patch import Patch, patch_of
from supervisor.screen import changes_of
from traces.events import (
    AblationFinished,
    AblationStarted,
    Change,
    Event,
    PatchRolledBack,
    PatchScreened,
    ReviewOpened,
    ReviewRejected,
)
from traces.reader import read

KINDS = (
    "ablation.started",
    "ablation.finished",
    "review.opened",
    "review.rejected",
    "patch.rolled_back",
    "patch.screened",
)
"""Of the events that `History` folds; whoever follows a ledger for it need read no others."""

UNSETTLED = frozenset({Reason.NOT_REPRODUCED, Reason.NO_CERTIFICATE, Reason.STALE_CERTIFICATE})
"""Refusals that say nothing of the patch: once the cause is mended it may be tried again."""


@dataclass(frozen=True)
class Judged:
    """An ablation with its verdict, and what became of its branch."""

    started: AblationStarted
    finished: AblationFinished
    branch: str | None
    human_reason: str | None = None
    """Why a human turned its branch down; None where nobody did."""

    @property
    def rejected_by_human(self) -> bool:
        """Whether a human turned it down."""
        return self.human_reason is not None

    @property
    def shipped(self) -> bool:
        """Whether the gate let it through."""
        return self.finished.verdict == "SHIP"

    @property
    def settled(self) -> bool:
        """Whether trying again on the same base would ask the same question."""
        return self.finished.reason.split("(", 1)[0] not in UNSETTLED

    @property
    def patch(self) -> Patch:
        """The settings that were judged. A patch of skills' texts cannot be made again from the ledger."""
        changes = {n: SettingChange.model_validate(c.model_dump()) for n, c in self.started.patch.items()}
        return patch_of(self.started.module, changes)


class History:
    """Every verdict in a ledger, newest last."""

    def __init__(self, events: Iterable[Event]) -> None:
        started: dict[str, AblationStarted] = {}
        finished: dict[str, AblationFinished] = {}
        branches: dict[str, str] = {}
        turned_down: dict[str, str] = {}
        self.screened: dict[str, PatchScreened] = {}
        """Looks on mining data, by their question."""
        for event in events:
            if isinstance(event, AblationStarted):
                started[event.ablation_id] = event
            elif isinstance(event, AblationFinished):
                finished.pop(event.ablation_id, None)  # judged again: it moves to the end
                finished[event.ablation_id] = event
            elif isinstance(event, ReviewOpened) and event.ablation_id is not None:
                branches[event.ablation_id] = event.branch
            elif isinstance(event, ReviewRejected | PatchRolledBack):
                turned_down[event.branch] = event.reason
            elif isinstance(event, PatchScreened):
                self.screened[event.question] = event
        self.judged = tuple(
            Judged(started[i], end, branches.get(i), turned_down.get(branches.get(i, "")))
            for i, end in finished.items()
            if i in started
        )

    @classmethod
    def read(cls, ledger: Path) -> History:
        """From a ledger's folder. Raises LedgerError."""
        return cls(envelope.event for envelope in read(ledger))

    def verdict_on(self, patch: Patch, suite_digest: str) -> Judged | None:
        """The newest settled verdict on this very patch (old and new values) over this suite, or None."""
        asked = _values(changes_of(patch))
        for judged in reversed(self.judged):
            same = judged.started.module == patch.module and judged.started.suite_digest == suite_digest
            if same and judged.settled and _values(judged.started.patch) == asked:
                return judged
        return None


def _values(patch: Mapping[str, Change]) -> dict[str, tuple[object, object]]:
    return {name: (change.old, change.new) for name, change in patch.items()}
