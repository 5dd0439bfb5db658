"""scan: what there is to work with, before anything is claimed."""

from __future__ import annotations

from harness.desk import Desk
from harness.nodes.node import Scanned
from harness.state import ResearchState, Survey
from modules.panel import iso
from skills.registry import skills
from traces.events import ResearchStarted

MOST_EARLIER = 20


def scan(state: ResearchState, desk: Desk) -> Scanned:
    """The data by its registration (nothing of it is read), the skills, and what research stands on branches."""
    desk.emit(
        ResearchStarted(
            research_id=state.research_id,
            text=state.given.claim if state.given else state.text,
            drafter=desk.drafter.name,
            seed=state.seed,
        )
    )
    version = desk.version
    survey = Survey(
        data=version.name,
        version=version.version,
        symbols=version.symbols,
        start=iso(version.first_ns)[:10],
        end=iso(version.mining_end_ns)[:10],
        skills=sum(1 for s in skills() if s.drafting is not None),
        drafter=desk.drafter.name,
        earlier=desk.branches[:MOST_EARLIER],
    )
    desk.say(
        "scan",
        f"{survey.data} {survey.version}: {survey.symbols} symbols, discovery {survey.start} to {survey.end}; "
        f"{survey.skills} skills; {len(desk.branches)} earlier signals on branches",
    )
    return Scanned(survey=survey, drafter=desk.drafter.name, cutoff=desk.drafting.cutoff)
