"""A small real run for tests: us5 (5 stocks, OHLCV, 2000-2013), in a store of the test's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from modules.artifacts import ArtifactStore
from modules.contract import Module, Stage
from modules.datastore import DataStore, DataVersion
from modules.manifest import Manifest, ManifestStore
from modules.pipeline import RawSource, execute
from modules.sources import source_of
from modules.task import PipelineSpec, Task, load_modules, load_pipeline, make_task
from traces.events import Event

CHECKOUT = Path(__file__).resolve().parent.parent
SPEC = load_pipeline(CHECKOUT / "pipeline.yaml")


@dataclass
class Desk:
    """A workspace below `home` and the events its runs emit."""

    home: Path
    data_name: str = "us5"
    facts_name: str | None = None
    spec: PipelineSpec = SPEC
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.data = DataStore(self.home / "data")
        self.store = ArtifactStore(self.home / "artifacts")
        self.runs = ManifestStore(self.home / "runs")

    @property
    def version(self) -> DataVersion:
        return self.data.current(self.data_name)

    def task(self, **changes: object) -> Task:
        facts = None if self.facts_name is None else self.data.current(self.facts_name)
        return make_task(self.spec, self.version, facts=facts, **changes)  # type: ignore[arg-type]

    def raw(self) -> RawSource:
        return source_of(self.data, self.task())

    def run(
        self,
        task: Task | None = None,
        modules: dict[Stage, Module] | None = None,
        *,
        use_cache: bool = True,
        until: Stage = "execute",
    ) -> Manifest:
        task = task or self.task()
        modules = modules or load_modules(task, self.version)
        manifest = execute(task, modules, self.raw(), self.store, self.events.append, use_cache=use_cache, until=until)
        self.runs.save(manifest)
        return manifest
