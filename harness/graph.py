"""The research graph: specify -> scan -> draft -> check -> screen -> backtest -> write, checkpointed in SQLite.

Each node is a plain function in `nodes.py`; this file only wires them. A node that sets a status ends the travel.
LangGraph is imported here and nowhere else.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from itertools import pairwise
from typing import Any, Protocol

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph

from harness import nodes
from harness.desk import Desk
from harness.state import ResearchState

ORDER: tuple[tuple[str, nodes.Node], ...] = (
    ("specify", nodes.specify),
    ("scan", nodes.scan),
    ("draft", nodes.draft),
    ("check", nodes.check_all),
    ("screen", nodes.screen_all),
    ("backtest", nodes.backtest),
    ("write", nodes.write),
)


def build(desk: Desk) -> StateGraph[ResearchState, None, ResearchState, ResearchState]:
    """The graph, with `desk` bound to every node."""
    graph: StateGraph[ResearchState, None, ResearchState, ResearchState] = StateGraph(ResearchState)
    for name, node in ORDER:
        graph.add_node(name, _bound(node, desk))
    graph.add_edge(START, ORDER[0][0])
    for (name, _), (after, _) in pairwise(ORDER):
        graph.add_conditional_edges(name, _unless_ended(after), {after: after, END: END})
    graph.add_edge(ORDER[-1][0], END)
    return graph


class _Step(Protocol):
    """LangGraph's own signature of a node: the state to a mapping of channel updates."""

    def __call__(self, state: ResearchState) -> dict[str, Any]: ...


def _bound(node: nodes.Node, desk: Desk) -> _Step:
    def step(state: ResearchState) -> dict[str, Any]:
        return dict(node(state, desk))

    return step


def _unless_ended(after: str) -> Callable[[ResearchState], str]:
    return lambda state: END if state.status is not None else after


def travel(state: ResearchState, desk: Desk) -> ResearchState:
    """Run the graph to its end; every step is kept in the workspace under the research id."""
    home = desk.workspace.home / "research"
    home.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(home / "checkpoints.sqlite", check_same_thread=False)) as connection:
        app = build(desk).compile(checkpointer=SqliteSaver(connection, serde=_serializer()))
        final = app.invoke(state, {"configurable": {"thread_id": state.research_id}, "recursion_limit": len(ORDER) + 3})
    return ResearchState.model_validate(final)


def _serializer() -> JsonPlusSerializer:
    """Only our own frozen models are rebuilt from a checkpoint, and nothing is ever unpickled."""
    from harness import state as states
    from harness.drafters import port

    owned = (
        states.SourceNote, states.Screen, states.Chosen, port.Condition, port.Reading, port.Candidate, port.Rejected,
    )  # fmt: skip
    return JsonPlusSerializer(
        pickle_fallback=False, allowed_msgpack_modules=[(m.__module__, m.__name__) for m in owned]
    )
