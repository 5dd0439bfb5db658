"""Every trial pays: online false-discovery control over all ablations ever recorded in the workspace.

The procedure is LORD++ (Ramdas, Yang, Wainwright and Jordan 2017; Javanmard and Montanari 2018). Its levels
depend on how many trials were made and which were rejected, never on p-values that were not: SAFFRON and ADDIS
charge nothing for a p-value below their candidate threshold, so near-duplicates of an almost significant patch
would be free. See docs/decisions/0006.

No trial gets a higher level than the first of a fresh stream: the A/A certificate is measured at that level, so what
it says holds for every verdict. Levels below those that LORD++ grants keep its promise.

State is not stored: it is replayed from the ledger, in order, each time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from online_fdr.p_values import LordPlusPlus

from traces.events import Event, TrialRecorded

FALSE_DISCOVERY_RATE = 0.05
"""What the stream of all shipped patches may hold of worthless ones, in expectation."""

FIRST_WEALTH = FALSE_DISCOVERY_RATE / 2.0
"""What may be spent before the first discovery; LORD++'s usual half."""

FAMILY = "ablation"


class TrialError(RuntimeError):
    """A trial ledger that contradicts itself."""


@dataclass(frozen=True)
class Trial:
    """One test that was made. `level` is the level at which it was tested."""

    trial_id: str
    level: float
    rejected: bool


@dataclass(frozen=True)
class Ticket:
    """What the stream grants a trial: its place (from 1), the level, and whether it was there before."""

    place: int
    level: float
    known: bool


class TrialBook:
    """The trials so far, each once, in ledger order."""

    def __init__(self, trials: Iterable[Trial]) -> None:
        self._places: dict[str, int] = {}
        self._trials: list[Trial] = []
        for trial in trials:
            if trial.trial_id in self._places:
                continue  # re-submitted: the same trial, which stands as it was first judged
            self._trials.append(trial)
            self._places[trial.trial_id] = len(self._trials)

    @classmethod
    def replay(cls, events: Iterable[Event]) -> TrialBook:
        """From ledger events in order. Looks without a p-value were no tests. Raises TrialError."""
        trials = []
        for event in events:
            if not isinstance(event, TrialRecorded) or event.family != FAMILY or event.p_value is None:
                continue
            if event.level is None or event.rejected is None:
                raise TrialError(f"trial {event.trial_id} has a p-value but no level or verdict; verify the ledger")
            trials.append(Trial(event.trial_id, event.level, event.rejected))
        return cls(trials)

    def __len__(self) -> int:
        return len(self._trials)

    @property
    def discoveries(self) -> int:
        """Trials whose null hypothesis was rejected."""
        return sum(t.rejected for t in self._trials)

    def ticket(self, trial_id: str) -> Ticket:
        """The level for `trial_id`: its own first one if it was tried before, else the next in the stream."""
        place = self._places.get(trial_id)
        if place is not None:
            return Ticket(place, self._trials[place - 1].level, known=True)
        return Ticket(len(self._trials) + 1, next_level(t.rejected for t in self._trials), known=False)


def next_level(rejections: Iterable[bool]) -> float:
    """The level after trials with these outcomes: what LORD++ grants, at most `first_level`."""
    return min(granted_level(rejections), first_level())


def granted_level(rejections: Iterable[bool]) -> float:
    """The level that LORD++ grants after trials with these outcomes."""
    procedure = LordPlusPlus(alpha=FALSE_DISCOVERY_RATE, wealth=FIRST_WEALTH)
    for rejected in rejections:
        procedure.test_one(0.0 if rejected else 1.0)
    procedure.test_one(1.0)
    level = procedure.last_test_level
    assert level is not None
    return float(level)


def first_level() -> float:
    """The level of the first trial of a fresh workspace."""
    return granted_level(())
