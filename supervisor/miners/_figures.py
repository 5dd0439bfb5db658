"""What many miners share: how often a figure of a run is beyond a threshold, per module."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from supervisor.mined import Mined

STAGES_OF_RUNS = frozenset({"run.started", "stage.finished"})
"""The kinds that a miner of runs' figures reads."""

COMPARED = STAGES_OF_RUNS | {"features.compared"}
"""The kinds that a miner of compared features reads."""


@dataclass(frozen=True)
class Beyond:
    """`times` of the `seen` runs of `module` were beyond the threshold, with this median; worst runs first."""

    module: str
    median: float
    times: int
    seen: int
    runs: tuple[str, ...]

    @property
    def often(self) -> str:
        """`3 of 8 runs`."""
        return f"{self.times} of {self.seen} runs"


def beyond(
    traces: Mined, values: str, threshold: float, side: Literal["above", "below"] = "above", least_share: float = 0.0
) -> list[Beyond]:
    """Modules with a run beyond `threshold`, the worst median first.

    `values`: a SELECT of (name, run_id, value), one row a run; NULL and NaN values were not seen. `least_share`: of the
    runs seen that must be beyond.
    """
    test, worst = (f"value > {threshold!r}", "DESC") if side == "above" else (f"value < {threshold!r}", "ASC")
    rows = traces.sql(
        f"""
        WITH figures AS ({values}),
        finite AS (SELECT name, run_id, value FROM figures WHERE isfinite(value))
        SELECT name, median(value) FILTER ({test}) AS median,
               count(*) FILTER ({test}) AS times, count(*) AS seen,
               list(run_id ORDER BY value {worst}, run_id) FILTER ({test}) AS runs
        FROM finite GROUP BY name HAVING times > 0 AND times >= {least_share!r} * seen
        ORDER BY median {worst}, name"""
    )
    return [Beyond(r["name"], r["median"], r["times"], r["seen"], tuple(r["runs"])) for r in rows.iter_rows(named=True)]
