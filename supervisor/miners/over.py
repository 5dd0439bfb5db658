"""What several miners share: how often a figure of a run is above a threshold, per module."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.mined import Mined


@dataclass(frozen=True)
class Over:
    """`times` of the `seen` runs of `module` were above the threshold, with this median; worst runs first."""

    module: str
    median: float
    times: int
    seen: int
    runs: tuple[str, ...]


def over(traces: Mined, values: str, threshold: float) -> list[Over]:
    """Modules with a run above `threshold`, the largest median first.

    `values`: a SELECT of (name, run_id, value), one row a run; NULL and NaN values were not seen.
    """
    rows = traces.sql(
        f"""
        , figures AS ({values}),
        finite AS (SELECT name, run_id, value FROM figures WHERE isfinite(value))
        SELECT name, median(value) FILTER (value > {threshold}) AS median,
               count(*) FILTER (value > {threshold}) AS times, count(*) AS seen,
               list(run_id ORDER BY value DESC, run_id) FILTER (value > {threshold}) AS runs
        FROM finite GROUP BY name HAVING times > 0 ORDER BY median DESC, name"""
    )
    return [Over(r["name"], r["median"], r["times"], r["seen"], tuple(r["runs"])) for r in rows.iter_rows(named=True)]
