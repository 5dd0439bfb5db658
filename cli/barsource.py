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


@dataclass(frozen=True, eq=False)
class Cleaned:
    """What ingest and clean gave of a data set: its bars with the groups of its symbols, and where they came from."""

    version: DataVersion
    bars: Panel
    instruments: pl.DataFrame
    manifest: Manifest


def bars_of(session: Session, data: str | None) -> Panel:
    """The bars of `cleaned` alone."""
    return cleaned(session, data).bars


def measured_bars(session: Session, data: str | None) -> Measured:
    """As `bars_of`, with the times from which each bar could be known: those of the records that clean read."""
    import polars as pl

    from modules.featurestore import measured

    found = cleaned(session, data)
    records = session.artifacts.get(found.manifest.stage("clean").inputs["records"])
    assert isinstance(records, pl.DataFrame), "records must be a table"
    version = found.version
    return measured(version.name, version.digest, found.bars, records, version.lockbox_start_ns)


def cleaned(session: Session, data: str | None) -> Cleaned:
    """Run ingest and clean for a data set (None = that of pipeline.yaml)."""
    import polars as pl

    from modules.groups import with_groups
    from modules.panel import Panel
    from modules.pipeline import execute
    from modules.sources import source_of
    from modules.task import load_modules, load_pipeline, make_task

    spec = load_pipeline(session.workspace.root / "pipeline.yaml").model_copy(update={"facts": None})
    version = session.version(data or spec.data)
    task = make_task(spec, version)
    manifest = execute(
        task,
        load_modules(task, version),
        source_of(session.data, task),
        session.artifacts,
        session.emit,
        until="clean",
    )
    bars, instruments = (session.artifacts.get(manifest.output(name)) for name in ("bars", "instruments"))
    assert isinstance(bars, Panel) and isinstance(instruments, pl.DataFrame), "bars are a panel, instruments a table"
    return Cleaned(version, with_groups(bars, instruments), instruments, manifest)
