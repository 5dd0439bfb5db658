"""What `cws feature` builds and reads: which features, of which bars, by which computation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.errors import RequestError

if TYPE_CHECKING:
    import polars as pl

    from cli.session import Session
    from modules.feature.library import Feature
    from modules.featurestore import Measured, Source, Wanted

NEEDS_FACTS = "it reads facts, and none are named; --facts NAME, or `facts:` in pipeline.yaml"


@dataclass(frozen=True)
class Part:
    """Features that are computed from the same bars."""

    measured: Measured
    features: tuple[Feature, ...]


def named(names: Sequence[str]) -> list[Feature]:
    """Features by name or family, each once; all where none is named. Raises FeatureError."""
    from modules.feature.library import families, find, latest, library

    known = families()
    asked = [f for n in names for f in (latest(known[n]) if n in known else (find(n),))]
    return list(dict.fromkeys(asked if names else library()))


def parts(session: Session, data: str | None, facts: str | None, features: Sequence[Feature]) -> list[Part]:
    """Features on bars alone, and those on bars with facts. Where no facts are named, the latter are left out."""
    from cli.barsource import measured_bars, measured_facts
    from modules.task import load_pipeline

    fundamental = tuple(f for f in features if reads_facts(f))
    plain = tuple(f for f in features if not reads_facts(f))
    chosen = facts or load_pipeline(session.workspace.root / "pipeline.yaml").facts
    found = []
    if plain or chosen is None:
        found.append(Part(measured_bars(session, data), plain))
    if fundamental and chosen is not None:
        found.append(Part(measured_facts(session, data, chosen), fundamental))
    return found


def reads_facts(feature: Feature) -> bool:
    """Whether a field of the feature is made of facts."""
    from modules.facts.fields import FACT_FIELDS
    from modules.signal import fields_of

    return not fields_of(feature.node).isdisjoint(FACT_FIELDS)


def current(
    session: Session, names: Sequence[str], data: str | None, facts: str | None
) -> list[tuple[list[Wanted], Source]]:
    """What to read by the code at hand, of the bars as they are cleaned today. Raises RequestError, FeatureError."""
    from modules.feature.library import find
    from modules.featurestore import wanted

    features = [find(n) for n in names]
    found = [
        ([wanted(f.reference, f.node) for f in part.features], part.measured.source)
        for part in parts(session, data, facts, features)
    ]
    left = {f.reference for f in features} - {w.feature for asked, _ in found for w in asked}
    if left:
        raise RequestError(f"{', '.join(sorted(left))}: {NEEDS_FACTS}", "name the facts that it was built with")
    return found


def by_computation(
    session: Session, names: Sequence[str], data: str | None, computation: str, version: int | None
) -> tuple[list[Wanted], Source]:
    """What to read by a computation that is named; the bars may have been cleaned otherwise than today."""
    from modules.featurestore import Source
    from modules.task import load_pipeline

    registered = session.version(data or load_pipeline(session.workspace.root / "pipeline.yaml").data)
    asked = [_stored_by(session, n, computation, version) for n in names]
    return asked, Source(registered.name, registered.digest, "", registered.lockbox_start_ns)


def _stored_by(session: Session, name: str, computation: str, version: int | None) -> Wanted:
    """A stored feature by the beginning of its computation; its definition may be gone from the library."""
    from modules.feature.library import FeatureError, find
    from modules.featurestore import Wanted

    try:
        reference = find(name).reference
    except FeatureError:
        reference = name
    keys = [b.key for b in session.features.state(version).builds.values() if b.key.feature == reference]
    found = sorted({k.computation for k in keys if k.computation.startswith(computation)})
    if len(found) != 1:
        have = ", ".join(sorted({k.computation[:12] for k in keys})) or "none"
        what = f"fits {len(found)} computations" if found else "is no stored computation"
        raise RequestError(f"--computation {computation} {what} of {reference}; stored are: {have}", "name one of them")
    return Wanted(reference, found[0])


def instant(option: str, text: str | None, end: bool = False) -> int | None:
    """ns UTC, inclusive; a date that ends something includes its day."""
    from modules.panel import ns
    from modules.task import DAY_NS

    if text is None:
        return None
    try:
        moment = ns(text)
    except ValueError as error:
        raise RequestError(f"{option}: {error}", "write it like 2010-03-01 or 2010-03-01T21:00:00Z") from error
    return moment + DAY_NS - 1 if end and len(text) == len("2010-03-01") else moment


def span(table: pl.DataFrame) -> dict[str, object]:
    """How many symbols a long table holds, and its first and last bar."""
    from modules.panel import iso

    times = table.get_column("event_time").to_physical().to_numpy()
    symbols = table.get_column("symbol").n_unique()
    return {"symbols": symbols, "start": iso(int(times.min())), "end": iso(int(times.max()))}
