"""The coding graph: write -> test in the sandbox -> read the failures -> write again, or submit.

What was written is text to this process: it is stored, sent to the sandbox and committed, never imported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from langgraph.graph import END, START, StateGraph

from harness.coding.coder import WRITABLE, Coder
from harness.coding.material import Material
from harness.coding.state import CodingState
from harness.coding.template import new_module
from harness.coding.trial import Tested, try_module
from harness.drafters.port import Allowance
from harness.llm.port import ModelError, Reason
from harness.progress import Progress, Step
from harness.repository import Repository, RepositoryError
from harness.sandbox.port import Sandbox
from harness.writing import branch_of
from modules.canonical import digest_mapping
from modules.pipeline import Emit
from modules.workspace import Workspace
from traces.events import ModuleTested, ModuleWritten

if TYPE_CHECKING:
    from langgraph.checkpoint.sqlite import SqliteSaver


@dataclass(frozen=True)
class Bench:
    """All that the nodes reach outside themselves. `material` and `sandbox` are made when first asked for."""

    workspace: Workspace
    coder: Coder
    emit: Emit
    progress: Progress
    make_material: Callable[[], Material]
    make_sandbox: Callable[[], Sandbox]

    @cached_property
    def material(self) -> Material:
        """What the module is given."""
        return self.make_material()

    @cached_property
    def sandbox(self) -> Sandbox:
        """Where it runs."""
        return self.make_sandbox()

    def say(self, node: str, words: str, state: CodingState) -> None:
        """What a node found."""
        self.progress(Step(node=node, state="finds", words=words, spent=state.spent))


def write(state: CodingState, bench: Bench) -> dict[str, Any]:
    """The template at first, then what the coder makes of it and of the failures."""
    files = dict(state.files)
    if not files:
        order = state.order
        made = new_module(order.stage, order.name, state.summary, kind="python", root=bench.workspace.root)
        files = {path: body.decode() for path, body in made.items()}
    bench.progress(Step(node="write", state="begins", spent=state.spent))
    bench.progress(Step(node="write", state="waits", words=f"{bench.coder.name}, attempt {state.attempt + 1}"))
    own = {path.removeprefix(state.folder): text for path, text in files.items() if path.startswith(state.folder)}
    failures = state.tested.failures if state.tested else ()
    attempt = state.attempt + 1
    try:
        manuscript = bench.coder.write(state.order, own, failures, attempt=attempt, allowance=_left(state))
    except ModelError as error:
        if error.reason is not Reason.BUDGET:
            raise  # it may pass: the draft stays where it is, and can be resumed
        return {"status": "failed", "message": str(error), "files": files, "coder": bench.coder.name}
    files |= {f"{state.folder}{name}": text for name, text in manuscript.files.items() if name in WRITABLE}
    bench.say("write", f"{len(manuscript.files)} files changed", state)
    spent = state.spent + manuscript.spent
    return {"files": files, "attempt": attempt, "spent": spent, "coder": bench.coder.name}


def test(state: CodingState, bench: Bench) -> dict[str, Any]:
    """In the sandbox; its claim steers the next attempt."""
    bench.progress(Step(node="test", state="begins", spent=state.spent))
    bench.progress(Step(node="test", state="waits", words=f"{bench.sandbox.name}, attempt {state.attempt}"))
    files = {path: text.encode() for path, text in state.files.items()}
    order = state.order
    tested = try_module(order.stage, order.name, files, bench.material, bench.sandbox, bench.workspace.root)
    bench.emit(
        ModuleTested(
            coding_id=state.coding_id,
            module=f"{order.stage}/{order.name}",
            attempt=state.attempt,
            files_digest=digest_mapping(state.files),
            inputs_digest=bench.material.digest,
            sandbox=tested.sandbox,
            passed=tested.ok,
            failed=tuple(f.rule for f in tested.failures),
        )
    )
    said = "every rule holds" if tested.ok else f"breaks: {'; '.join(f.rule for f in tested.failures)}"
    bench.say("test", f"{said} ({tested.sandbox}, {tested.seconds:.1f} s)", state)
    return {"tested": tested, **_outcome(state, tested)}


def _outcome(state: CodingState, tested: Tested) -> dict[str, Any]:
    """Another attempt, or the end of it."""
    if tested.ok:
        return {}
    if state.coder == "template":
        return {"status": "failed", "message": "the template itself fails here: see the failures"}
    if state.attempt >= state.attempts:
        return {"status": "failed", "message": f"{state.attempts} attempts were made, and the last still fails"}
    return {}


def submit(state: CodingState, bench: Bench) -> dict[str, Any]:
    """The module on its branch, for a human to review. The same files give the same commit."""
    order, branch = state.order, branch_of(state.order.name)
    bench.progress(Step(node="submit", state="begins", spent=state.spent))
    files = {path: text.encode() for path, text in state.files.items()}
    task = " ".join(order.task.split())
    message = (
        f"{order.stage}/{order.name}: {task[:60]}\n\nTask: {task}\nWritten by: {state.coder}, attempt {state.attempt}\n"
        f"Tested in: {state.tested.sandbox if state.tested else 'none'}, on {state.data}; never imported outside it.\n"
    )
    try:
        commit = Repository(bench.workspace.root).commit_files(branch, files, message, renew=True)
    except RepositoryError as error:
        return {"status": "failed", "message": f"the module was not written: {error}"}
    bench.emit(
        ModuleWritten(
            research_id=state.coding_id, expr=f"python: {state.folder}run.py", run_id=state.coding_id, branch=branch,
            commit=commit,
        )
    )  # fmt: skip
    bench.say("submit", f"{branch} at {commit[:8]}", state)
    return {"status": "proposed", "branch": branch, "commit": commit}


def _left(state: CodingState) -> Allowance:
    may, spent = state.allowance, state.spent
    return Allowance(
        calls=max(0, may.calls - spent.calls),
        tokens=max(0, may.tokens - spent.tokens),
        cost_usd=max(0.0, may.cost_usd - spent.cost_usd),
        seconds=max(0.0, may.seconds - spent.seconds),
    )


NODES: dict[str, Callable[[CodingState, Bench], dict[str, Any]]] = {"write": write, "test": test, "submit": submit}


def travel(saver: SqliteSaver, bench: Bench, coding_id: str, begin: CodingState | None) -> CodingState:
    """From the beginning, or from the last checkpoint, to the end."""
    graph: StateGraph[CodingState, None, CodingState, CodingState] = StateGraph(CodingState)
    for name, node in NODES.items():
        graph.add_node(name, _bound(node, bench))
    graph.add_edge(START, "write")
    graph.add_conditional_edges("write", lambda state: "test" if state.status is None else END, ["test", END])
    graph.add_conditional_edges("test", _after_test, ["write", "submit", END])
    graph.add_edge("submit", END)
    app = graph.compile(checkpointer=saver)
    config: Any = {"configurable": {"thread_id": coding_id}, "recursion_limit": 4 * len(NODES) * 4}
    known = app.get_state(config).values
    if not known or CodingState.model_validate(known).status is None:
        app.invoke(None if known else begin, config, durability="sync")
    return CodingState.model_validate(app.get_state(config).values)


def _bound(node: Callable[[CodingState, Bench], dict[str, Any]], bench: Bench) -> Any:
    def step(state: CodingState) -> dict[str, Any]:
        return node(state, bench)

    return step


def _after_test(state: CodingState) -> str:
    if state.status is not None:
        return END
    return "submit" if state.tested is not None and state.tested.ok else "write"
