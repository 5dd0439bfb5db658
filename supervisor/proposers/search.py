"""The search proposer: Optuna is asked for points within the declared bounds and told what mining data say of them.

It moves several settings at once, which rules do not. Where it starts: at the values in force, at what the findings
point to, and at every patch of the module that was ever judged. Only their *values* are taken over, to be looked at
on mining data: what the judge found of them is not told to the sampler, for that would be tuning to the judge's data
(docs/decisions/0018). Looks of before on the same base are told and cost nothing.

Equal ledgers, findings and seeds give equal points; `looks` bounds a proposal, `most_looks` a base for good.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from ablations.patch import Patch
from modules.canonical import digest_json
from supervisor.finding import Finding
from supervisor.proposers.points import Point, Space
from supervisor.proposers.port import MOVABLE, Desk, Proposal
from supervisor.proposers.sift import sift
from supervisor.screen import Screened, patch_of, screened_of

if TYPE_CHECKING:
    from optuna import Study, Trial

KEPT = 0.7
"""Of the lower bound, what a patch must keep when one of its settings is left alone. The gate charges a second setting
for the directions in which two could have been tried (docs/decisions/0019): about a tenth of the level, so that a patch
must stand 3.6 errors from nothing where one setting needs 3. What is worth less than that is better left out."""

MOST_ASKS_PER_LOOK = 4
"""Points that were seen before cost an ask and no look."""

MOST_SEEDED = 8
"""Points that are looked at before the sampler is asked."""

MOST_LEANED = 6
"""Of the best, how many are freed of what they do not need until one is found that was never judged."""


@dataclass(frozen=True)
class Search:
    """Bayesian search (tree-structured Parzen estimator, Bergstra et al. 2011) over a module's settings."""

    looks: int = 24
    most_looks: int = 96
    name: str = "search"

    def propose(self, module: str, findings: Sequence[Finding], desk: Desk) -> Proposal | None:
        """See `Proposer.propose`. None where nothing may be moved, or nothing is better on mining data."""
        if module.split("/")[0] not in MOVABLE:
            return None
        asking = tuple(f for f in findings if f.module == module)
        space = Space.of(module, asking, desk)
        if not space.axes:
            return None
        walk = _Walk.begin(space, desk)
        spare = min(self.looks, max(0, self.most_looks - walk.looked_before))
        walk.go(spare, _first_points(space, asking, desk))
        best = walk.best()
        if best is None:
            return None
        words = (
            f"{walk.looks} looks on the mining period over {', '.join(space.axes)}, after {walk.looked_before} of "
            f"before; the best gains {best.delta:+.3f} Sharpe a year there, lower bound {best.lower_bound:+.3f}"
        )
        return Proposal(module, asking, (best.patch,), self.name, words)


def seed_of(desk: Desk, module: str, looked_before: int) -> int:
    """The sampler's seed: of the desk's seed, the module, and how far the search of this base has come."""
    return int(digest_json([desk.seed, desk.suite_digest, module, looked_before])[:8], 16)


