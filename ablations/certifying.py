"""Make an A/A certificate: worthless patches and planted improvements through the gate, alone and in streams.

The work is cut into jobs of fixed content, each patch with a random stream of its own, so that any number of
workers gives the same certificate to the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from ablations.certificate import (
    POWER,
    Certificate,
    Keys,
    KindResult,
    PowerPoint,
    StreamResult,
)
from ablations.floor import Series
from ablations.judging import Judged, judge, judge_stream
from ablations.rates import Counted, least_size, upper_bound
from ablations.trials import first_level
from ablations.workers import Workers
from ablations.worthless import KINDS, MOVING, Kind, Material, one_worthless, planted
from modules.canonical import digest_bytes

PER_KIND: Mapping[Kind, int] = {
    "identical": 60,
    "relabelled": 60,
    "leverage": 60,
    "swapped": 300,
    "flipped": 240,
    "noise": 180,
    "mined": 180,
}
SINGLE_LEVEL = 0.05
"""Nominal level of one test alone, to compare the rate with."""

SIZES = (0.05, 0.07, 0.1, 0.14, 0.2, 0.28, 0.4, 0.56, 0.8, 1.12, 1.6, 2.24, 3.2)
TRIES = 40
TWICE_TRIES = 120

STREAMS = 3
STREAM_PATCHES = 500
REAL_SHARE = 0.2
REAL_SIZES = (0.5, 4.0)
"""Real effects of a stream, in units of the least detectable size: log-uniform between these."""

SEED = 20_061_002
PIECE = 20
"""Patches a job."""


@dataclass(frozen=True)
class _Single:
    """Patches `first` up to `first + count` of a kind, or planted ones of a size, each alone."""

    material: Material
    what: Kind | float
    key: int
    first: int
    count: int
    seed: int


@dataclass(frozen=True)
class _Stream:
    material: Material
    least: float
    seed: int
    number: int


_Job = _Single | _Stream
_Answer = list[tuple[bool, float]] | StreamResult


def issue(
    material: Material,
    keys: Keys,
    suite: str,
    data: str,
    workers: Workers,
    *,
    engine: Mapping[str, str],
    seed: int = SEED,
) -> Certificate:
    """Send worthless patches and planted improvements through the gate. About a minute on two cores."""
    singles = [
        *_pieces(material, [(kind, i, PER_KIND[kind]) for i, kind in enumerate(KINDS)], seed),
        *_pieces(material, [(size, 100 + i, TRIES) for i, size in enumerate(SIZES)], seed),
    ]
    tried = _gathered(singles, workers.map(_alone, singles))
    kinds = tuple(_kind(kind, tried[i]) for i, kind in enumerate(KINDS))
    power = tuple(_power(size, tried[100 + i]) for i, size in enumerate(SIZES))
    least = least_size([Counted(p.size, p.tries, p.ships) for p in power], POWER)
    twice = [] if least is None else _pieces(material, [(2.0 * least, 200, TWICE_TRIES)], seed)
    streams = [_Stream(material, SIZES[-1] if least is None else least, seed, i) for i in range(STREAMS)]
    second: list[_Job] = [*streams, *twice]
    answers = workers.map(_work, second)
    followed = tuple(a for a in answers if isinstance(a, StreamResult))
    again = _gathered(twice, [a for a in answers if not isinstance(a, StreamResult)])
    patches, ships = sum(k.patches for k in kinds), sum(k.false_ships for k in kinds)
    moving = [k for k in kinds if k.kind in MOVING]  # the others have no p-value
    tested, single = sum(k.patches for k in moving), sum(k.single_test for k in moving)
    return Certificate(
        **keys._asdict(),
        suite=suite,
        data=data,
        level=first_level(),
        patches=patches,
        false_ships=ships,
        upper_bound=upper_bound(ships, patches),
        single_level=SINGLE_LEVEL,
        single_tested=tested,
        single_false=single,
        single_upper_bound=upper_bound(single, tested),
        kinds=kinds,
        power=power,
        minimum_detectable=least,
        seed=seed,
        twice=None if least is None else _power(2.0 * least, again[200]),
        streams=followed,
        false_discovery_rate=sum(s.false_discoveries for s in followed) / len(followed),
        engine=dict(engine),
        series_digest=series_digest(material),
    )


def series_digest(material: Material) -> str:
    """Identity of the series: whoever collects them again with the same engine and data gets it again."""
    arrays = (material.baseline, *material.arms, material.market, material.mining_baseline, material.mining_market)
    return digest_bytes(b"".join(np.ascontiguousarray(a, dtype="<f8").tobytes() for a in arrays))


def _pieces(material: Material, whats: Sequence[tuple[Kind | float, int, int]], seed: int) -> list[_Single]:
    return [
        _Single(material, what, key, first, min(PIECE, total - first), seed)
        for what, key, total in whats
        for first in range(0, total, PIECE)
    ]


def _gathered(jobs: Sequence[_Single], answers: Sequence[_Answer]) -> dict[int, list[tuple[bool, float]]]:
    found: dict[int, list[tuple[bool, float]]] = {}
    for job, answer in zip(jobs, answers, strict=True):
        assert not isinstance(answer, StreamResult)
        found.setdefault(job.key, []).extend(answer)
    return found


def _kind(kind: Kind, results: Sequence[tuple[bool, float]]) -> KindResult:
    return KindResult(
        kind=kind,
        patches=len(results),
        false_ships=sum(shipped for shipped, _ in results),
        single_test=sum(p <= SINGLE_LEVEL for _, p in results),
    )


def _power(size: float, results: Sequence[tuple[bool, float]]) -> PowerPoint:
    return PowerPoint(size=size, tries=len(results), ships=sum(shipped for shipped, _ in results))


# --- what a worker does -------------------------------------------------------------------------------


def _work(job: _Job) -> _Answer:
    return _alone(job) if isinstance(job, _Single) else _follow(job)


def _alone(job: _Single) -> list[tuple[bool, float]]:
    """Whether each ships at the first trial's level, which no later one exceeds; and its p-value."""
    found = []
    for i in range(job.first, job.first + job.count):
        rng = _random(job.seed, job.key, i)
        judged = judge(_made(job.material, job.what, i, rng), first_level(), _draw_seed(rng))
        found.append((judged.ships, judged.p_value))
    return found


