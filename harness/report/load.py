"""A report by run id, for notebooks and commands: `from harness.report import open_report; open_report("last")`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from harness.cutoff import trained_of
from harness.report.beside import Beside
from harness.report.factorfile import read_factors
from harness.report.report import RunReport
from harness.validation.capacity import NO_EDGE, capacity_figure
from harness.validation.store import ValidationStore
from modules.artifacts import ArtifactStore
from modules.engine.costs import NO_VOLUME_NOTE
from modules.manifest import Manifest, ManifestStore, RunError
from modules.workspace import Workspace
from traces.events import TrialRecorded
from traces.reader import read

if TYPE_CHECKING:
    from harness.vector.gap import Gap

GAP_FILE: Final = "gap.json"
T = TypeVar("T")


def open_report(run: str = "last", workspace: Workspace | None = None, factors: str | Path | None = None) -> RunReport:
    """The report of a run by its id, any clear beginning of one, or `last`. Shown by itself in a notebook.

    Raises RunError for a run that is not there, ArtifactError where the store lost a part, FactorError for a factor
    file that does not fit.
    """
    place = workspace or Workspace.here()
    manifest = ManifestStore(place.runs).load(run)
    beside = beside_run(place, manifest, None if factors is None else Path(factors))
    return RunReport.of(manifest, ArtifactStore(place.artifacts), trials_recorded(place.ledger), beside)


def trials_recorded(ledger: Path) -> int:
    """Number of trials that a ledger holds; 0 where there is none."""
    return sum(1 for e in read(ledger) if isinstance(e.event, TrialRecorded)) if ledger.exists() else 0


def beside_run(workspace: Workspace, manifest: Manifest, factors: Path | None = None) -> Beside:
    """What `cws gap` and `cws validate` left of this run; what cannot be believed of it is said in the notes."""
    notes: list[str] = []
    validations = ValidationStore(workspace.runs)
    validated = validations.path(manifest.run_id).exists()
    curve = (_believed(lambda: validations.load(manifest).tables.capacity, notes) if validated else None) or ()
    own = manifest.stage("execute").settings.get("capital_usd")
    silent = any(NO_VOLUME_NOTE in note for note in manifest.stage("execute").notes)
    why = "the data carry no volume, so size costs nothing here" if silent else NO_EDGE
    capacity = None if silent or not isinstance(own, int | float) else capacity_figure(curve, float(own))
    return Beside(
        gap=_believed(lambda: _gap(workspace, manifest), notes),
        trained=_believed(lambda: trained_of(workspace.runs, manifest), notes),
        curve=curve,
        capacity=capacity,
        no_capacity="" if capacity else why,
        factors=None if factors is None else read_factors(factors),
        notes=tuple(notes),
    )


def _believed(read_it: Callable[[], T], notes: list[str]) -> T | None:
    """What is read, or None with the reason among the notes."""
    try:
        return read_it()
    except RunError as error:
        notes.append(f"not shown: {error}")
        return None


def _gap(workspace: Workspace, manifest: Manifest) -> Gap | None:
    if not (workspace.runs / manifest.run_id / GAP_FILE).exists():
        return None  # most runs: nothing of the vector layer is imported for them
    from harness.vector.store import GapStore

    return GapStore(workspace.runs).load(manifest)
