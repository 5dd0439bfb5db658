"""Search on the discovery part of a data set: ask, run the whole pipeline, count the trial, tell."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from pydantic import ValidationError

from harness.search.objectives import objective
from harness.search.sampling import MOST_TRIALS, Method, Sampler
from harness.search.space import Point, SearchError, Space
from harness.search.surface import NEAR, Plateau, plateau
from harness.search.trial import Tried
from harness.validation.splits import walk_forward
from harness.validation.trials import trials_on
from modules.artifacts import ArtifactStore
from modules.canonical import digest_json
from modules.contract import ContractError, Module, Stage
from modules.datastore import DataStore
from modules.dataversion import DataVersion
from modules.engine.metrics import bars_per_year
from modules.manifest import Manifest
from modules.panel import FloatArray, IntArray
from modules.pipeline import Emit, execute
from modules.sources import facts_of, source_of
from modules.task import PipelineSpec, Task, load_modules, make_task
from modules.workspace import Workspace
from traces.events import TrialRecorded
from traces.reader import read


@dataclass(frozen=True)
class Request:
    """What is asked. `steps` of a grid's axes; `windows` of the walk-forward, 0 = none."""

    space: Space
    method: Method
    objectives: tuple[str, ...]
    trials: int
    seed: int
    steps: int
    windows: int

    def __post_init__(self) -> None:
        if not 1 <= self.trials <= MOST_TRIALS:
            raise SearchError(f"{self.trials} trials; ask for 1 to {MOST_TRIALS}")
        if self.windows and self.method not in ("grid", "random"):
            # What an adaptive sampler tries depends on bars that a window keeps for its test.
            raise SearchError(
                f"walk-forward needs points chosen without looking; use grid or random, not {self.method}"
            )
        if self.windows and len(self.objectives) > 1:
            raise SearchError("walk-forward follows one objective; give one")

    @property
    def reach(self) -> float:
        """How far neighbours of a point lie, as a share of each range: a step of a grid at least."""
        return max(NEAR, 1.0 / (self.steps - 1)) if self.method == "grid" else NEAR


@dataclass(frozen=True)
class Step:
    """One window of the walk-forward: who was best before it, then and there."""

    chosen: int
    before: float
    value: float
    first_ns: int
    last_ns: int


@dataclass(frozen=True)
class Result:
    """`front`: the numbers of the trials that no other beats in every objective, the best by the first one first.
    `counted`: trials on these data by the ledger, this search included. `walked`: the objective of the windows' returns
    put together."""

    search_id: str
    data: str
    data_digest: str
    first: str
    last: str
    trials: tuple[Tried, ...]
    front: tuple[int, ...]
    plateau: Plateau | None
    counted: int
    steps: tuple[Step, ...]
    walked: float | None

    @property
    def best(self) -> Tried | None:
        """The first of the front."""
        return self.trials[self.front[0]] if self.front else None


@dataclass(frozen=True)
class Desk:
    """What a search works with. Nothing that judges and nothing in a lockbox is read: tasks end with discovery."""

    workspace: Workspace
    version: DataVersion
    spec: PipelineSpec
    emit: Emit

    def task(self, signal: str | None) -> Task:
        """The pipeline on the discovery part."""
        facts = facts_of(DataStore(self.workspace.data), self.spec)
        ends = [self.version.mining_end_ns, *([facts.mining_end_ns] if facts is not None else [])]
        return make_task(self.spec, self.version, facts=facts, signal=signal, end=min(ends))

    def modules(self, signal: str | None) -> dict[Stage, Module]:
        """The modules in force, with `signal` where one is given."""
        return load_modules(self.task(signal), self.version)


def search(request: Request, desk: Desk, progress: Callable[[int, Tried], None] | None = None) -> Result:
    """Try up to `request.trials` points. Each is a trial in the ledger, the same outputs the same trial.

    Equal requests on equal data, code and ledgers give equal results to the bit. Raises what a module raises, but a
    refusal by a contract is a trial without figures.
    """
    sampler = Sampler(
        request.space, request.method, request.trials, request.seed, len(request.objectives), request.steps
    )
    before = trials_on(read(desk.workspace.ledger), desk.version.name, desk.version.digest).count
    known: dict[Point, Tried] = {}
    found: list[Tried] = []
    times: IntArray = np.empty(0, np.int64)
    while len(found) < request.trials and (asked := sampler.ask()) is not None:
        ticket, point = asked
        same = known.get(point)
        if same is None:
            tried, when = _try(request, desk, point, len(found), before + len(known) + 1)
            times = when if when.size else times
            known[point] = tried
        else:
            tried = Tried(len(found), point, same.signal, same.values, same.run_digest, same.returns, same.why)
        sampler.tell(ticket, tried.values)
        found.append(tried)
        if progress is not None:
            progress(len(found), tried)
    return _result(request, desk, found, times, before)


