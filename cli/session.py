"""A workspace opened for one command: stores, manifests and the ledger, wired to each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from cli.errors import CommandError, RequestError
from modules.workspace import Workspace

if TYPE_CHECKING:
    from modules.artifacts import ArtifactStore
    from modules.datastore import DataStore, DataVersion
    from modules.featurestore import FeatureStore
    from modules.manifest import ManifestStore
    from traces.events import Event
    from traces.ledger import Ledger


@dataclass(frozen=True)
class Stores:
    """What can be read without the ledger. Each store is opened on first use."""

    workspace: Workspace

    @cached_property
    def artifacts(self) -> ArtifactStore:
        """Panels and tables by digest."""
        from modules.artifacts import ArtifactStore

        return ArtifactStore(self.workspace.artifacts)

    @cached_property
    def data(self) -> DataStore:
        """Registered data sets."""
        from modules.datastore import DataStore

        return DataStore(self.workspace.data)

    @cached_property
    def features(self) -> FeatureStore:
        """Stored features."""
        from modules.featurestore import FeatureStore

        return FeatureStore(self.workspace.features)

    @cached_property
    def manifests(self) -> ManifestStore:
        """Recorded runs."""
        from modules.manifest import ManifestStore

        return ManifestStore(self.workspace.runs)


@dataclass(frozen=True)
class Session(Stores):
    """Stores and an open ledger: what a command needs that leaves a trace."""

    ledger: Ledger

    def emit(self, event: Event) -> None:
        """Record one event; returns once it is on disk."""
        self.ledger.append(event)

    def emit_all(self, events: Sequence[Event]) -> None:
        """Record several events as one group: one wait for the disk instead of one each."""
        self.ledger.append(*events)

    def version(self, name: str) -> DataVersion:
        """The current version of a data set; a bundled set is registered, and recorded, on first use."""
        from ablations.planted.register import current
        from modules.datastore import DataError

        known = {(v.name, v.version) for v in self.data.list()}
        try:
            version = current(self.data, name)
        except DataError as error:
            if name in {known_name for known_name, _ in known}:
                raise
            raise RequestError(str(error), error.remedy) from error  # nobody has such a set: the request is wrong
        if (version.name, version.version) not in known:
            self.emit(registered(version))
        return version


def registered(version: DataVersion) -> Event:
    """The event that records a registration."""
    from traces.events import DataRegistered

    return DataRegistered(
        name=version.name,
        version=version.version,
        digest=version.digest,
        ingest=version.ingest,
        rows=version.rows,
        symbols=version.symbols,
        start=version.start,
        end=version.end,
        refused=version.refused,
        exposed=version.exposes,
    )


def stores() -> Stores:
    """The workspace for reading."""
    return Stores(Workspace.here())


@contextmanager
def session() -> Iterator[Session]:
    """The workspace with its ledger open."""
    from traces.ledger import Ledger

    workspace = Workspace.here()
    try:
        workspace.home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(
            f"{workspace.home} cannot be used as the home of the runtime state: {error.strerror}",
            "set CWS_HOME to a folder you may write",
        ) from error
    with Ledger(workspace.ledger, workspace.checkpoints) as ledger:
        yield Session(workspace, ledger)
