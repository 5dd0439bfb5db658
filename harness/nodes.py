"""The nodes of the research graph. Each takes the state and returns what it adds; effects go through the desk."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.check import Checked, as_replication, check
from harness.desk import BUNDLED_FIELDS, Desk
from harness.drafters.port import Candidate, Draft, Reading, Rejected
from harness.literature.index import search
from harness.repository import Repository, RepositoryError
from harness.screen import screen
from harness.state import Chosen, ResearchState, Screen, SourceNote
from harness.writing import branch_of, message_of, module_files, module_name
from modules.contract import ContractError
from traces.events import (
    CandidateChecked,
    CandidateDrafted,
    CandidateScreened,
    ModuleWritten,
    ResearchNeedsInput,
    ResearchRefused,
    ResearchStarted,
    TrialRecorded,
)

Update = Mapping[str, object]
Node = Callable[[ResearchState, Desk], Update]


def specify(state: ResearchState, desk: Desk) -> Update:
    """Read the text: what it claims, or what it leaves open."""
    desk.emit(
        ResearchStarted(research_id=state.research_id, text=state.text, drafter=desk.drafter.name, seed=state.seed)
    )
    draft = desk.drafter.specify(state.text, seed=state.seed)
    ended = _ended(state, desk, draft)
    if ended is not None:
        return ended
    reading = draft.reading
    assert reading is not None, "a draft without reading has ended"
    desk.progress("specify", f"{reading.event}, {'rises' if reading.sign > 0 else 'falls'} with what follows")
    return {"reading": reading, "skills": draft.skills}


def scan(state: ResearchState, desk: Desk) -> Update:
    """What is published on this event, for and against."""
    reading = _reading(state)
    events = frozenset({reading.event, *(c.event for c in reading.conditions)})
    found = search(events, sign=reading.sign, horizon_bars=reading.horizon_bars)
    desk.progress("scan", f"{len(found)} sources, {len(state.skills)} skills")
    return {"sources": tuple(SourceNote(key=s.key, citation=s.citation, agrees=s.sign == reading.sign) for s in found)}


def draft(state: ResearchState, desk: Desk) -> Update:
    """Candidates that the data allow."""
    fields = frozenset(desk.bars.fields)
    others = [(name, has) for name, has in BUNDLED_FIELDS if name != state.data]
    drafted = desk.drafter.draft(_reading(state), fields=fields, others=others, k=state.k, seed=state.seed)
    for c in drafted.candidates:
        desk.emit(CandidateDrafted(research_id=state.research_id, expr=c.expr, skill=c.skill, why="; ".join(c.why)))
    for r in drafted.rejected:
        desk.emit(CandidateChecked(research_id=state.research_id, expr=r.expr, passed=False, reason=r.reason))
    ended = _ended(state, desk, drafted)
    if ended is not None:
        return {**ended, "rejected": drafted.rejected}
    desk.progress("draft", f"{len(drafted.candidates)} candidates")
    return {"candidates": drafted.candidates, "rejected": drafted.rejected, "skills": drafted.skills}


def check_all(state: ResearchState, desk: Desk) -> Update:
    """Each candidate: parses, no look-ahead, covered, tells symbols apart, new.

    Where every sound candidate is known elsewhere, the claim is: they are tested as a replication, and it says so.
    """
    others = desk.others(module_name(_reading(state), state.data))
    verdicts: list[tuple[Candidate, Checked]] = []
    notes = list(state.notes)
    for candidate in state.candidates:
        done = sum(v.passed for _, v in verdicts)
        if done and desk.spent():
            notes.append(
                f"stopped checking after {desk.budget.seconds:g} s: "
                f"{done} of {len(state.candidates)} candidates passed by then"
            )
            break
        verdicts.append((candidate, check(candidate, desk.bars, others, seed=state.seed)))
    verdicts, replicated = as_replication(verdicts)
    if replicated is not None:
        notes.append(f"a replication, not a new idea: {replicated.words}")
    passed = tuple(c for c, v in verdicts if v.passed)
    refused = tuple(Rejected(expr=c.expr, skill=c.skill, reason=v.reason) for c, v in verdicts if not v.passed)
    for candidate, v in verdicts:
        desk.emit(
            CandidateChecked(research_id=state.research_id, expr=candidate.expr, passed=v.passed, reason=v.reason)
        )
    known = f", all known: {replicated.words}" if replicated is not None else ""
    desk.progress("check", f"{len(passed)} of {len(state.candidates)} pass{known}")
    rejected = (*state.rejected, *refused)
    update: dict[str, object] = {"passed": passed, "rejected": rejected, "notes": tuple(notes)}
    if not passed:
        reasons = "; ".join(dict.fromkeys(f"{r.expr}: {r.reason}" for r in rejected))
        return {**update, **_refuse(state, desk, "no_candidate", f"every candidate was refused: {reasons}")}
    return update


def screen_all(state: ResearchState, desk: Desk) -> Update:
    """Each candidate on the discovery half. Every look is a trial in the ledger."""
    screens: list[Screen] = []
    notes = list(state.notes)
    for i, candidate in enumerate(state.passed):
        if screens and desk.spent():
            notes.append(
                f"stopped screening after {desk.budget.seconds:g} s: "
                f"{i} of {len(state.passed)} candidates were looked at"
            )
            break
        found = screen(candidate.expr, desk.bars)
        screens.append(found)
        desk.emit(
            CandidateScreened(
                research_id=state.research_id, expr=candidate.expr, score=found.t, ic=found.ic, coverage=found.coverage
            )
        )
        desk.emit(
            TrialRecorded(
                trial_id=f"{state.research_id}-screen-{i}",
                family="screen",
                subject=candidate.expr,
                data_digest=desk.version.digest,
                p_value=found.p_value,
            )
        )
    best = max(screens, key=lambda s: s.score)
    if best.t is None:
        notes.append("the discovery data are too short for a t statistic: the first candidate was taken")
    elif best.t <= 0:
        notes.append(f"the discovery data speak against the hypothesis: the best rank correlation has t = {best.t:.2f}")
    desk.progress(
        "screen", f"best of {len(screens)}: {best.expr}" + (f", t {best.t:.2f}" if best.t is not None else "")
    )
    return {"screens": tuple(screens), "notes": tuple(notes)}


def backtest(state: ResearchState, desk: Desk) -> Update:
    """The full pipeline with the best candidate, on the discovery half."""
    order = {s.expr: (-s.score, i) for i, s in enumerate(state.screens)}
    best = min((c for c in state.passed if c.expr in order), key=lambda c: order[c.expr])
    try:
        manifest = desk.run(best.expr)
    except ContractError as error:
        return _refuse(state, desk, "pipeline_refused", f"the pipeline refused {best.expr}: {error}")
    if not all(stage.cached for stage in manifest.stages):  # a look at what was seen before is no new look
        desk.emit(
            TrialRecorded(
                trial_id=f"run-{manifest.run_id}", family="backtest", subject=best.expr, data_digest=desk.version.digest
            )
        )
    desk.progress(
        "backtest", f"run {manifest.run_id}: net Sharpe {manifest.metrics.get('net_sharpe', float('nan')):.2f}"
    )
    chosen = Chosen(
        expr=best.expr,
        skill=best.skill,
        run_id=manifest.run_id,
        run_digest=manifest.digest,
        module=module_name(_reading(state), state.data),
    )
    return {"chosen": chosen, "metrics": manifest.metrics}


def write(state: ResearchState, desk: Desk) -> Update:
    """The module on its branch. Where git cannot take it, the result says so and keeps what was found."""
    chosen = state.chosen
    assert chosen is not None, "the graph writes only after a backtest"
    written = module_files(state, chosen.module, desk.workspace.root)
    try:
        commit = Repository(desk.workspace.root).commit_files(
            branch_of(chosen.module), written.files, message_of(state, chosen.module), renew=True
        )
    except RepositoryError as error:
        desk.progress("write", f"not written: {error}")
        return {"status": "drafted", "notes": (*state.notes, f"the module was not written: {error}")}
    desk.emit(
        ModuleWritten(
            research_id=state.research_id, expr=chosen.expr, run_id=chosen.run_id, branch=written.branch, commit=commit
        )
    )
    desk.progress("write", f"{written.branch} at {commit[:8]}")
    return {"status": "drafted", "chosen": chosen.model_copy(update={"branch": written.branch, "commit": commit})}


def _reading(state: ResearchState) -> Reading:
    if state.reading is None:
        raise ValueError(f"research {state.research_id} reached a node that needs a reading without one")
    return state.reading


def _ended(state: ResearchState, desk: Desk, drafted: Draft) -> Update | None:
    if drafted.question is not None:
        question = drafted.question
        desk.emit(ResearchNeedsInput(research_id=state.research_id, question=question.question, unread=question.unread))
        desk.progress("specify", "a part is missing")
        return {
            "status": "needs_input",
            "question": question.question,
            "defaults": question.defaults,
            "unread": question.unread,
        }
    if drafted.refusal is not None:
        return _refuse(state, desk, drafted.refusal.reason, drafted.refusal.message)
    return None


def _refuse(state: ResearchState, desk: Desk, reason: str, message: str) -> Update:
    desk.emit(ResearchRefused(research_id=state.research_id, reason=reason, message=message))
    desk.progress("refused", message)
    return {"status": "refused", "reason": reason, "message": message}
