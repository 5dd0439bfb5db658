"""One form for signals that are sure to give the same bits, and its digest.

Only rewrites that are exact in floating point: operands of commutative operators are sorted, `and or max min` are
flattened (they are associative; `+` and `*` are not), comparisons point one way, an operator that another one covers
is written as that one, double negation and multiplication or division by 1 and `unitless` go (what remains is for
computing: units were checked before), constants are folded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from modules.canonical import digest_json
from modules.signal.calendar import CALENDAR_FIELDS
from modules.signal.nodes import Call, Field, Node, Number, children, distinct
from modules.signal.operators import LARGEST, find
from modules.signal.printer import Texts, format_signal

_FLIPPED = {"gt": "lt", "ge": "le"}
_FOLDS: dict[str, Callable[[float, float], float]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b if b else math.nan,
    "max": max,
    "min": min,
}


def canonical(node: Node) -> Node:
    """The canonical form: evaluates to the same bits, and is the same for signals that differ in writing only."""
    return Canonical().of(node)


class Canonical:
    """Canonical forms of nodes, each object rewritten once however many trees it is part of."""

    def __init__(self) -> None:
        # by identity; the node is kept, for an identity is free again when its object is gone
        self._made: dict[int, tuple[Node, Node]] = {}
        self._texts = Texts()

    def of(self, node: Node) -> Node:
        """As `canonical`."""
        for part in distinct(node, self._made):
            self._made[id(part)] = (part, self._rewritten(part))
        return self._made[id(node)][1]

    def _rewritten(self, node: Node) -> Node:
        """The form of a node whose inputs have theirs."""
        if not isinstance(node, Call):
            return node
        inputs = tuple(self._made[id(i)][1] for i in node.inputs)
        name, inputs, numbers = _covered(node.operator, inputs, node.numbers)
        simpler = _simplify(name, inputs)
        if simpler is not None:
            return simpler
        row = find(name)
        if row is not None and row.commutative:
            terms = _flatten(name, inputs) if row.associative else list(inputs)
            terms.sort(key=self._texts.of)
            result = terms[0]
            for term in terms[1:]:
                result = Call(name, (result, term), numbers)
            return result
        return Call(name, inputs, numbers)


def _covered(
    name: str, inputs: tuple[Node, ...], numbers: tuple[float, ...]
) -> tuple[str, tuple[Node, ...], tuple[float, ...]]:
    """The operator by which another one, with these inputs and numbers, is expressed to the bit."""
    match name:
        case "gt" | "ge":
            return _FLIPPED[name], (inputs[1], inputs[0]), numbers
        case "wma":
            return "decay_linear", inputs, numbers
        case "coalesce" if isinstance(inputs[1], Number) and abs(inputs[1].value) <= LARGEST:
            return "fill_value", inputs[:1], (inputs[1].value,)
    return name, inputs, numbers


def _simplify(name: str, inputs: tuple[Node, ...]) -> Node | None:
    """A shorter tree with the same bits, or None."""
    first = inputs[0]
    if name == "unitless":
        return first
    if name == "neg":
        if isinstance(first, Number):
            return Number(-first.value + 0.0)
        if isinstance(first, Call) and first.operator == "neg":
            return first.inputs[0]
    if len(inputs) == 2:
        second = inputs[1]
        if name in _FOLDS and isinstance(first, Number) and isinstance(second, Number):
            value = _FOLDS[name](first.value, second.value)
            return Number(value + 0.0) if math.isfinite(value) else None
        if name in ("mul", "div") and second == Number(1.0):
            return first
        if name == "mul" and first == Number(1.0):
            return second
    return None


def _flatten(name: str, inputs: Iterable[Node]) -> list[Node]:
    """The terms of a chain of one associative operator, left to right."""
    terms: list[Node] = []
    waiting = list(inputs)[::-1]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Call) and node.operator == name:
            waiting += node.inputs[::-1]
        else:
            terms.append(node)
    return terms


def signal_digest(node: Node) -> str:
    """Digest of the canonical form."""
    return digest_json({"signal": format_signal(canonical(node))})


def fields_of(node: Node) -> frozenset[str]:
    """The fields of the data that a signal reads (calendar fields come with every panel and are not listed)."""
    return frozenset(n.name for n in distinct(node) if isinstance(n, Field) and n.name not in CALENDAR_FIELDS)


def warmup(node: Node) -> int:
    """Bars at the start of history for which the signal cannot have a value."""
    return warmups(node)[id(node)]


def warmups(node: Node) -> dict[int, int]:
    """`warmup` of every node of a tree, by the node's `id`."""
    found: dict[int, int] = {}
    for part in distinct(node):
        row = find(part.operator) if isinstance(part, Call) else None
        own = row.warmup(part.numbers) if row is not None and isinstance(part, Call) else 0
        found[id(part)] = own + max((found[id(i)] for i in children(part)), default=0)
    return found
