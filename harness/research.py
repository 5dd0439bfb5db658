"""`research(text, ...)`: one hypothesis from words to a written module, or a question, or a refusal; `resume(id)`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.budget import Budget
from harness.checkpoints import ASKED, ResearchError, find, folder_of, opened, prune
from harness.desk import Desk, Pace
from harness.drafters.opening import OFFLINE, OpenDrafter, Opening, open_drafter, vouched
from harness.drafters.port import Drafter, Question
from harness.journal import journal_of
from harness.literature.room import room_of
from harness.progress import Progress, Step, silent
from harness.result import ResearchResult, result_of
from harness.specification import Specification
from harness.state import ResearchState
from modules.artifacts import write_whole
from modules.canonical import digest_bytes, digest_mapping
from modules.datastore import DataStore, DataVersion
from modules.pipeline import Emit, new_run_id
from modules.task import PipelineSpec, load_pipeline
from modules.workspace import Workspace

if TYPE_CHECKING:
    from langgraph.checkpoint.sqlite import SqliteSaver

Ask = Callable[[Question], str | None]
"""Somebody's answer to a question; None = not now."""


def _nobody(research_id: str) -> None:
    """Nobody wants to know the id beforehand."""


@dataclass(frozen=True)
class Company:
    """Who takes part: where the work is kept and recorded, who answers, who looks on, who is told the id first.

    `drafter` stands in for the one that the research names. `defaults`: questions are answered by their defaults.
    """

    workspace: Workspace
    emit: Emit
    ask: Ask | None = None
    defaults: bool = False
    progress: Progress = silent
    started: Callable[[str], None] = _nobody
    drafter: Drafter | None = None


def research(
    text: str | Specification,
    *,
    workspace: Workspace,
    emit: Emit,
    data: str | DataVersion | None = None,
    k: int = 6,
    seed: int = 0,
    pipeline: Path | None = None,
    llm: str = OFFLINE,
    drafter: Drafter | None = None,
    budget: Budget | None = None,
    progress: Progress = silent,
    ask: Ask | None = None,
    defaults: bool = False,
    spec_only: bool = False,
    new_only: bool = False,
    literature: tuple[str, ...] = (),
    started: Callable[[str], None] = _nobody,
) -> ResearchResult:
    """Research one hypothesis, or one specification, on the discovery half of a data set (None = pipeline.yaml's).

    Always ends with a result: `drafted` (a module stands on a branch), `specified` (asked for no more), `needs_input`
    (a question that nobody answered; `resume` goes on), `refused`. `llm` names who drafts, as `--llm` does;
    `new_only` refuses a claim of which everything is known instead of testing it as a replication;
    `literature` sources outside that are asked for publications on the claim.
    Raises DataError for an unknown data set, ValueError for `k` below 1, ModelError where a model gives no answer (then
    `resume` goes on), and what a module raises.
    """
    if k < 1:
        raise ValueError(f"k is {k}; ask for at least 1 candidate")
    given = text if isinstance(text, Specification) else None
    limits, spec = budget or Budget(), _pipeline(workspace, pipeline)
    if isinstance(data, DataVersion):
        version = data
    else:
        version = DataStore(workspace.data).current(data or (given.universe if given else spec.data))
    state = ResearchState(
        research_id=f"research-{new_run_id()}",
        text=given.claim if given else str(text),
        data=version.name,
        version=version.version,
        version_digest=version.digest,
        k=min(k, limits.candidates),
        seed=seed,
        budget=limits,
        llm=llm,
        code=_code(),
        spec_only=spec_only,
        new_only=new_only,
        given=given,
        literature=tuple(dict.fromkeys(literature)),
    )
    company = Company(workspace, emit, ask, defaults, progress, started, drafter)
    return _work(company, state, version, spec, begins=True)


def resume(asked: str, company: Company, *, answer: str | None = None, pipeline: Path | None = None) -> ResearchResult:
    """Go on with a research that was cut off, or that waits for an answer. One that has ended gives its result again.

    Raises ResearchError (no such research, another process works on it, other data), DataError, ModelError.
    """
    from harness.graph import read  # langgraph takes two seconds to import

    home = company.workspace.home
    research_id = find(home, asked)
    with opened(home, research_id) as saver:
        state = _read(home, saver, research_id, read)
    if state.status is not None:
        return result_of(state, 0.0)
    version = DataStore(company.workspace.data).get(state.data, state.version)
    if version.digest != state.version_digest:
        raise ResearchError(
            f"{research_id} was begun on {state.data} {state.version} with digest {state.version_digest[:12]}, which "
            f"now is {version.digest[:12]}: research anew"
        )
    return _work(company, state, version, _pipeline(company.workspace, pipeline), answer)


