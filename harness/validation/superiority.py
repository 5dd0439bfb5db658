"""Is anything in the family better than cash, given that the best of it was picked?

P. R. Hansen, "A Test for Superior Predictive Ability", 2005, and J. Romano, M. Wolf, "Stepwise Multiple Testing as
Formalized Data Snooping", 2005, as `arch` computes them. `arch` takes losses: a return is a negative loss, cash
loses 0. Each member is scaled to the same variance first, as Hansen's studentised statistic asks, so that the wildest
does not decide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from modules.panel import FloatArray

_SURE_LOSS = 1e-9
"""In deviations a bar: too small to move any member's p-value."""


@dataclass(frozen=True)
class Superiority:
    """Hansen's consistent p-value, and the members that StepM finds better than cash at `level`."""

    p_value: float
    superior: tuple[int, ...]
    members: int
    draws: int
    level: float


def superiority(family: FloatArray, mean_block: int, draws: int, seed: int, level: float = 0.05) -> Superiority | None:
    """`family` `[T, K]`; columns that do not move are left out, None where none moves. PCG64 with `seed`."""
    from arch.bootstrap import SPA, StepM

    moving = np.flatnonzero(np.ptp(family, axis=0) > 0.0)
    if not moving.size:
        return None
    losses = -family[:, moving] / family[:, moving].std(axis=0)
    cash = np.zeros(family.shape[0])
    spa = SPA(cash, losses, block_size=mean_block, reps=draws, seed=_generator(seed))
    spa.compute()
    # One member that surely loses: StepM of `arch` 8 fails where, step by step, every member was found superior.
    loser = _SURE_LOSS * (1.0 + 0.5 * np.cos(np.arange(cash.size)))
    found = StepM(
        cash, np.column_stack([losses, loser]), size=level, block_size=mean_block, reps=draws, seed=_generator(seed)
    )
    found.compute()
    better = tuple(sorted(int(moving[int(str(k))]) for k in found.superior_models))
    return Superiority(float(spa.pvalues["consistent"]), better, int(moving.size), draws, level)


def _generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))
