"""Blind spots: parts of a result (years, sectors, symbols) in which it collapses, run after run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from supervisor.finding import Finding, Lever
from supervisor.mined import Mined

PROFILES = frozenset({"run.started", "stage.finished", "run.profiled"})
"""The kinds that a miner of profiles reads."""


@dataclass(frozen=True)
class Part:
    """One part of the results of `module`: `times` of `seen` runs are below the threshold there, with this median."""

    module: str
    part: str
    median: float
    times: int
    seen: int
    runs: tuple[str, ...]


def collapsing(traces: Mined, values: str, threshold: float, least_runs: int, least_share: float) -> list[Part]:
    """Parts whose value is below `threshold` in at least `least_runs` runs and `least_share` of those that have it.

    `values`: a SELECT of (name, run_id, part, value).
    """
    rows = traces.sql(
        f"""
        WITH parts AS ({values}),
        finite AS (SELECT * FROM parts WHERE isfinite(value))
        SELECT name, part, median(value) AS median, count(*) FILTER (value < {threshold!r}) AS times, count(*) AS seen,
               list(run_id ORDER BY value, run_id) FILTER (value < {threshold!r}) AS runs
        FROM finite GROUP BY name, part
        HAVING times >= {least_runs} AND times >= {least_share!r} * seen ORDER BY median, name, part"""
    )
    return [
        Part(r["name"], r["part"], r["median"], r["times"], r["seen"], tuple(r["runs"]))
        for r in rows.iter_rows(named=True)
    ]


class Words(Protocol):
    """What a miner of blind spots says of one part: the pattern, and what a patch should change."""

    def __call__(self, part: Part, /) -> tuple[str, str]: ...


def blind_spots(miner: str, parts: list[Part], words: Words, unit: str, levers: tuple[Lever, ...]) -> list[Finding]:
    """One finding a module and part; `size` is how far the median lies below 0, in `unit`."""
    found = []
    for part in parts:
        pattern, statement = words(part)
        found.append(
            Finding(
                miner=miner,
                module=part.module,
                pattern=pattern,
                statement=statement,
                size=-part.median,
                unit=unit,
                occurrences=part.times,
                evidence=part.runs,
                levers=levers,
            )
        )
    return found
