"""The shipped literature index: loading and search."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

INDEX = Path(__file__).resolve().parent / "index.yaml"
ANY_EVENT = "*"


class Source(BaseModel):
    """One published finding. `sign` is that of the relation between the event's measure and later returns."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    authors: str
    year: int = Field(ge=1900, le=2100)
    title: str
    journal: str
    claim: str
    horizon_bars: int = Field(ge=1)
    sign: Literal[-1, 1]
    events: tuple[str, ...] = Field(min_length=1)
    skills: tuple[str, ...]
    sample: str
    t_stat: float | None = None

    @property
    def citation(self) -> str:
        """`Authors (year), title, journal: claim (sample)`."""
        return f"{self.authors} ({self.year}), {self.title}, {self.journal}: {self.claim} ({self.sample})"


_SOURCES = TypeAdapter(tuple[Source, ...])


@cache
def load_index(path: Path = INDEX) -> tuple[Source, ...]:
    """Every source. Raises ValueError naming the entry and field that is wrong, or a key given twice."""
    sources = _SOURCES.validate_python(yaml.safe_load(path.read_text(encoding="utf-8")))
    keys = [s.key for s in sources]
    twice = sorted({k for k in keys if keys.count(k) > 1})
    if twice:
        raise ValueError(f"{path.name}: key {twice[0]} stands twice; give each source a key of its own")
    return sources


def search(events: frozenset[str], *, sign: int, horizon_bars: int | None, limit: int = 4) -> tuple[Source, ...]:
    """Sources on these events, nearest first: shared events, then the same sign, then the nearest window.

    Sources that speak against the claim are kept: a reader wants them most.
    """
    found = [s for s in load_index() if events & set(s.events)]

    def order(source: Source) -> tuple[int, int, float, str]:
        shared = len(events & set(source.events))
        apart = (
            0.0
            if horizon_bars is None
            else abs(source.horizon_bars - horizon_bars) / max(source.horizon_bars, horizon_bars)
        )
        return (-shared, source.sign != sign, round(apart, 6), source.key)

    best = sorted(found, key=order)[:limit]
    against = next((s for s in sorted(found, key=order) if s.sign != sign), None)
    if against is not None and all(s.sign == sign for s in best):
        best = [*best[: limit - 1], against]
    return tuple(best)