def _try(request: Request, desk: Desk, point: Point, number: int, trials: int) -> tuple[Tried, IntArray]:
    signal = request.space.filled(point)
    none = (math.nan,) * len(request.objectives)
    empty: FloatArray = np.empty(0)
    nowhen: IntArray = np.empty(0, np.int64)
    task = desk.task(signal)
    try:
        modules = request.space.changed(load_modules(task, desk.version), point)
    except ValidationError as error:
        return Tried(number, point, signal, none, "", empty, str(error.errors()[0]["msg"])), nowhen
    store = ArtifactStore(desk.workspace.artifacts)
    settings = {stage: m.settings.model_dump(mode="json") for stage, m in modules.items()}
    trial_id = f"search-{digest_json([task.digest, settings])[:16]}"
    words = ", ".join(f"{k}={v}" for k, v in request.space.values(point).items())
    subject = f"{signal or 'feature/' + modules['feature'].name} [{words}]"
    desk.emit(TrialRecorded(trial_id=trial_id, family="backtest", subject=subject, data_digest=desk.version.digest))
    raw = source_of(DataStore(desk.workspace.data), task)
    try:
        manifest = execute(task, modules, raw, store, desk.emit, purpose="research")
    except ContractError as error:
        return Tried(number, point, signal, none, "", empty, str(error).splitlines()[0]), nowhen
    returns, ts = _account(store, manifest)
    values = tuple(objective(name, returns, manifest.metrics, bars_per_year(ts), trials) for name in request.objectives)
    return Tried(number, point, signal, values, manifest.digest, returns), ts


def _account(store: ArtifactStore, manifest: Manifest) -> tuple[FloatArray, IntArray]:
    nav = store.get(manifest.output("nav"))
    assert isinstance(nav, pl.DataFrame), "nav is a table"
    return nav.get_column("net_return").to_numpy(), nav.get_column("event_time").to_physical().to_numpy()


def _result(request: Request, desk: Desk, found: Sequence[Tried], times: IntArray, before: int) -> Result:
    from modules.panel import iso

    front = _front(found)
    steps, walked = _walk(request, found, times) if request.windows else ((), None)
    identity = {
        "axes": [[a.name, a.low, a.high, a.whole] for a in request.space.axes],
        "signal": request.space.signal, "method": request.method, "objectives": request.objectives,
        "trials": request.trials, "seed": request.seed, "steps": request.steps, "windows": request.windows,
        "task": desk.task(None if request.space.signal is None else found[0].signal).digest if found else "",
    }  # fmt: skip
    counted = trials_on(read(desk.workspace.ledger), desk.version.name, desk.version.digest).count
    return Result(
        search_id=digest_json(identity)[:16],
        data=desk.version.name,
        data_digest=desk.version.digest,
        first=iso(int(times[0])) if times.size else "",
        last=iso(int(times[-1])) if times.size else "",
        trials=tuple(found),
        front=front,
        plateau=plateau(request.space, found, found[front[0]], request.reach) if front else None,
        counted=max(counted, before),
        steps=steps,
        walked=walked,
    )


def _front(found: Sequence[Tried]) -> tuple[int, ...]:
    """Trials that none other is at least as good as in all objectives and better in one; equal points once."""
    good = [t for t in found if all(math.isfinite(v) for v in t.values)]
    first = {t.point: t for t in reversed(good)}.values()

    def beaten(t: Tried) -> bool:
        return any(
            all(o >= v for o, v in zip(other.values, t.values, strict=True)) and other.values != t.values
            for other in first
        )

    kept = [t for t in first if not beaten(t)]
    return tuple(t.number for t in sorted(kept, key=lambda t: (tuple(-v for v in t.values), t.number)))


def _walk(request: Request, found: Sequence[Tried], times: IntArray) -> tuple[tuple[Step, ...], float | None]:
    """Windows over the second half of discovery; before each, the trial that was best on all bars up to it."""
    whole = [t for t in found if t.returns.size == times.size and times.size]
    if not whole:
        raise SearchError("no trial has returns on all bars, so there is nothing to walk forward with")
    bars = int(times.size)
    test = bars // (2 * request.windows)
    if test < 2:
        raise SearchError(f"{bars} bars do not hold {request.windows} windows; ask for fewer")
    per_year, name = bars_per_year(times), request.objectives[0]
    if name not in ("sharpe", "sortino", "calmar", "deflated_sharpe"):
        raise SearchError(f"walk-forward follows sharpe, sortino, calmar or deflated_sharpe; {name} is of whole runs")

    def value(returns: FloatArray) -> float:
        return objective(name, np.ascontiguousarray(returns), {}, per_year, len(whole))

    steps, parts = [], []
    for split in walk_forward(bars, bars - request.windows * test, test, 0, expanding=True):
        past = [(value(t.returns[split.train]), -t.number, t) for t in whole]
        known = [p for p in past if math.isfinite(p[0])]
        if not known:
            continue
        before, _, chosen = max(known, key=lambda p: (p[0], p[1]))
        ahead = chosen.returns[split.test]
        parts.append(ahead)
        steps.append(Step(chosen.number, before, value(ahead), int(times[split.test[0]]), int(times[split.test[-1]])))
    walked = value(np.concatenate(parts)) if parts else None
    return tuple(steps), walked
