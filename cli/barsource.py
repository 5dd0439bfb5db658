"""The cleaned bars of a data set with their groups, as a signal in the feature stage sees them, never the lockbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cli.session import Session
    from modules.datastore import DataVersion
    from modules.featurestore import Measured
    from modules.manifest import Manifest
    from modules.panel import Panel


def bars_of(session: Session, data: str | None) -> Panel:
    """Run ingest and clean for a data set (None = that of pipeline.yaml); its bars, and the groups of its symbols."""
    return _cleaned(session, data)[1]


def measured_bars(session: Session, data: str | None) -> Measured:
    """As `bars_of`, with the times from which each bar could be known: those of the records that clean read."""
    import polars as pl

    from modules.featurestore import measured

    version, bars, manifest = _cleaned(session, data)
    records = session.artifacts.get(manifest.stage("clean").inputs["records"])
    assert isinstance(records, pl.DataFrame), "records must be a table"
    return measured(version.name, version.digest, bars, records, version.lockbox_start_ns)


def _cleaned(session: Session, data: str | None) -> tuple[DataVersion, Panel, Manifest]:
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
    return version, with_groups(bars, instruments), manifest
