"""Signals that are known: the house's own modules and branches, the feature library, the literature."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Literal

from modules.signal import Node, SignalError, parse, signal_digest

Origin = Literal["module", "branch", "library", "literature"]


@dataclass(frozen=True)
class Known:
    """A signal that exists. `where` names it to a reader: `feature/momentum`, `library mom_12_1@1`, a source's key."""

    where: str
    expr: str
    node: Node
    origin: Origin = "branch"

    @property
    def digest(self) -> str:
        """Of the canonical form."""
        return signal_digest(self.node)


def known(where: str, expr: str, origin: Origin = "branch") -> Known | None:
    """A known signal, or None where its text is none of our language (a hand-written module)."""
    try:
        return Known(where, expr, parse(expr), origin)
    except SignalError:
        return None


@functools.cache
def published() -> tuple[Known, ...]:
    """What anyone can read: the feature library at its latest versions, and the literature's constructions."""
    from harness.literature.index import load_index
    from modules.feature.library import library

    features = (Known(f"library {row.reference}", row.expr, row.node, "library") for row in library())
    papers = (
        known(f"literature {source.key}", source.construction, "literature")
        for source in load_index()
        if source.construction is not None
    )
    return (*features, *(paper for paper in papers if paper is not None))
