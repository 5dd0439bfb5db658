"""Ten modules, deliberately mis-set: what a night has to repair, and what it is worth on markets nobody has seen.

The settings are drawn by a seed. Whether a patch is null is not asked of the gate: both arms are run on fresh draws of
the planted markets, on all symbols that mine or judge and all years before the lockbox.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Mapping
from pathlib import Path

import yaml

from ablations.planted.markets import MARKETS
from ablations.planted.registration import registration
from ablations.suite import Part, default_suite, load_suite, suite_tasks
from modules.artifacts import ArtifactStore
from modules.contract import STAGES, Module, Stage
from modules.datastore import DataStore
from modules.pipeline import RawSource, execute
from modules.registry import load_module
from modules.task import Task, load_modules, load_pipeline
from modules.workspace import CHECKOUT

Values = Mapping[str, object]

_SLUGGISH = tuple({"smoothing_bars": bars} for bars in (30, 40, 50, 60))
_WIDE = tuple({"no_trade_band": band} for band in (0.008, 0.009, 0.01))
FAULTS: Mapping[str, tuple[Values, ...]] = {
    "feature/reversal": _SLUGGISH,
    "feature/microstructure": _SLUGGISH,
    "feature/liquidity": _SLUGGISH,
    "feature/seasonality": _SLUGGISH,
    "feature/alpha101": _SLUGGISH,
    "feature/alpha158": _SLUGGISH,
    "feature/cross_asset": _SLUGGISH,
    "feature/technical": _SLUGGISH,
    "feature/momentum": _SLUGGISH,
    "size/vol_target": _WIDE,
}
"""Ways to mis-set each module. Sluggish: the signal is averaged until little of it is left. Wide: a band in which
targets are not followed, about as wide as they are. A cleaning rule that takes good bars away is not among them:
families with windows of a year then have no signal at all, and nothing is left to judge but the cleaning."""

REPAIRED_SHARE = 0.5
"""Of what a mis-setting costs, what a patch must bring back on fresh draws to count as a repair."""

FRESH = (7, 8)
"""Added to the seed of a planted market, a thousand times: markets that nobody mined and nobody judged on."""


@dataclasses.dataclass(frozen=True)
class Truth:
    """What a shipped patch is worth, in Sharpe a year on fresh markets: its gain, and what the mis-setting costs there
    (None: the module was not mis-set). `known`: false for a suite on real data, of which there is no other draw."""

    module: str
    changes: Values
    gain: float
    cost: float | None
    known: bool

    @property
    def null(self) -> bool:
        """It is known to improve nothing."""
        return self.known and self.gain <= 0.0

    @property
    def repairs(self) -> bool:
        """It brings back enough of what was lost."""
        return self.cost is not None and self.gain > 0.0 and self.gain >= REPAIRED_SHARE * self.cost


def drawn(seed: int) -> dict[str, Values]:
    """A way to mis-set each of the ten modules."""
    rng = random.Random(seed)
    return {module: rng.choice(ways) for module, ways in FAULTS.items()}


def mis_set(root: Path, faults: Mapping[str, Values]) -> None:
    """Write the faults into the settings of a checkout."""
    for module, values in faults.items():
        path = root / "modules" / module / "settings.yaml"
        path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **values}, sort_keys=False))


class Judge:
    """Runs arms on fresh draws of the planted markets, which it keeps below `home`."""

    def __init__(self, home: Path) -> None:
        self._data, self._store = DataStore(home / "data"), ArtifactStore(home / "artifacts")
        self._spec = load_pipeline(CHECKOUT / "pipeline.yaml")
        self._known: dict[str, float] = {}

    def truth(self, module: str, changes: Values, faults: Mapping[str, Values]) -> Truth:
        """What `changes` of `module` are worth in a workspace with these faults."""
        stands = self._sharpe(module, faults)
        patched = self._sharpe(module, {**faults, module: {**faults.get(module, {}), **changes}})
        whole = self._sharpe(module, {m: v for m, v in faults.items() if m != module})
        known = load_suite(default_suite(module)).data in MARKETS
        return Truth(module, changes, patched - stands, whole - stands if module in faults else None, known)

    def _sharpe(self, module: str, settings: Mapping[str, Values]) -> float:
        """Mean net Sharpe ratio over the tasks of the module's suite, moved to fresh markets."""
        stage, _, name = module.partition("/")
        suite = load_suite(default_suite(module))
        key = repr((suite.name, name, sorted((m, sorted(v.items())) for m, v in settings.items())))
        if key in self._known:
            return self._known[key]
        found = []
        for shift in FRESH if suite.data in MARKETS else (0,):
            moved = suite
            if shift:
                market = dataclasses.replace(
                    MARKETS[suite.data], name=f"{suite.data}_{shift}", seed=MARKETS[suite.data].seed + 1000 * shift
                )
                if not self._data.has(market.name):
                    self._data.register(registration(market))
                moved = suite.model_copy(update={"data": market.name, "data_digest": None})
            version = self._data.current(moved.data)
            stages: dict[Stage, str] = {s: name for s in STAGES if s == stage}
            parts: tuple[Part, ...] = ("mining", "judging")
            for part in parts:
                found += [self._run(t, settings) for t in suite_tasks(moved, version, self._spec, part, stages)]
        self._known[key] = sum(found) / len(found)
        return self._known[key]

    def _run(self, task: Task, settings: Mapping[str, Values]) -> float:
        version = self._data.get(task.data, task.data_digest)
        modules: dict[Stage, Module] = {
            stage: module.with_settings(settings.get(f"{stage}/{module.name}", {}))
            for stage, module in load_modules(task, version).items()
        }
        raw = RawSource(version.digest, lambda: self._data.raw(version))
        manifest = execute(task, modules, raw, self._store, lambda event: None, purpose="ablation")
        return manifest.metrics.get("net_sharpe", 0.0)


def check_bounds() -> None:
    """Every fault is a setting that the module would take. Raises RegistryError."""
    for module, ways in FAULTS.items():
        stage, _, name = module.partition("/")
        for values in ways:
            load_module(stage, name).with_settings(values)
