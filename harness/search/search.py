"""Search on the discovery part of a data set: ask, run the whole pipeline, count the trial, tell."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.search.objectives import objective
from harness.search.parallel import refuse_adaptive, tried_in_parallel
from harness.search.sampling import Sampler
from harness.search.space import Point, SearchError
from harness.search.surface import Plateau, plateau
from harness.search.trial import Tried
from harness.search.tryout import Desk, Request, try_point
from harness.validation.splits import walk_forward
from harness.validation.trials import trials_on
from modules.canonical import digest_json
from modules.engine.metrics import bars_per_year
from modules.panel import FloatArray, IntArray
from traces.reader import read

__all__ = ["Desk", "Request", "Result", "Step", "search"]


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


def search(request: Request, desk: Desk, progress: Callable[[int, Tried], None] | None = None, jobs: int = 1) -> Result:
    """Try up to `request.trials` points. Each is a trial in the ledger, the same outputs the same trial.

    Equal requests on equal data, code and ledgers give equal results to the bit, whatever the number of `jobs`, the
    processes that points are shared between; for those, the points must be chosen without looking. Raises what a module
    raises, but a refusal by a contract is a trial without figures.
    """
    refuse_adaptive(request, jobs)
    sampler = Sampler(
        request.space, request.method, request.trials, request.seed, len(request.objectives), request.steps
    )
    before = trials_on(read(desk.workspace.ledger), desk.version.name, desk.version.digest).count
    each = (
        _one_by_one(request, desk, sampler, before)
        if jobs == 1
        else tried_in_parallel(request, desk, sampler, before, jobs)
    )
    found: list[Tried] = []
    times: IntArray = np.empty(0, np.int64)
    for tried, when in each:
        times = when if when.size else times
        found.append(tried)
        if progress is not None:
            progress(len(found), tried)
    return _result(request, desk, found, times, before)


def _one_by_one(request: Request, desk: Desk, sampler: Sampler, before: int) -> Iterator[tuple[Tried, IntArray]]:
    """Ask, try, tell. A point that was tried is not tried again."""
    known: dict[Point, Tried] = {}
    number = 0
    while number < request.trials and (asked := sampler.ask()) is not None:
        ticket, point = asked
        when: IntArray = np.empty(0, np.int64)
        if point in known:
            tried = replace(known[point], number=number)
        else:
            tried, when = try_point(request, desk, point, number, before + len(known) + 1)
            known[point] = tried
        sampler.tell(ticket, tried.values)
        yield tried, when
        number += 1


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
