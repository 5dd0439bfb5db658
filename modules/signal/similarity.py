"""How much two signals have in common, by their trees."""

from __future__ import annotations

from collections import Counter

from modules.signal.canonical import canonical
from modules.signal.nodes import Call, Field, Node, Number, children
from modules.signal.printer import format_signal


def similarity(a: Node, b: Node) -> float:
    """In [0, 1]; 1 exactly where the canonical forms are equal; symmetric.

    Mean of two weighted Jaccard indices over the subtrees of the canonical forms: of the subtrees as they are, and of
    their shapes (numbers left out), so that a changed window still counts as a near relative.
    """
    left, right = canonical(a), canonical(b)
    if left == right:
        return 1.0
    exact = _jaccard(_subtrees(left, shape=False), _subtrees(right, shape=False))
    shapes = _jaccard(_subtrees(left, shape=True), _subtrees(right, shape=True))
    return 0.5 * (exact + shapes)


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
