"""Where the supervisor may execute: a suite's tasks on one data version, confined to its mining period."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ablations.arms import patched_modules
from ablations.compared import objective_series
from ablations.drafted import drafting_code, skills_digest
from ablations.patch import Patch
from ablations.suite import Suite, check_period, suite_tasks
from modules.artifacts import ArtifactStore, HoldingStore
from modules.canonical import digest_json
from modules.contract import STAGES, Module, Stage
from modules.datastore import DataStore, DataVersion
from modules.manifest import Manifest, ManifestStore
from modules.panel import FloatArray
from modules.pipeline import Emit, Purpose, execute
from modules.registry import list_modules, settings_path
from modules.sources import source_of
from modules.task import PipelineSpec, Task, load_modules
from modules.workspace import CHECKOUT
from supervisor.scratch import ScratchStore
from traces.events import PatchScreened


@dataclass(frozen=True)
class Measured:
    """One arm of one task: the objective a bar, bars a year, and the run's metrics, which guards read."""

    values: FloatArray
    bars_per_year: float
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Bench:
    """Everything a mining run needs. No method takes a period: there is only the one."""

    suite: Suite
    version: DataVersion
    spec: PipelineSpec
    data: DataStore
    store: ArtifactStore
    manifests: ManifestStore
    emit: Emit
    loaded: dict[str, dict[Stage, Module]] = field(default_factory=dict)
    """Modules by task digest: finding the code's digest takes longer than a stage, and code stands still in a pass."""

    skills: Path = CHECKOUT / "skills"
    """Folder of the skills in force."""

    known: dict[str, PatchScreened] = field(default_factory=dict)
    """Looks of before by their question, as the ledger holds them (`supervisor.screen`)."""

    _baselines: dict[tuple[str, str], list[Measured]] = field(default_factory=dict)
    """Of each module and objective: every candidate of a pass is compared with the same baseline."""

    _held: list[HoldingStore] = field(default_factory=list)
    _bases: dict[str, str] = field(default_factory=dict)
    _stamps: list[dict[Path, int]] = field(default_factory=list)

    def base(self, module: str) -> str:
        """Digest of what a look at `module` depends on, beside the patch: tasks, code and settings in force; of a skill
        the skills and what drafts by them. A human may merge while a night goes on: then all is loaded anew."""
        self._refresh()
        if module not in self._bases:
            drafting = [skills_digest(self.skills), drafting_code()] if module.startswith("skills") else []
            tasks = [[task.digest, self._identity(task)] for task in self.tasks(module)]
            self._bases[module] = digest_json([tasks, *drafting, "mining"])
        return self._bases[module]

    def _identity(self, task: Task) -> list[list[object]]:
        loaded = self._modules(task)
        return [[m.name, m.code_digest, m.settings.model_dump(mode="json", exclude={"expr"})] for m in loaded.values()]

    def _refresh(self) -> None:
        """Forget what was loaded of settings or skills that were written since."""
        files = [settings_path(stage, name) for stage, name in list_modules()]
        stamps = {path: path.stat().st_mtime_ns for path in (*files, *self.skills.glob("*/SKILL.md")) if path.exists()}
        if self._stamps != [stamps]:
            self._stamps[:] = [stamps]
            for memory in (self.loaded, self._baselines, self._bases):
                memory.clear()

    def baseline(self, module: str, objective: str) -> list[Measured]:
        """Every task with the settings in force, computed once."""
        key = (module, objective)
        if key not in self._baselines:
            self._baselines[key] = [self.measure(task, None, objective) for task in self.tasks(module)]
        return self._baselines[key]

    def tasks(self, module: str) -> tuple[Task, ...]:
        """The suite's tasks through a pipeline that holds `module`."""
        stages = {stage: module.split("/")[1] for stage in STAGES if stage == module.split("/")[0]}
        tasks = suite_tasks(self.suite, self.version, self.spec, "mining", stages)
        for task in tasks:
            check_period(task, self.version, "mining")
        return tasks

    def trace(self, task: Task) -> Manifest:
        """Run `task` with the settings in force, as anybody's run would be: traced, its manifest kept."""
        manifest = self._execute(task, None, "run", self.store)
        self.manifests.save(manifest)
        return manifest

    def measure(self, task: Task, patch: Patch | None, objective: str) -> Measured:
        """One arm of a task; a patched one leaves nothing on disk. Raises ContractError where it is refused."""
        store = self.store if patch is None else ScratchStore(self._read_once())
        manifest = self._execute(task, patch, "ablation", store)
        values = objective_series(manifest, objective, store)[1]
        return Measured(values, manifest.metrics.get("bars_per_year", 252.0), manifest.metrics)

    def _execute(self, task: Task, patch: Patch | None, purpose: Purpose, store: ArtifactStore) -> Manifest:
        check_period(task, self.version, "mining")
        modules = self._modules(task)
        if patch is not None:
            modules = patched_modules(patch, modules)
        return execute(task, modules, source_of(self.data, task), store, self.emit, purpose=purpose)

    def _read_once(self) -> HoldingStore:
        """What candidates share of the store, kept in memory."""
        if not self._held:
            self._held.append(HoldingStore(self.store.root))
        return self._held[0]

    def _modules(self, task: Task) -> dict[Stage, Module]:
        if task.digest not in self.loaded:
            self.loaded[task.digest] = load_modules(task, self.version)
        return self.loaded[task.digest]
