"""Which points are tried, in which order: the samplers of Optuna, asked one point at a time and told what it gave.

Seeded, in one thread and in memory: the same seed, space and answers give the same points. References: TPE, Bergstra et
al. 2011; CMA-ES, Hansen and Ostermeier 2001; NSGA-II, Deb et al. 2002.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal

from harness.search.space import Axis, Point, SearchError, Space

if TYPE_CHECKING:
    from optuna import Study, Trial
    from optuna.samplers import BaseSampler

Method = Literal["grid", "random", "tpe", "cmaes", "nsga2"]
MOST_TRIALS = 10_000


class Sampler:
    """Ask for a point, tell its values; greater is better for each objective."""

    def __init__(self, space: Space, method: Method, trials: int, seed: int, objectives: int, steps: int) -> None:
        import optuna

        if objectives > 1 and method == "cmaes":
            raise SearchError("cmaes makes one objective greater; use nsga2 for several")
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._space = space
        self._fixed: Iterator[Point] | None = iter(space.grid(steps, trials)) if method == "grid" else None
        self._study: Study = optuna.create_study(
            directions=["maximize"] * objectives, sampler=_sampler(method, trials, seed)
        )

    def ask(self) -> tuple[Trial | None, Point] | None:
        """The next point with the ticket to tell it by; None where a grid has been walked."""
        if self._fixed is not None:
            point = next(self._fixed, None)
            return None if point is None else (None, point)
        trial = self._study.ask()
        return trial, tuple(_suggested(trial, axis) for axis in self._space.axes)

    def tell(self, ticket: Trial | None, values: Sequence[float]) -> None:
        """What the point gave. A point without figures is told as failed, and is learnt nothing from."""
        if ticket is None:
            return
        from optuna.trial import TrialState

        if all(math.isfinite(v) for v in values):
            self._study.tell(ticket, list(values))
        else:
            self._study.tell(ticket, state=TrialState.FAIL)


def _sampler(method: Method, trials: int, seed: int) -> BaseSampler:
    from optuna import samplers

    match method:
        case "tpe":
            return samplers.TPESampler(seed=seed, n_startup_trials=max(5, min(10, trials // 5)))
        case "cmaes":
            return samplers.CmaEsSampler(seed=seed, warn_independent_sampling=False)
        case "nsga2":
            return samplers.NSGAIISampler(seed=seed, population_size=max(4, min(50, trials // 4)))
        case _:
            return samplers.RandomSampler(seed=seed)


def _suggested(trial: Trial, axis: Axis) -> float:
    if axis.whole:
        return float(trial.suggest_int(axis.name, round(axis.low), round(axis.high)))
    return trial.suggest_float(axis.name, axis.low, axis.high)
