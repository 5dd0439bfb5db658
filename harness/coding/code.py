"""`code(...)`: a module in Python, from a sentence to a branch; `resume_coding(id)` after a crash."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from harness.checkpoints import ASKED, ResearchError, folder_of, opened
from harness.coding.coder import Coder, ModelCoder, Order, TemplateCoder
from harness.coding.material import material_for
from harness.coding.state import STORED, CodingResult, CodingState
from harness.coding.template import new_module
from harness.drafters.opening import OFFLINE, vouched
from harness.drafters.port import Allowance
from harness.journal import journal_of
from harness.progress import Progress, silent
from harness.sandbox.choose import choose
from harness.sandbox.port import Sandbox
from modules.artifacts import write_whole
from modules.datastore import DataStore, DataVersion
from modules.pipeline import Emit, new_run_id
from modules.task import load_pipeline
from modules.workspace import Workspace


@dataclass(frozen=True)
class Workshop:
    """Where and with whom a module is written. `coder` and `sandbox` stand in for those chosen by name."""

    workspace: Workspace
    emit: Emit
    progress: Progress = silent
    coder: Coder | None = None
    sandbox: Sandbox | None = None


def code(
    workshop: Workshop,
    name: str,
    task: str,
    *,
    version: DataVersion,
    llm: str = OFFLINE,
    attempts: int = 4,
    allowance: Allowance | None = None,
    started: Callable[[str], None] = lambda coding_id: None,
) -> CodingResult:
    """Write feature/`name`, test it in a sandbox, mend it, put it on a branch.

    Raises TemplateError (name, task), NoSandboxError where no sandbox works here, ModelError.
    """
    summary = _summary(task)
    new_module("feature", name, summary, kind="python", root=workshop.workspace.root)  # refused before anything begins
    state = CodingState(
        coding_id=f"coding-{new_run_id()}",
        order=Order(stage="feature", name=name, task=task),
        summary=summary,
        llm=llm,
        data=version.name,
        version=version.version,
        version_digest=version.digest,
        attempts=attempts,
        allowance=allowance or Allowance(calls=40, tokens=400_000, cost_usd=2.0, seconds=900.0),
    )
    home = workshop.workspace.home
    write_whole(folder_of(home, state.coding_id) / ASKED, state.model_dump_json().encode())
    started(state.coding_id)
    return _work(workshop, state, workshop.emit, begins=True)


def resume_coding(workshop: Workshop, coding_id: str) -> CodingResult:
    """Go on with one that was cut off; one that has ended gives its result again. Raises ResearchError."""
    workspace = workshop.workspace
    try:
        asked = (folder_of(workspace.home, coding_id) / ASKED).read_bytes()
        state = CodingState.model_validate_json(asked)
    except (OSError, ValueError) as error:
        raise ResearchError(f"{coding_id} was not begun here, or by other code: {error}") from error
    return _work(workshop, state, journal_of(coding_id, None, workspace.ledger, workshop.emit).record, begins=False)


def _work(workshop: Workshop, state: CodingState, emit: Emit, *, begins: bool) -> CodingResult:
    from harness.coding.graph import Bench, travel  # langgraph takes two seconds to import

    workspace = workshop.workspace
    version = DataStore(workspace.data).get(state.data, state.version)
    if version.digest != state.version_digest:
        raise ResearchError(f"{state.data} {state.version} is not what {state.coding_id} was begun on: draft anew")
    spec = load_pipeline(workspace.root / "pipeline.yaml")
    with opened(workspace.home, state.coding_id, STORED) as saver:
        bench = Bench(
            workspace,
            workshop.coder or _coder(workshop, state, emit, begins=begins),
            emit,
            workshop.progress,
            lambda: material_for("feature", workspace, version, spec, emit),
            lambda: workshop.sandbox or choose(),
        )
        final = travel(saver, bench, state.coding_id, state)
    return _result(final, keep(workspace.home, final))


def keep(home: Path, state: CodingState) -> Path:
    """The last version as files beside the checkpoints, to be read: none of them can be imported from there."""
    folder = folder_of(home, state.coding_id) / "files"
    for path, text in state.files.items():
        write_whole(folder / f"{path}.txt", text.encode())
    return folder


def _coder(workshop: Workshop, state: CodingState, emit: Emit, *, begins: bool) -> Coder:
    if state.llm == OFFLINE:
        return TemplateCoder()
    from harness.llm.choice import open_model, parse_choice

    workspace = workshop.workspace
    known = {} if begins else vouched(state.coding_id, workspace.ledger)
    found = open_model(
        parse_choice(state.llm), home=workspace.home, research_id=state.coding_id, emit=emit, vouched=known
    )
    return TemplateCoder() if found is None else ModelCoder(found)


def _summary(task: str) -> str:
    """The task as one sentence that no file's quoting can break on."""
    plain = " ".join("".join(c if c.isprintable() and c not in '"\\$`<>{}' else " " for c in task).split())
    return f"{plain[:160].rstrip(' .')}."


def _result(state: CodingState, kept: Path) -> CodingResult:
    if state.status is None:
        raise ValueError(f"coding {state.coding_id} has not ended: no node set its status")
    tested = state.tested
    return CodingResult(
        coding_id=state.coding_id,
        status=state.status,
        stage=state.order.stage,
        name=state.order.name,
        coder=state.coder,
        attempts=state.attempt,
        sandbox=tested.sandbox if tested else "",
        passed=tested.passed if tested else (),
        failures=tested.failures if tested else (),
        files=tuple(sorted(state.files)),
        kept_in=str(kept),
        branch=state.branch,
        commit=state.commit,
        message=state.message,
        spent=state.spent,
    )
