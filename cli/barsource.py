"""The cleaned bars of a data set with their groups, as a signal in the feature stage sees them, never the lockbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from cli.session import Session
    from modules.datastore import DataVersion
    from modules.featurestore import Measured
    from modules.manifest import Manifest
    from modules.panel import Panel
    from modules.pipeline import RawSource


@dataclass(frozen=True, eq=False)
class Cleaned:
    """What ingest and clean gave of a data set: its bars with the groups of its symbols, and where they came from."""

    version: DataVersion
    bars: Panel
    instruments: pl.DataFrame
    manifest: Manifest
    source: RawSource

    def records(self, session: Session) -> pl.DataFrame:
        """What clean read: the records that were known at the end, with their times of availability."""
        import polars as pl

        records = session.artifacts.get(self.manifest.stage("clean").inputs["records"])
        assert isinstance(records, pl.DataFrame), "records must be a table"
        return records


def bars_of(session: Session, data: str | None) -> Panel:
    """The bars of `cleaned` alone."""
    return cleaned(session, data).bars


def measured_bars(session: Session, data: str | None) -> Measured:
    """As `bars_of`, with the times from which each bar could be known: those of the records that clean read."""
    from modules.featurestore import measured

    found = cleaned(session, data)
    version = found.version
    return measured(version.name, version.digest, found.bars, found.records(session), version.lockbox_start_ns)


def measured_facts(session: Session, data: str | None, facts: str) -> Measured:
    """As `measured_bars`, with every field that a feature of the library makes of facts. Fields of shares follow the
    splits so far, so no bar counts as known before those that went before it."""
    from modules.door import facts_through_the_door
    from modules.facts.fields import FACT_FIELDS
    from modules.feature.fundamental import FundamentalSettings, fields_read
    from modules.feature.library import families
    from modules.featurestore import measured
    from modules.fundamentals import Sources, with_fundamentals

    found = cleaned(session, data, facts)
    names = fields_read([row for rows in families().values() for row in rows]) & set(FACT_FIELDS)
    records, task, stated = found.records(session), found.manifest.task, found.source.facts
    assert stated is not None, "a task with facts has a source of them"
    table = facts_through_the_door(stated.load(), min(task.end_ns, stated.before_ns - 1), task.symbols)
    stale_days = FundamentalSettings.model_fields["stale_days"].default
    bars = with_fundamentals(Sources(found.bars, found.instruments, records, table), names, stale_days)
    version = found.version
    return measured(version.name, version.digest, bars, records, version.lockbox_start_ns, in_order=True)


def cleaned(session: Session, data: str | None, facts: str | None = None) -> Cleaned:
    """Run ingest and clean for a data set (None = that of pipeline.yaml), up to the first lockbox of it and `facts`."""
    import polars as pl

    from modules.groups import with_groups
    from modules.panel import Panel
    from modules.pipeline import execute
    from modules.sources import source_of
    from modules.task import load_modules, load_pipeline, make_task

    spec = load_pipeline(session.workspace.root / "pipeline.yaml").model_copy(update={"facts": facts})
    version = session.version(data or spec.data)
    task = make_task(spec, version, facts=session.version(facts) if facts else None)
    source = source_of(session.data, task)
    manifest = execute(
        task,
        load_modules(task, version),
        source,
        session.artifacts,
        session.emit,
        until="clean",
    )
    bars, instruments = (session.artifacts.get(manifest.output(name)) for name in ("bars", "instruments"))
    assert isinstance(bars, Panel) and isinstance(instruments, pl.DataFrame), "bars are a panel, instruments a table"
    return Cleaned(version, with_groups(bars, instruments), instruments, manifest, source)
