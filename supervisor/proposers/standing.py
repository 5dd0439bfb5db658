"""Who proposes in this workspace: rules and search always, reflection where a model is chosen."""

from __future__ import annotations

from dataclasses import dataclass

from harness.llm.choice import Choice
from harness.llm.recorder import Emit
from modules.workspace import Workspace
from supervisor.proposers.port import Proposer
from supervisor.proposers.rules import Rules
from supervisor.proposers.search import Search


@dataclass(frozen=True)
class Standing:
    """The proposers, and why one of them is not among them."""

    proposers: tuple[Proposer, ...]
    notes: tuple[str, ...] = ()


def standing(workspace: Workspace, emit: Emit, choice: Choice) -> Standing:
    """`choice` as `--llm` or CWS_LLM has it; offline, reflection is left out, which is said."""
    always: tuple[Proposer, ...] = (Rules(), Search())
    if choice.provider == "offline":
        return Standing(
            always, ("no model is chosen (--llm or CWS_LLM): rules and search propose, reflection does not",)
        )
    from supervisor.proposers.reflection import reflection

    return Standing((*always, reflection(workspace, emit, choice)))
