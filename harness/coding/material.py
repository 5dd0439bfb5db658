"""What a module under test is given: the artifacts that a run puts before its stage, from discovery data alone."""

from __future__ import annotations

import json
from dataclasses import dataclass

from modules.artifacts import ArtifactStore
from modules.contract import STAGES, Stage
from modules.datastore import DataStore, DataVersion
from modules.pipeline import Emit, execute
from modules.sources import source_of
from modules.task import PipelineSpec, load_modules, make_task
from modules.workspace import Workspace

MOST_BYTES = 48 << 20


class MaterialError(ValueError):
    """Inputs that cannot be given to a module under test."""


@dataclass(frozen=True)
class Material:
    """Files of a job: artifacts by digest, and `given.json`, which names them."""

    files: dict[str, bytes]
    digest: str


def material_for(stage: Stage, workspace: Workspace, version: DataVersion, spec: PipelineSpec, emit: Emit) -> Material:
    """The artifacts of the stages before `stage`. Raises MaterialError: a stage without any, or too much of it."""
    if stage == "ingest":
        raise MaterialError("an ingest module reads raw files of its own: try it with `cws data add` on a copy")
    until = STAGES[STAGES.index(stage) - 1]
    task = make_task(spec, version, end=version.mining_end_ns)
    store = ArtifactStore(workspace.artifacts)
    manifest = execute(
        task, load_modules(task, version), source_of(DataStore(workspace.data), task), store, emit,
        purpose="research", until=until,
    )  # fmt: skip
    outputs = {name: digest for record in manifest.stages for name, digest in record.outputs.items()}
    files: dict[str, bytes] = {}
    for digest in sorted(set(outputs.values())):
        path = store.find(digest)
        assert path is not None, "the run has just stored it"
        for file in (path, path.with_suffix(".sum")):
            files[f"artifacts/{digest[:2]}/{file.name}"] = file.read_bytes()
    total = sum(len(body) for body in files.values())
    if total > MOST_BYTES:
        raise MaterialError(
            f"{version.name} gives {total >> 20} MiB, at most {MOST_BYTES >> 20}; choose a smaller --data"
        )
    given = {"artifacts": dict(sorted(outputs.items())), "start_ns": task.start_ns}
    files["given.json"] = json.dumps(given, sort_keys=True).encode()
    return Material(files, manifest.digest)
