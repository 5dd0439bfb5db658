"""The shipped literature index: facts on published predictors and effects, one file a family, in our own words.

A construction is the measure in the signal language; later returns go with it by `sign`. `fidelity` says whether it is
the published one or a near one (other windows, sectors for industries, the mean of the bars for the market). What our
fields cannot make says in `needs` what is missing.

`events` names the skills' events that a finding bears on. `-event`: the event's measure runs against the construction,
so its sign is the other one. `~event`: the finding bears on it without giving it a sign, as a condition does.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

INDEX = Path(__file__).resolve().parent / "index"
ANY_EVENT = "*"
INDEX_DATE = "2026-11-20"
"""When the entries were last gone through."""


class Source(BaseModel):
    """One published finding. `sign` is that of the relation between the measure and later returns.

    `horizon_bars`: the look-back studied; `holding_bars`: how long positions were held; `t_stat` as reported, without
    its sign; `monthly_pct`: the reported spread, percent a month. None = not reported, or not known here.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    family: str = Field(pattern=r"^[a-z_]+$")
    authors: str
    year: int = Field(ge=1900, le=2100)
    title: str
    journal: str
    claim: str = Field(min_length=10, max_length=200)
    sign: Literal[-1, 1]
    horizon_bars: int = Field(ge=1, le=6_000)
    holding_bars: int | None = Field(default=None, ge=1, le=2_000)
    sample: str
    t_stat: float | None = Field(default=None, gt=0.0)
    monthly_pct: float | None = Field(default=None, gt=0.0)
    construction: str | None = None
    fidelity: Literal["exact", "approximate"] | None = None
    needs: str | None = None
    events: tuple[str, ...] = ()
    senses: Mapping[str, Literal[-1, 0, 1]] = Field(default_factory=dict)
    skills: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _with_senses(cls, entry: Mapping[str, object]) -> Mapping[str, object]:
        if "senses" in entry:
            return entry
        written = entry.get("events")
        named = [str(e) for e in written] if isinstance(written, list | tuple) else []
        bare = [e.removeprefix("-").removeprefix("~") for e in named]
        senses = {b: {"-": -1, "~": 0}.get(e[:1], 1) for b, e in zip(bare, named, strict=True)}
        return {**entry, "events": tuple(bare), "senses": senses}

    @model_validator(mode="after")
    def _made_or_missing(self) -> Source:
        if (self.construction is None) == (self.needs is None):
            raise ValueError(f"{self.key}: give either construction or needs (what data it would take), not both")
        if (self.construction is None) != (self.fidelity is None):
            raise ValueError(f"{self.key}: fidelity says how near the construction is; give both or neither")
        return self

    def says(self, events: frozenset[str]) -> Literal[-1, 0, 1]:
        """The sign of the relation between the measure of these events and later returns; 0 where it gives none."""
        signs = [self.sign * self.senses[e] for e in self.events if e in events and self.senses[e]]
        return 0 if not signs else 1 if signs[0] > 0 else -1

    @property
    def citation(self) -> str:
        """`Authors (year), title, journal: claim (sample)`."""
        return f"{self.authors} ({self.year}), {self.title}, {self.journal}: {self.claim} ({self.sample})"


_ENTRIES = TypeAdapter(tuple[dict[str, object], ...])


@cache
def load_index(folder: Path = INDEX) -> tuple[Source, ...]:
    """Every source, by file and in its order. Raises ValueError naming the file, entry and field that is wrong."""
    sources = [s for file in sorted(folder.glob("*.yaml")) for s in _read(file)]
    seen: set[str] = set()
    for source in sources:
        if source.key in seen:
            raise ValueError(f"{source.family}.yaml: key {source.key} stands twice; give each source a key of its own")
        seen.add(source.key)
    if not sources:
        raise ValueError(f"{folder}: no source in any *.yaml; the index is shipped with the checkout, restore it")
    return tuple(sources)


def _read(file: Path) -> list[Source]:
    # The C loader reads the index in a sixth of the time, where PyYAML was built with it.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    entries = _ENTRIES.validate_python(yaml.load(file.read_text(encoding="utf-8"), Loader=loader))
    found = []
    for place, entry in enumerate(entries, 1):
        try:
            found.append(Source.model_validate({**entry, "family": file.stem}))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(p) for p in first["loc"])
            raise ValueError(f"{file.name}, entry {place} ({entry.get('key')}): {where} {first['msg']}") from error
    return found


def source_of(key: str) -> Source | None:
    """The source with this key, or None."""
    return next((s for s in load_index() if s.key == key), None)


_RANK = {1: 0, 0: 1, -1: 2}
"""For the claim, without a sign, against it."""


def search(events: frozenset[str], *, sign: int, horizon_bars: int | None, limit: int = 4) -> tuple[Source, ...]:
    """Sources on these events, nearest first: events shared with a sign, then the same sign, then the nearest window,
    then the first to find it.

    Sources that speak against the claim are kept: a reader wants them most.
    """
    found = [s for s in load_index() if events & set(s.events)]

    def order(source: Source) -> tuple[int, int, float, int, str]:
        shared = sum(1 for e in events & set(source.events) if source.senses[e])
        apart = (
            0.0
            if horizon_bars is None
            else abs(source.horizon_bars - horizon_bars) / max(source.horizon_bars, horizon_bars)
        )
        return (-shared, _RANK[source.says(events) * sign], round(apart, 6), source.year, source.key)

    best = sorted(found, key=order)[:limit]
    against = next((s for s in sorted(found, key=order) if s.says(events) == -sign), None)
    if against is not None and all(s.says(events) != -sign for s in best):
        best = [*best[: limit - 1], against]
    return tuple(best)