def _work(
    company: Company,
    state: ResearchState,
    version: DataVersion,
    spec: PipelineSpec,
    answer: str | None = None,
    *,
    begins: bool = False,
) -> ResearchResult:
    """Travel, answer what is asked, travel on; until there is an end, or a question that nobody answers now."""
    from harness.graph import go_on, read, travel  # langgraph takes two seconds to import

    clock, workspace, research_id = time.monotonic(), company.workspace, state.research_id
    with opened(workspace.home, research_id) as saver:
        if begins:
            write_whole(folder_of(workspace.home, research_id) / ASKED, state.model_dump_json().encode())
            emit = company.emit
        else:  # an earlier process may have been cut off in the middle of a node
            state = _read(workspace.home, saver, research_id, read)
            emit = journal_of(research_id, state.run_id, workspace.ledger, company.emit).record
        company.started(research_id)
        pace = Pace()
        replayed = state.llm.removeprefix("replay:") if state.llm.startswith("replay:") else None
        room = room_of(workspace.home, research_id, state.literature, emit, replayed=replayed)
        drafting = _drafter(company, state, emit, pace, begins=begins)
        desk = Desk(workspace, version, spec, drafting, emit, company.progress, state.budget, room, pace)
        if read(saver, research_id) is None:
            state = travel(saver, desk, state)
        elif state.question is None:
            state = go_on(saver, desk, research_id)
        while state.status is None and state.question is not None:
            reply = _reply(state, company, answer)
            if reply is None:
                break
            answer = None
            state = go_on(saver, desk, research_id, reply)
    prune(workspace.home)
    note = () if state.code == _code() else ("the code changed between the beginning of this research and its end",)
    return result_of(state.model_copy(update={"notes": (*state.notes, *note)}), time.monotonic() - clock)


def _drafter(company: Company, state: ResearchState, emit: Emit, pace: Pace, *, begins: bool) -> OpenDrafter:
    """Who drafts for this research, on its tape."""
    if company.drafter is not None:
        return OpenDrafter(company.drafter, getattr(company.drafter, "cutoff", None))

    def waiting(words: str) -> None:
        company.progress(Step(node=pace.node, state="waits", words=words, spent=pace.spent))

    home, research_id = company.workspace.home, state.research_id
    known = {} if begins else vouched(research_id, company.workspace.ledger)
    return open_drafter(Opening(state.llm, home, research_id, emit, known, waiting))


def _reply(state: ResearchState, company: Company, answer: str | None) -> Mapping[str, str] | None:
    """The answer to the open question: as given, as somebody says, or the default; None where there is none."""
    question = state.question
    if question is None or len(state.answers) >= state.budget.questions:
        return None
    if answer is not None and answer.strip():
        return {"answer": answer, "by": "researcher"}
    if company.defaults:
        return {"answer": question.defaults[0], "by": "default"} if question.defaults else None
    said = company.ask(question) if company.ask is not None else None
    return {"answer": said, "by": "researcher"} if said and said.strip() else None


def _read(
    home: Path, saver: SqliteSaver, research_id: str, read: Callable[[SqliteSaver, str], ResearchState | None]
) -> ResearchState:
    """The state at the last checkpoint; where there is none yet, what was asked for."""
    try:
        state = read(saver, research_id)
        return state or ResearchState.model_validate_json((folder_of(home, research_id) / ASKED).read_bytes())
    except ValueError as error:
        said = " ".join(str(error).split())[:300]
        raise ResearchError(
            f"{research_id} was begun by other code and cannot be read ({said}); research anew"
        ) from error


def _pipeline(workspace: Workspace, path: Path | None) -> PipelineSpec:
    return load_pipeline(path or workspace.root / "pipeline.yaml")


def _code() -> str:
    """Digest of the code of this package: what drafts, judges and writes."""
    folder = Path(__file__).resolve().parent
    files = {p.relative_to(folder).as_posix(): digest_bytes(p.read_bytes()) for p in folder.rglob("*.py")}
    return digest_mapping(files)[:16]
