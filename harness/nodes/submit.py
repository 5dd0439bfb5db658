"""submit: the module on its branch. Where git cannot take it, the result says so and keeps what was found."""

from __future__ import annotations

from harness.desk import Desk
from harness.nodes.node import Submitted
from harness.repository import Repository, RepositoryError
from harness.state import ResearchState
from harness.writing import branch_of, message_of, module_files
from traces.events import ModuleWritten


def submit(state: ResearchState, desk: Desk) -> Submitted:
    """Safe to repeat: the same files give the same commit, and a branch that has it stays as it is."""
    chosen = state.chosen
    if chosen is None:
        raise ValueError(f"research {state.research_id} reached submission without a backtest")
    written = module_files(state, chosen.module, desk.workspace.root)
    try:
        commit = Repository(desk.workspace.root).commit_files(
            branch_of(chosen.module), written.files, message_of(state, chosen.module), renew=True
        )
    except RepositoryError as error:
        desk.say("submit", f"not written: {error}")
        return Submitted(status="drafted", notes=(*state.notes, f"the module was not written: {error}"))
    desk.emit(
        ModuleWritten(
            research_id=state.research_id, expr=chosen.expr, run_id=chosen.run_id, branch=written.branch, commit=commit
        )
    )
    desk.say("submit", f"{written.branch} at {commit[:8]}")
    return Submitted(status="drafted", chosen=chosen.model_copy(update={"branch": written.branch, "commit": commit}))
