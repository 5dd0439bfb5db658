"""The nearest known signal to a candidate, and the candidate's originality beside it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.novelty.known import Known, Origin
from harness.novelty.originality import LIMIT, originality
from harness.novelty.sketch import Sketch, near, shipped, sketch
from modules.panel import FloatArray
from modules.signal import Call, Node, canonical, signal_digest
from modules.signal.behaviour import behaviours
from modules.signal.likeness import Likeness, likeness
from modules.signal.similarity import Structure, in_common, structure

CLOSEST = 5
_CLOTHES = frozenset(
    {"neg", "rank", "zscore", "demean", "scale", "winsorize", "rank_gauss", "minmax", "mad_clip", "unitless"}
    | {"tanh", "sigmoid"}
)
"""What changes no order within a row, or turns it over: a tree is compared without them at its top."""


@dataclass(frozen=True)
class Novelty:
    """The known signal that leaves a candidate least original."""

    where: str
    expr: str
    origin: Origin
    likeness: Likeness
    originality: float

    @property
    def is_new(self) -> bool:
        """Whether this neighbour leaves the candidate original enough."""
        return self.originality >= LIMIT

    @property
    def words(self) -> str:
        """`originality 0.12 beside library rev_5@1 (0.98 alike)`."""
        return f"originality {self.originality:.2f} beside {self.where} ({self.likeness.score:.2f} alike)"


def novelty(node: Node, known: Sequence[Known]) -> Novelty | None:
    """The known signal that leaves `node` least original; None where nothing is known."""
    return next(iter(neighbours(node, known)), None)


def neighbours(node: Node, known: Sequence[Known]) -> tuple[Novelty, ...]:
    """Up to ten of `known`, those that leave `node` least original first; equals by likeness, then by name.

    The five nearest by sketch and the five nearest by tree are compared in full, the rest cannot be near.
    """
    core = bare(node)
    chosen = _closest(core, known)
    alike = [(k, likeness(core, bare(k.node))) for k in chosen]
    found = [Novelty(k.where, k.expr, k.origin, like, originality(like)) for k, like in alike]
    return tuple(sorted(found, key=lambda n: (n.originality, -n.likeness.score, -n.likeness.structural, n.where)))


@functools.lru_cache(maxsize=4096)
def bare(node: Node) -> Node:
    """The canonical form without what only dresses its values: `rank(-x)` orders symbols as `x` does, or against it."""
    found = canonical(node)
    while isinstance(found, Call) and found.operator in _CLOTHES:
        found = found.inputs[0]
    return found


def _closest(node: Node, known: Sequence[Known]) -> list[Known]:
    mine, tree = _sketch(node), _structure(node)
    by_tree = np.array([in_common(tree, _structure(bare(k.node))) for k in known])
    picked = set(_largest(by_tree))
    if mine is not None:
        sketches = [(i, s) for i, k in enumerate(known) if (s := _known_sketch(k)) is not None]
        order = _largest(near(mine, [s for _, s in sketches]))
        picked |= {sketches[j][0] for j in order}
    return [known[i] for i in sorted(picked)]


def _largest(values: FloatArray) -> list[int]:
    return [int(i) for i in np.argsort(-values, kind="stable")[:CLOSEST]]


def _known_sketch(known: Known) -> Sketch | None:
    found = shipped().get(_digest(known.node))
    return found if found is not None else _sketch(known.node)


@functools.lru_cache(maxsize=4096)
def _digest(node: Node) -> str:
    return signal_digest(node)


@functools.lru_cache(maxsize=4096)
def _structure(node: Node) -> Structure:
    return structure(node)


@functools.lru_cache(maxsize=4096)
def _sketch(node: Node) -> Sketch | None:
    (found,) = behaviours([node])
    return None if found is None else sketch(found)
