"""How much two signals have in common, by their trees."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from modules.signal.canonical import canonical
from modules.signal.nodes import Call, Field, Node, Number, children
from modules.signal.printer import format_signal


@dataclass(frozen=True, eq=False)
class Structure:
    """The subtrees of a canonical form, as they are (`exact`) and with their numbers left out (`shapes`)."""

    exact: Counter[str]
    shapes: Counter[str]


def structure(node: Node) -> Structure:
    """What `in_common` compares; worth keeping where one signal is compared with many."""
    tree = canonical(node)
    return Structure(_subtrees(tree, shape=False), _subtrees(tree, shape=True))


def in_common(a: Structure, b: Structure) -> float:
    """Mean of two weighted Jaccard indices over the subtrees: of the subtrees as they are, and of their shapes, so that
    a changed window still counts as a near relative."""
    return 0.5 * (_jaccard(a.exact, b.exact) + _jaccard(a.shapes, b.shapes))


def similarity(a: Node, b: Node) -> float:
    """In [0, 1]; 1 exactly where the canonical forms are equal; symmetric. See `in_common`."""
    return in_common(structure(a), structure(b))


def _subtrees(node: Node, *, shape: bool) -> Counter[str]:
    found: Counter[str] = Counter()

    def visit(part: Node) -> None:
        found[_shape(part) if shape else format_signal(part)] += 1
        for child in children(part):
            visit(child)

    visit(node)
    return found


def _shape(node: Node) -> str:
    match node:
        case Number():
            return "number"
        case Field():
            return node.name
        case Call():
            return f"{node.operator}({','.join(_shape(i) for i in node.inputs)})"


def _jaccard(a: Counter[str], b: Counter[str]) -> float:
    return (a & b).total() / (a | b).total()
