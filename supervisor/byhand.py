"""A person's own patch before the gate, and to a pull request if it ships: the same way, without the choosing."""

from __future__ import annotations

from ablations.ablate import EmitAll, ablate
from ablations.executors.port import Executor
from ablations.patch import Patch
from ablations.suite import Suite
from harness.repository import Repository
from modules.pipeline import Emit
from modules.workspace import Workspace
from supervisor.forge.choice import forge_of
from supervisor.result import VerdictLine
from supervisor.submit import refuse_uncommitted, submit


def judge(
    workspace: Workspace, patch: Patch, suite: Suite, emit: Emit, executor: Executor, emit_all: EmitAll
) -> VerdictLine:
    """The verdict on `patch`, its branch if it ships.

    Raises RepositoryError before a trial is spent where the settings in git are not those that would be judged, and
    PatchError where the patch is none that may be tried.
    """
    repo = Repository(workspace.root)
    refuse_uncommitted(repo, patch)
    record = ablate(patch, suite, workspace, emit, executor=executor, emit_all=emit_all)
    return VerdictLine.fresh(record, submit(workspace, forge_of(workspace), record, (), emit))
