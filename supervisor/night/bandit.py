"""Which arm to pull next: Thompson sampling over modules x proposers, of shipped improvement per compute second.

An arm is a module and who proposes for it. Three things are not known of it, and each has its conjugate posterior:

    p   whether a pull ships                  Beta(prior ships + ships, prior misses + misses)
    g   mean improvement of what ships        inverse gamma: improvements are exponential
    t   mean seconds of a pull                inverse gamma: seconds are exponential

A draw of `p * g / t` from the posteriors is the gain per second that the arm may well have; the highest draw is
pulled (Thompson 1933). What is not known is tried, what was tried in vain is tried less, and nothing is ever ruled out.

Arms borrow from one another: what the same proposer did elsewhere, and others on the same module, counts as a little
prior experience, at most `MOST_BORROWED` pulls of it. Nights that are past count less and less, because what they
learned was of other settings.

Every draw has its own generator, seeded by the night's seed, its number, the pull and the arm: a night that was cut off
draws on as it would have, and an arm's draw does not hang on which others there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from modules.canonical import digest_json

PRIOR_PULLS = 2.0
"""How many pulls the prior of `p` is worth."""

PRIOR_SHIPS: Mapping[str, float] = {"rules": 0.35, "search": 0.25, "retire": 0.05, "relook": 0.1}
"""Share of pulls that ship, before anything is known. Proposers that no finding called come after those with one; and
the gate charges a patch of several values for the combinations that could have been tried, so one at a time is likelier
to ship."""

PRIOR_SHIPS_ELSE = 0.3
"""About what a published desk accepts of its agents' proposals (31 %)."""

PRIOR_GAIN = 0.2
"""Sharpe a year."""

PRIOR_SECONDS = 20.0
BORROWED = 0.2
MOST_BORROWED = 4.0
FADES = 0.8
"""What a pull counts for, for each night that has passed since."""


@dataclass(frozen=True, order=True)
class Arm:
    """A module, `stage/name`, and the name of who proposes for it."""

    module: str
    proposer: str


@dataclass(frozen=True)
class Pull:
    """What one pull came to. `night` counts nights from 0; `gain` is 0 where nothing shipped or a human said no."""

    arm: Arm
    night: int
    gain: float
    seconds: float
    shipped: bool


@dataclass(frozen=True)
class Tally:
    """Sums over pulls, faded by age."""

    pulls: float = 0.0
    ships: float = 0.0
    gain: float = 0.0
    seconds: float = 0.0

    def plus(self, other: Tally, weight: float = 1.0) -> Tally:
        """Both together, the other times `weight`."""
        return Tally(
            self.pulls + weight * other.pulls,
            self.ships + weight * other.ships,
            self.gain + weight * other.gain,
            self.seconds + weight * other.seconds,
        )


@dataclass(frozen=True)
class Draw:
    """An arm with the gain per compute second that was drawn for it."""

    arm: Arm
    score: float


def tallies(pulls: Iterable[Pull], night: int) -> dict[Arm, Tally]:
    """What is known of each arm in night `night`."""
    found: dict[Arm, Tally] = {}
    for pull in pulls:
        weight = FADES ** max(0, night - pull.night)
        one = Tally(1.0, float(pull.shipped), pull.gain if pull.shipped else 0.0, pull.seconds)
        found[pull.arm] = found.get(pull.arm, Tally()).plus(one, weight)
    return found


def draw(arms: Sequence[Arm], known: Mapping[Arm, Tally], seed: int, night: int, pull: int) -> tuple[Draw, ...]:
    """A draw for each arm, the highest first; the order of `arms` changes nothing."""
    by_proposer, by_module = _sums(known)
    found = []
    for arm in sorted(arms):
        own = known.get(arm, Tally())
        others = by_proposer.get(arm.proposer, Tally()).plus(by_module.get(arm.module, Tally())).plus(own, -2.0)
        rng = np.random.Generator(np.random.PCG64(seed_of(arm, seed, night, pull)))
        found.append(Draw(arm, _sample(arm, own.plus(others, _weight(others)), rng)))
    return tuple(sorted(found, key=lambda d: (-d.score, d.arm)))


def seed_of(arm: Arm, seed: int, night: int, pull: int) -> int:
    """What is random in one pull of `arm` hangs on this alone: 63 bits."""
    return int(digest_json([seed, night, pull, arm.module, arm.proposer])[:16], 16) >> 1


def _sums(known: Mapping[Arm, Tally]) -> tuple[dict[str, Tally], dict[str, Tally]]:
    by_proposer: dict[str, Tally] = {}
    by_module: dict[str, Tally] = {}
    for arm in sorted(known):
        by_proposer[arm.proposer] = by_proposer.get(arm.proposer, Tally()).plus(known[arm])
        by_module[arm.module] = by_module.get(arm.module, Tally()).plus(known[arm])
    return by_proposer, by_module


def _weight(others: Tally) -> float:
    """How much of what others did counts: a fifth, and never more than a few pulls."""
    return min(BORROWED, MOST_BORROWED / others.pulls) if others.pulls > 0.0 else 0.0


def _sample(arm: Arm, seen: Tally, rng: np.random.Generator) -> float:
    prior = PRIOR_SHIPS.get(arm.proposer, PRIOR_SHIPS_ELSE)
    ships, misses = max(0.0, seen.ships), max(0.0, seen.pulls - seen.ships)
    share = rng.beta(PRIOR_PULLS * prior + ships, PRIOR_PULLS * (1.0 - prior) + misses)
    gain = (PRIOR_GAIN + max(0.0, seen.gain)) / rng.gamma(2.0 + ships)
    seconds = (PRIOR_SECONDS + max(0.0, seen.seconds)) / rng.gamma(2.0 + max(0.0, seen.pulls))
    return float(share * gain / seconds)
