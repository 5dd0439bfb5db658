"""Who may propose tonight, where a finding asks for it."""

from __future__ import annotations

from supervisor.proposers.port import Proposer
from supervisor.proposers.rules import Rules
from supervisor.proposers.search import Search


def staff() -> tuple[Proposer, ...]:
    """Rules and search; reflection comes with a model."""
    return (Rules(), Search())
