"""The research graph, checkpointed in SQLite:

    scan -> specify -> draft -> check -> screen -> critique -> backtest -> submit
              ^  |       ^                            |
              ask        +------ another round -------+

Each node is a plain function below `nodes/`; this file only wires them. A node that sets a status ends the travel.
`ask` waits: the travel stops there until somebody answers, in this process or in another one. LangGraph is imported
here and in `checkpoints.py`, nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, interrupt

from harness.desk import Desk
from harness.nodes.backtest import backtest
from harness.nodes.check import check
from harness.nodes.critique import critique
from harness.nodes.draft import draft
from harness.nodes.node import Node
from harness.nodes.scan import scan
from harness.nodes.screen import screen
from harness.nodes.specify import answered, specify
from harness.nodes.submit import submit
from harness.state import ResearchState

if TYPE_CHECKING:
    from langgraph.checkpoint.sqlite import SqliteSaver

ORDER: tuple[tuple[str, Node], ...] = (
    ("scan", scan),
    ("specify", specify),
    ("draft", draft),
    ("check", check),
    ("screen", screen),
    ("critique", critique),
    ("backtest", backtest),
    ("submit", submit),
)
MOST_STEPS = 80
"""More than the budgets allow: a graph that turns in circles is a defect, and stops."""


class _Step(Protocol):
    """LangGraph's own signature of a node: the state to a mapping of channel updates."""

    def __call__(self, state: ResearchState) -> dict[str, Any]: ...


def build(desk: Desk) -> StateGraph[ResearchState, None, ResearchState, ResearchState]:
    """The graph, with `desk` bound to every node."""
    graph: StateGraph[ResearchState, None, ResearchState, ResearchState] = StateGraph(ResearchState)
    for name, node in ORDER:
        graph.add_node(name, _bound(name, node, desk))
    graph.add_node("ask", _ask)
    graph.add_edge(START, "scan")
    graph.add_edge("ask", "specify")
    for name, after in {
        "scan": _always("specify"),
        "specify": lambda state: "ask" if state.question is not None else "draft",
        "draft": _always("check"),
        "check": lambda state: "screen" if len(state.passed) > len(state.screens) else "critique",
        "screen": _always("critique"),
        "critique": lambda state: "backtest" if state.run_id is not None else "draft",
        "backtest": _always("submit"),
        "submit": _always(END),
    }.items():
        graph.add_conditional_edges(name, _unless_ended(after), [*(n for n, _ in ORDER), "ask", END])
    return graph


def _always(name: str) -> Callable[[ResearchState], str]:
    return lambda state: name


def _unless_ended(after: Callable[[ResearchState], str]) -> Callable[[ResearchState], str]:
    return lambda state: END if state.status is not None else after(state)


def _bound(name: str, node: Node, desk: Desk) -> _Step:
    def step(state: ResearchState) -> dict[str, Any]:
        desk.begin(name, state.total)
        update = dict(node(state, desk).changes())
        took = round(state.seconds.get(name, 0.0) + desk.seconds(), 3)
        return {**update, "seconds": {**state.seconds, name: took}}

    return step


def _ask(state: ResearchState) -> dict[str, Any]:
    """Nothing happens before the answer is there, so nothing happens twice."""
    if state.question is None:
        raise ValueError(f"research {state.research_id} waits for an answer without a question")
    reply: Mapping[str, str] = interrupt(state.question.model_dump(mode="json"))
    return {"answers": answered(state.question, reply, state.answers), "question": None}


def travel(saver: SqliteSaver, desk: Desk, state: ResearchState) -> ResearchState:
    """From the beginning to the end, or to a question. Every step is on disk before the next begins."""
    return _invoke(saver, desk, state.research_id, state)


def go_on(saver: SqliteSaver, desk: Desk, research_id: str, answer: Mapping[str, str] | None = None) -> ResearchState:
    """From the last checkpoint; where a question waits, with its answer. A research that has ended stays as it is."""
    waits = read(saver, research_id)
    if waits is None or waits.status is not None:
        raise ValueError(f"research {research_id} has nothing to go on with")
    return _invoke(saver, desk, research_id, Command(resume=dict(answer)) if answer is not None else None)


def read(saver: SqliteSaver, research_id: str) -> ResearchState | None:
    """The state at the last checkpoint; None where there is none."""
    from langgraph.graph import StateGraph as Graph

    empty: StateGraph[ResearchState, None, ResearchState, ResearchState] = Graph(ResearchState)
    empty.add_node("scan", lambda state: {})
    empty.add_edge(START, "scan")
    values = empty.compile(checkpointer=saver).get_state(_config(research_id)).values
    return ResearchState.model_validate(values) if values else None


def _invoke(
    saver: SqliteSaver, desk: Desk, research_id: str, start: ResearchState | Command[Any] | None
) -> ResearchState:
    app = build(desk).compile(checkpointer=saver)
    app.invoke(start, _config(research_id), durability="sync")
    return ResearchState.model_validate(app.get_state(_config(research_id)).values)


def _config(research_id: str) -> Any:
    return {"configurable": {"thread_id": research_id}, "recursion_limit": MOST_STEPS}