@dataclass
class _Walk:
    """One search: what was looked at, the study that is told of it, and what it may still spend."""

    space: Space
    desk: Desk
    study: Study
    found: dict[str, Screened]
    """What is better, worse or equal, by the patch's digest."""
    seen: dict[str, float]
    """Every patch that was looked at, with what the study was told of it."""
    looked_before: int
    looks: int = 0

    @classmethod
    def begin(cls, space: Space, desk: Desk) -> _Walk:
        """A study that knows the values in force (no difference) and every look of before on this base."""
        import optuna
        from optuna.samplers import TPESampler

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        past = [look for look in desk.looked(space.module) if set(look.changes) <= set(space.axes)]
        sampler = TPESampler(seed=seed_of(desk, space.module, len(past)), multivariate=True, n_startup_trials=6)
        walk = cls(space, desk, optuna.create_study(direction="maximize", sampler=sampler), {}, {}, len(past))
        walk._told(space.here, 0.0)
        for look in past:
            patch = patch_of(look)
            if patch is None or patch.digest in walk.seen:
                continue
            screened = screened_of(patch, look)
            value = screened.worth if screened is not None else 0.0
            if screened is not None:
                walk.found[patch.digest] = screened
            walk.seen[patch.digest] = value
            walk._told(space.inside({n: c.new for n, c in patch.changes.items()}), value)
        return walk

    def go(self, spare: int, first: Sequence[Point]) -> None:
        """Ask, look, tell, until `spare` looks are made or the time is over."""
        for point in first[:MOST_SEEDED]:
            self.study.enqueue_trial(dict(point), skip_if_exists=True)
        asks = 0
        while self.looks < spare and asks < MOST_ASKS_PER_LOOK * spare and self.desk.seconds_left > 0.0:
            asks += 1
            trial = self.study.ask()
            self._tell(trial, self._look(self.space.patch(self.space.inside(self._suggested(trial)))))

    def best(self) -> Screened | None:
        """The most promising that was never judged, with no setting that it does not need."""
        judged = {
            p.digest
            for p in (s.patch for s in self.found.values())
            if sift([p], self.desk.history, self.desk.suite_digest).judged
        }
        promising = [s for s in self.found.values() if s.promising and s.patch.digest not in judged]
        ranked = sorted(promising, key=lambda s: (-s.lower_bound, s.patch.digest))
        for best in ranked[:MOST_LEANED]:
            lean = self._lean(best)
            # Less what it does not need it is a patch that has its verdict: with it, it is the same patch in disguise.
            if not sift([lean.patch], self.desk.history, self.desk.suite_digest).judged:
                return lean
        return None

    def _lean(self, best: Screened) -> Screened:
        """`best` less every setting that can be left alone; each attempt is a look like any other."""
        for setting in sorted(best.patch.changes):
            fewer = self.space.without(best.patch, setting)
            if fewer is None:
                continue
            self._look(fewer)
            tried = self.found.get(fewer.digest)
            if tried is not None and tried.promising and tried.lower_bound >= KEPT * best.lower_bound:
                best = tried
        return best

    def _look(self, patch: Patch | None) -> float | None:
        """What the study is told: the worth, 0 for what moves no bit or is refused, None for what cannot be."""
        if patch is None:
            return None
        if patch.digest not in self.seen:
            compared = self.desk.compare([patch])
            if not compared and time.monotonic() > self.desk.deadline_s:
                return None
            self.looks += 1
            self.seen[patch.digest] = compared[0].worth if compared else 0.0
            if compared:
                self.found[patch.digest] = compared[0]
        return self.seen[patch.digest]

    def _suggested(self, trial: Trial) -> Point:
        point: Point = {}
        for name, bound in self.space.bounds.items():
            if bound.whole:
                point[name] = trial.suggest_int(name, round(bound.low), round(bound.high), log=bound.logarithmic)
            else:
                point[name] = trial.suggest_float(name, bound.low, bound.high, log=bound.logarithmic)
        for name, options in self.space.options.items():
            point[name] = trial.suggest_categorical(name, options)
        return point

    def _tell(self, trial: Trial, value: float | None) -> None:
        from optuna.trial import TrialState

        if value is None:
            self.study.tell(trial, state=TrialState.FAIL)
        else:
            self.study.tell(trial, value)

    def _told(self, point: Point, value: float) -> None:
        """Tell the study of a point that it did not ask for."""
        from optuna.distributions import (
            BaseDistribution,
            CategoricalDistribution,
            FloatDistribution,
            IntDistribution,
        )
        from optuna.trial import create_trial

        axes: dict[str, BaseDistribution] = {}
        for name, bound in self.space.bounds.items():
            if bound.whole:
                axes[name] = IntDistribution(round(bound.low), round(bound.high), log=bound.logarithmic)
            else:
                axes[name] = FloatDistribution(bound.low, bound.high, log=bound.logarithmic)
        for name, options in self.space.options.items():
            axes[name] = CategoricalDistribution(options)
        self.study.add_trial(create_trial(params=dict(point), distributions=axes, value=value))


def _first_points(space: Space, findings: Sequence[Finding], desk: Desk) -> list[Point]:
    """Where to look first: along each lever, from its bound back; then the values of every patch that was judged,
    newest first."""
    points = []
    levers = dict.fromkeys(lever for finding in findings for lever in finding.levers if lever.setting in space.bounds)
    along = [
        [(lever.setting, step) for step in reversed(space.bounds[lever.setting].towards(value, lever.direction))]
        for lever in levers
        for value in [float(space.here[lever.setting] or 0.0)]
    ]
    for steps in zip_longest(*along):
        points += [{**space.here, setting: step} for setting, step in filter(None, steps)]
    for judged in reversed(desk.history.judged):
        if judged.started.module == space.module:
            values = {name: change.new for name, change in judged.started.patch.items() if name in space.axes}
            points.append(space.inside(values))
    unique: list[Point] = []
    for point in points:
        if point not in unique and point != space.here:
            unique.append(point)
    return unique
