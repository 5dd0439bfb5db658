"""Every trial pays: online false-discovery control over all ablations ever recorded in the workspace.

The procedure is LORD++ (Ramdas, Yang, Wainwright and Jordan 2017; Javanmard and Montanari 2018). Its levels
depend on how many trials were made and which were rejected, never on p-values that were not: SAFFRON and ADDIS
charge nothing for a p-value below their candidate threshold, so near-duplicates of an almost significant patch
would be free. See docs/decisions/0006.

No trial gets a higher level than the first of a fresh stream: the A/A certificate is measured at that level, so what
it says holds for every verdict. Levels below those that LORD++ grants keep its promise.

A patch of several settings may be put together from what earlier looks at the same stage showed of each. It is then
the best of a whole space of combinations, and is charged for all of it (`charged`, docs/decisions/0019).

State is not stored: it is replayed from the ledger, in order, each time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

from online_fdr.core.utils.sequence import DefaultLordGammaSequence

from traces.events import Event, TrialRecorded

FALSE_DISCOVERY_RATE = 0.05
"""What the stream of all shipped patches may hold of worthless ones, in expectation."""

FIRST_WEALTH = FALSE_DISCOVERY_RATE / 2.0
"""What may be spent before the first discovery; LORD++'s usual half."""

FAMILY = "ablation"

_GAMMA = DefaultLordGammaSequence(c=0.07720838)
"""Javanmard and Montanari (2018): how wealth is spread over the trials after it was earned."""


class TrialError(RuntimeError):
    """A trial ledger that contradicts itself."""


@dataclass(frozen=True)
class Trial:
    """One test that was made. `level` is the level at which it was tested; `subject` the module it looked at, or two
    with a plus between them."""

    trial_id: str
    level: float
    rejected: bool
    subject: str = ""
    data_digest: str = ""


@dataclass(frozen=True)
class Asked:
    """What a trial would look at: the module (or two, with a plus between them), on which data, and how many values
    the patch changes at once."""

    subject: str
    data_digest: str
    values: int


@dataclass(frozen=True)
class Ticket:
    """What the stream grants a trial: its place (from 1), the level, and whether it was there before.

    `directions` is how many the patch could have been chosen among by earlier looks; `level` is charged for them.
    """

    place: int
    level: float
    known: bool
    directions: int = 1


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
            trials.append(Trial(event.trial_id, event.level, event.rejected, event.subject, event.data_digest))
        return cls(trials)

    def __len__(self) -> int:
        return len(self._trials)

    @property
    def discoveries(self) -> int:
        """Trials whose null hypothesis was rejected."""
        return sum(t.rejected for t in self._trials)

    def looks(self, subject: str, data_digest: str) -> int:
        """Trials that showed how modules of the stages of `subject` fare on this data, under whatever name."""
        stages = _stages(subject)
        return sum(t.data_digest == data_digest and not stages.isdisjoint(_stages(t.subject)) for t in self._trials)

    def ticket(self, trial_id: str, asked: Asked | None = None) -> Ticket:
        """The level for `trial_id`: its own first one if it was tried before, else the next in the stream."""
        place = self._places.get(trial_id)
        if place is not None:
            return Ticket(place, self._trials[place - 1].level, known=True)
        level = next_level(t.rejected for t in self._trials)
        directions = min(asked.values, 1 + self.looks(asked.subject, asked.data_digest)) if asked else 1
        return Ticket(len(self._trials) + 1, charged(level, directions), known=False, directions=max(directions, 1))


def _stages(subject: str) -> frozenset[str]:
    return frozenset(module.partition("/")[0] for module in subject.split("+"))


def charged(level: float, directions: int) -> float:
    """The level of one test with which the best of all combinations of `directions` effects still has `level`.

    Scheffe (1953): of independent standard normal effects the best unit combination has a chi distribution with
    `directions` degrees of freedom. One direction costs nothing.
    """
    if directions <= 1:
        return level
    from scipy.stats import chi2, norm

    return float(norm.sf(sqrt(chi2.isf(level, directions))))


def next_level(rejections: Iterable[bool]) -> float:
    """The level after trials with these outcomes: what LORD++ grants, at most `first_level`."""
    return min(granted_level(rejections), first_level())


def granted_level(rejections: Iterable[bool]) -> float:
    """The level that LORD++ grants after trials with these outcomes (Ramdas et al. 2017, equation 3)."""
    outcomes = tuple(rejections)
    now = len(outcomes) + 1
    hits = [place for place, rejected in enumerate(outcomes, 1) if rejected]
    level = FIRST_WEALTH * _GAMMA.calc_gamma(now)
    if hits:
        level += (FALSE_DISCOVERY_RATE - FIRST_WEALTH) * _GAMMA.calc_gamma(now - hits[0])
        level += FALSE_DISCOVERY_RATE * sum(_GAMMA.calc_gamma(now - hit) for hit in hits[1:])
    return float(level)


def first_level() -> float:
    """The level of the first trial of a fresh workspace."""
    return granted_level(())
