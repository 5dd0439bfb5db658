"""Every proposer that stands in a workspace fills the port alike, and who is missing is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from ablations.patch import patched_settings
from harness.llm.choice import Choice
from modules.registry import read_settings
from modules.workspace import CHECKOUT, Workspace
from supervisor.finding import Lever
from supervisor.proposers.port import MOST_CANDIDATES, Proposer
from supervisor.proposers.rules import Rules
from supervisor.proposers.search import Search
from supervisor.proposers.standing import standing
from tests.supervisor.conftest import CLEAN, SIZE
from tests.supervisor.proposers.desks import Formulas, finding


def test_offline_two_stand_and_the_third_is_said(tmp_path: Path) -> None:
    made = standing(Workspace(CHECKOUT, tmp_path), lambda event: None, Choice("offline"))
    assert [p.name for p in made.proposers] == ["rules", "search"]
    assert "reflection does not" in made.notes[0]
    chosen = standing(Workspace(CHECKOUT, tmp_path), lambda event: None, Choice("anthropic", "m"))
    assert [p.name for p in chosen.proposers] == ["rules", "search", "reflection"] and chosen.notes == ()


@pytest.mark.parametrize("proposer", [Rules(), Search(looks=6)], ids=lambda p: p.name)
def test_what_every_proposer_keeps(proposer: Proposer) -> None:
    """One module, bounded candidates within bounds, whatever findings of other modules are handed in."""
    mining = Formulas(lambda values: 0.5)
    both = [finding(SIZE, Lever("no_trade_band", "raise")), finding(CLEAN, Lever("stale_run_bars", "raise"))]
    proposal = proposer.propose(SIZE, both, mining.desk(module=SIZE))
    assert proposal is not None
    assert (proposal.proposer, proposal.module) == (proposer.name, SIZE)
    assert {f.module for f in proposal.findings} <= {SIZE}
    assert 1 <= len(proposal.candidates) <= MOST_CANDIDATES
    for patch in proposal.candidates:
        patched_settings(patch, read_settings("size", "rank_neutral"))
    event = proposal.event(seconds=1.0, seed=3)
    assert event.patches == tuple(p.digest for p in proposal.candidates)
    assert proposer.propose("skills/trend", both, mining.desk(module=SIZE)) is None
