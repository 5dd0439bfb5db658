"""screen: a quick look at each candidate on the discovery half. Every look is a trial in the ledger."""

from __future__ import annotations

from harness.desk import Desk
from harness.nodes.node import Screened
from harness.screen import screen as look
from harness.state import ResearchState
from traces.events import CandidateScreened, TrialRecorded


def screen(state: ResearchState, desk: Desk) -> Screened:
    """Those that passed and were not looked at yet."""
    screens, notes = list(state.screens), list(state.notes)
    for i, candidate in enumerate(state.passed):
        if i < len(state.screens):
            continue
        if screens and desk.spent():
            notes.append(
                f"stopped screening after {desk.budget.seconds:g} s: "
                f"{i} of {len(state.passed)} candidates were looked at"
            )
            break
        desk.wait("screen", f"candidate {i + 1} of {len(state.passed)}")
        found = look(candidate.expr, desk.bars)
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
    best = max(screens, key=lambda s: s.score, default=None)
    if best is not None:
        said = f", t {best.t:.2f}" if best.t is not None else ""
        desk.say("screen", f"best of {len(screens)}: {best.expr}{said}")
    return Screened(screens=tuple(screens), notes=tuple(notes))