def _follow(job: _Stream) -> StreamResult:
    """A stream in random order, worthless patches in the shares of `PER_KIND`."""
    rng = _random(job.seed, 300 + job.number, 0)
    real = np.zeros(STREAM_PATCHES, dtype=bool)
    real[rng.choice(STREAM_PATCHES, round(REAL_SHARE * STREAM_PATCHES), replace=False)] = True
    shares = np.array([PER_KIND[k] for k in KINDS]) / sum(PER_KIND.values())
    low, high = np.log(REAL_SIZES)
    whats: list[Kind | float] = [
        float(job.least * np.exp(rng.uniform(low, high))) if is_real else KINDS[int(rng.choice(len(KINDS), p=shares))]
        for is_real in real
    ]
    patches = ((_made(job.material, what, i, rng), _draw_seed(rng)) for i, what in enumerate(whats))
    judged: list[Judged] = judge_stream(patches)
    return StreamResult(
        seed=job.number,
        patches=STREAM_PATCHES,
        real=int(real.sum()),
        ships=sum(j.ships for j in judged),
        false_ships=sum(j.ships for j, is_real in zip(judged, real, strict=True) if not is_real),
        lowest_level=min(j.level for j in judged),
    )


def _made(material: Material, what: Kind | float, i: int, rng: Generator) -> Series:
    if isinstance(what, float):
        return planted(material, material.arms[i % len(material.arms)], what, rng)
    return one_worthless(what, material, i, rng)


def _random(seed: int, key: int, i: int) -> Generator:
    """The random stream of one patch: a function of what it is, not of who makes it or after what."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, key, i])))


def _draw_seed(rng: Generator) -> int:
    return int(rng.integers(2**62))
