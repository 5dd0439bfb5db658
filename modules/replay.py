"""Re-execute a recorded run, reading nothing from the cache, and say where the bits part."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from modules.artifacts import ArtifactStore
from modules.canonical import digest_json, digest_mapping
from modules.compare import Difference, first_difference
from modules.contract import STAGES, Module, Stage
from modules.datastore import DataStore
from modules.manifest import Manifest
from modules.pipeline import Emit, execute
from modules.registry import RegistryError, load_module, validate_settings
from modules.sources import source_of


@dataclass(frozen=True)
class Replay:
    """Both runs and their first difference (None = the same outputs, made by the same code)."""

    recorded: Manifest
    found: Manifest
    difference: Difference | None

    @property
    def equal(self) -> bool:
        """Whether every output and metric has the recorded bits. Code may have moved on since: it is named in
        `difference`, and breaks no promise."""
        return self.difference is None or self.difference.same_bits


def recorded_modules(manifest: Manifest) -> dict[Stage, Module]:
    """Today's code with the settings that the run recorded.

    Raises RegistryError, naming run and stage, where a module is gone or no longer takes the recorded settings.
    """
    modules: dict[Stage, Module] = {}
    for stage in STAGES[: len(manifest.stages)]:
        record = manifest.stage(stage)
        try:
            module = load_module(stage, record.module)
            merged = {**module.settings.model_dump(), **record.settings}
            settings = validate_settings(stage, record.module, merged)
        except RegistryError as error:
            raise RegistryError(
                f"run {manifest.run_id} cannot be replayed from stage {stage}/{record.module} on: {error}; "
                f"check out the code that made it (its code digest begins with {record.code_digest[:12]})"
            ) from error
        modules[stage] = dataclasses.replace(module, settings=settings)
    return modules


def replay(manifest: Manifest, data: DataStore, store: ArtifactStore, emit: Emit) -> Replay:
    """Run the task again from its raw data with the code in this checkout.

    Raises DataError where the data version is gone, RegistryError where a module is gone or no longer takes the
    recorded settings, and what a stage raises.
    """
    found = execute(
        manifest.task,
        recorded_modules(manifest),
        source_of(data, manifest.task),
        store,
        emit,
        purpose="replay",
        use_cache=False,
        until=manifest.stages[-1].stage,
    )
    difference = first_difference(manifest, found, store)
    edited = _edited(manifest)
    if edited is not None and difference is not None:
        told = "; ".join(filter(None, (difference.message, edited.message)))
        return Replay(manifest, found, difference.model_copy(update={"message": told, "same_bits": False}))
    return Replay(manifest, found, difference or edited)


def _edited(manifest: Manifest) -> Difference | None:
    """Where a manifest does not give its own digests, so that it was changed after the run."""
    claims = [
        (s.stage, s.module, field, stored, value)
        for s in manifest.stages
        for field, stored, value in (
            ("digest", s.digest, digest_mapping(s.outputs)),
            ("settings_digest", s.settings_digest, digest_json(s.settings)),
        )
    ]
    first = manifest.stages[0]
    claims.append((first.stage, first.module, "task_digest", manifest.task_digest, manifest.task.digest))
    for stage, module, field, stored, value in claims:
        if stored != value:
            return Difference(
                stage=stage,
                module=module,
                causes=("manifest",),
                column=field,
                recorded=stored,
                found=value,
                message=f"the manifest of run {manifest.run_id} was changed: {field} of {stage} does not fit it",
            )
    return None
