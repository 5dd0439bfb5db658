"""A search whose points are chosen without looking, by several processes.

The points are known beforehand, so the result is that of one process to the bit. Each trial is recorded before its
point is handed out; what else its run leaves is recorded when it comes back, in the order of the trials.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from harness.pool import in_order
from harness.search.sampling import Sampler
from harness.search.space import Point, SearchError
from harness.search.trial import Tried
from harness.search.tryout import Desk, Request, trial_of, try_point
from modules.panel import IntArray
from modules.pipeline import Emit
from traces.events import Event, TrialRecorded


@dataclass(frozen=True)
class _Piece:
    point: Point
    number: int
    trials: int


Answer = tuple[Tried, IntArray, list[Event]]
_HERE: list[tuple[Request, Desk]] = []
"""What this process works with; filled once, where it is one of several."""


def refuse_adaptive(request: Request, jobs: int) -> None:
    """Raises SearchError where what is tried next depends on what came before."""
    if jobs > 1 and request.method not in ("grid", "random"):
        raise SearchError(f"--jobs needs points chosen without looking; use grid or random, not {request.method}")


def tried_in_parallel(
    request: Request, desk: Desk, sampler: Sampler, before: int, jobs: int
) -> Iterator[tuple[Tried, IntArray]]:
    """Every point that the sampler has, as `search` would try them one after the other."""
    points = _points(sampler, request.trials)
    first = {p: k for k, p in reversed(list(enumerate(points)))}
    fresh = [_Piece(p, k, before + n + 1) for n, (k, p) in enumerate(sorted((k, p) for p, k in first.items()))]
    known: dict[Point, Tried] = {}
    answers = _answers(request, desk, fresh, jobs)
    for number, point in enumerate(points):
        if point in known:
            yield replace(known[point], number=number), _none()
            continue
        tried, when, events = next(answers)
        for event in events:
            desk.emit(event)
        known[point] = tried
        yield tried, when


def _points(sampler: Sampler, trials: int) -> list[Point]:
    found: list[Point] = []
    while len(found) < trials and (asked := sampler.ask()) is not None:
        found.append(asked[1])
    return found


def _answers(request: Request, desk: Desk, pieces: Sequence[_Piece], jobs: int) -> Iterator[Answer]:
    """The first here: it makes what all share, and a mistake in the request is met before any process is started."""
    if not pieces:
        return
    tried, when = try_point(request, desk, pieces[0].point, pieces[0].number, pieces[0].trials)
    yield tried, when, []
    if len(pieces) == 1:
        return

    def handed_out() -> Iterator[_Piece]:
        for piece in pieces[1:]:
            recorded = trial_of(request, desk, piece.point)
            if isinstance(recorded, TrialRecorded):
                desk.emit(recorded)
            yield piece

    quiet = replace(desk, emit=_dropped)
    yield from in_order(_work, handed_out(), min(jobs, len(pieces) - 1), _prepare, (request, quiet))


def _dropped(event: Event) -> None:
    """Stands where the ledger was: another process holds it."""


def _none() -> IntArray:
    import numpy as np

    return np.empty(0, np.int64)


def _prepare(request: Request, desk: Desk) -> None:
    _HERE[:] = [(request, desk)]


def _work(piece: _Piece) -> Answer:
    request, desk = _HERE[0]
    events: list[Event] = []
    keep: Emit = events.append
    tried, when = try_point(request, replace(desk, emit=keep), piece.point, piece.number, piece.trials)
    return tried, when, [e for e in events if not isinstance(e, TrialRecorded)]
