"""One point that was tried."""

from __future__ import annotations

from dataclasses import dataclass

from harness.search.space import Point
from modules.panel import FloatArray


@dataclass(frozen=True, eq=False)
class Tried:
    """`values` by objective, NaN where the run gave none; `returns` `[T]` net, empty where it was refused (`why`)."""

    number: int
    point: Point
    signal: str | None
    values: tuple[float, ...]
    run_digest: str
    returns: FloatArray
    why: str = ""
