"""A workspace for a night, settings that do nothing, and a supervisor that looks at what it should not."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ablations.bootstrap import pool, sharpe_process
from ablations.floor import Series
from ablations.judging import Judged, judge
from ablations.record import seed_of
from ablations.trials import Asked, Trial, TrialBook
from ablations.worthless import neutral
from modules.canonical import digest_json
from modules.panel import FloatArray
from tests.ablations.made import returns

TASKS, BARS, SETTINGS = 6, 600, 16
DATA, MODULE = "d" * 64, "size/rank_neutral"


@dataclass
class Night:
    """A fresh stream of trials. What it submits goes through the real book, bootstrap and gate."""

    charged: bool = True
    trials: list[Trial] = field(default_factory=list)

    def submit(self, name: object, series: Series, module: str = MODULE, values: int = 1) -> Judged:
        """The verdict on `series` as the ablation that `name` identifies."""
        trial_id = digest_json(name)[:16]
        asked = Asked(module, DATA, values) if self.charged else None
        ticket = TrialBook(self.trials).ticket(trial_id, asked)
        judged = judge(series, ticket.level, seed_of(trial_id))
        if not ticket.known:
            self.trials.append(Trial(trial_id, ticket.level, judged.ships, module, DATA))
        return judged


@dataclass(frozen=True)
class World:
    """A baseline on the judging years, and settings that add noise to it: none is worth anything."""

    baseline: FloatArray
    noise: FloatArray
    """`[S, K, T]`, a unit of each setting."""

    @classmethod
    def of(cls, seed: int, settings: int = SETTINGS) -> World:
        """Another market for every seed."""
        own = [0.1 * returns(100_000 + 100 * seed + i, TASKS, BARS) for i in range(settings)]
        return cls(returns(seed, TASKS, BARS) + 1e-4, np.stack(own))

    def patched(self, values: FloatArray, lift: float = 0.0) -> Series:
        """Both arms with the settings at `values`; `lift` Sharpe a year of truth on top."""
        after = neutral(self.baseline, np.tensordot(values, self.noise, axes=1))
        return Series(self.baseline, after + lift / np.sqrt(252.0) * after.std(axis=1, keepdims=True), 252.0)

    def one(self, setting: int, value: float = 1.0) -> Series:
        """Both arms with one setting moved."""
        values = np.zeros(len(self.noise))
        values[setting] = value
        return self.patched(values)

    def best(self, shown: list[Series]) -> FloatArray:
        """The values whose combination would look surest, from the series that single looks have shown."""
        looks = np.stack([pool(sharpe_process(s.baseline, s.patched, np.sqrt(252.0))[1]) for s in shown])
        values = np.linalg.solve(np.cov(looks), looks.mean(axis=1))
        return np.asarray(values / np.abs(values).max())
