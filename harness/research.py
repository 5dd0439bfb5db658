"""`research(text, ...)`: one hypothesis from words to a written module, or a question, or a refusal."""

from __future__ import annotations

import time
from pathlib import Path

from harness.desk import Desk, Progress, silent
from harness.drafters.offline.drafter import OfflineDrafter
from harness.drafters.port import Drafter
from harness.state import Budget, ResearchResult, ResearchState, result_of
from modules.datastore import DataStore, DataVersion
from modules.pipeline import Emit, new_run_id
from modules.task import load_pipeline
from modules.workspace import Workspace


def research(
    text: str,
    *,
    workspace: Workspace,
    emit: Emit,
    data: str | DataVersion | None = None,
    k: int = 6,
    seed: int = 0,
    pipeline: Path | None = None,
    drafter: Drafter | None = None,
    budget: Budget | None = None,
    progress: Progress = silent,
) -> ResearchResult:
    """Research one hypothesis on the discovery half of a data set (None = that of pipeline.yaml).

    Always ends with a result: `drafted` (a module stands on a branch), `needs_input` (one question), `refused`.
    Raises DataError for an unknown data set, ValueError for `k` below 1, and what a module raises.
    """
    if k < 1:
        raise ValueError(f"k is {k}; ask for at least 1 candidate")
    began = time.monotonic()
    spec = load_pipeline(pipeline or workspace.root / "pipeline.yaml")
    version = data if isinstance(data, DataVersion) else DataStore(workspace.data).current(data or spec.data)
    desk = Desk(workspace, version, spec, drafter or OfflineDrafter.of_checkout(), emit, progress, budget or Budget())
    state = ResearchState(
        research_id=f"research-{new_run_id()}",
        text=text,
        data=version.name,
        k=min(k, desk.budget.candidates),
        seed=seed,
    )
    from harness.graph import travel  # langgraph takes two seconds to import

    return result_of(travel(state, desk), time.monotonic() - began)
