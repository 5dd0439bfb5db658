"""check: which candidates may be tested at all."""

from __future__ import annotations

from harness.check import Checked as Verdict
from harness.check import as_replication
from harness.check import check as examine
from harness.desk import Desk
from harness.drafters.port import Candidate, Rejected
from harness.nodes.node import Checked, specification
from harness.specification import reading_of
from harness.state import ResearchState
from harness.writing import module_name
from traces.events import CandidateChecked


def check(state: ResearchState, desk: Desk) -> Checked:
    """Each new candidate: parses, no look-ahead, covered, tells symbols apart, new.

    Where every sound candidate of every round is known elsewhere, the claim is: they are tested as a replication, and
    it says so, or refused where only new ideas were asked for.
    """
    others = desk.others(module_name(reading_of(specification(state)), state.data))
    verdicts: list[tuple[Candidate, Verdict]] = []
    notes = list(state.notes)
    for i, candidate in enumerate(state.newest):
        done = sum(v.passed for _, v in verdicts)
        if done and desk.spent():
            notes.append(
                f"stopped checking after {desk.budget.seconds:g} s: "
                f"{done} of {len(state.newest)} candidates passed by then"
            )
            break
        desk.wait("check", f"candidate {i + 1} of {len(state.newest)}")
        verdicts.append((candidate, examine(candidate, desk.bars, others, seed=state.seed)))
    replication = state.replication
    if not state.new_only and (replication is not None or not state.passed):
        verdicts, replicated = as_replication(verdicts)
        replication = replicated.words if replicated is not None else replication
    if replication is not None:
        notes.append(f"a replication, not a new idea: {replication}")
    passed = tuple(c for c, v in verdicts if v.passed)
    refused = tuple(Rejected(expr=c.expr, skill=c.skill, reason=v.reason) for c, v in verdicts if not v.passed)
    for candidate, v in verdicts:
        desk.emit(
            CandidateChecked(research_id=state.research_id, expr=candidate.expr, passed=v.passed, reason=v.reason)
        )
    known = f", all known: {replication}" if replication is not None else ""
    desk.say("check", f"{len(passed)} of {len(state.newest)} pass{known}")
    return Checked(
        passed=(*state.passed, *passed),
        rejected=(*state.rejected, *refused),
        replication=replication,
        notes=tuple(dict.fromkeys(notes)),
    )
