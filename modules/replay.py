"""Re-execute a recorded run, reading nothing from the cache, and say where the bits part."""

from __future__ import annotations

from dataclasses import dataclass

from modules.artifacts import ArtifactStore
from modules.compare import Difference, first_difference
from modules.contract import STAGES, Module, Stage
from modules.datastore import DataStore
from modules.manifest import Manifest
from modules.pipeline import Emit, RawSource, execute
from modules.registry import load_module


@dataclass(frozen=True)
class Replay:
    """Both runs and their first difference (None = equal to the last bit)."""

    recorded: Manifest
    found: Manifest
    difference: Difference | None

    @property
    def equal(self) -> bool:
        """Whether nothing differs: outputs, code, settings and skills."""
        return self.difference is None


def recorded_modules(manifest: Manifest) -> dict[Stage, Module]:
    """Today's code with the settings that the run recorded."""
    modules: dict[Stage, Module] = {}
    for stage in STAGES[: len(manifest.stages)]:
        record = manifest.stage(stage)
        module = load_module(stage, record.module)
        modules[stage] = module.with_settings(record.settings)
    return modules


def replay(manifest: Manifest, data: DataStore, store: ArtifactStore, emit: Emit) -> Replay:
    """Run the task again from its raw data with the code in this checkout.

    Raises DataError where the data version is gone, and what a stage raises.
    """
    version = data.get(manifest.task.data, manifest.task.data_digest)
    found = execute(
        manifest.task,
        recorded_modules(manifest),
        RawSource(version.digest, lambda: data.raw(version)),
        store,
        emit,
        purpose="replay",
        use_cache=False,
        until=manifest.stages[-1].stage,
    )
    return Replay(manifest, found, first_difference(manifest, found, store))
