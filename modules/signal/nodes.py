"""The tree of a signal: numbers, fields and calls. Immutable, comparable, hashable; positions do not count."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

MAX_TEXT = 4_000
MAX_NODES = 500
MAX_DEPTH = 60


@dataclass(frozen=True)
class Number:
    """A constant, the same for every time and symbol."""

    value: float
    column: int = field(default=1, compare=False, repr=False)


@dataclass(frozen=True)
class Field:
    """A field of the panel (`close`) or of the calendar (`month`)."""

    name: str
    column: int = field(default=1, compare=False, repr=False)


@dataclass(frozen=True)
class Call:
    """An operator on panels (`inputs`) with its settings (`numbers`: windows, levels), in the order of its row."""

    operator: str
    inputs: tuple[Node, ...]
    numbers: tuple[float, ...] = ()
    column: int = field(default=1, compare=False, repr=False)


Node = Number | Field | Call


def children(node: Node) -> tuple[Node, ...]:
    """The panels that a node reads."""
    return node.inputs if isinstance(node, Call) else ()


def walk(node: Node) -> Iterator[Node]:
    """Every node, children before parents, left to right."""
    for child in children(node):
        yield from walk(child)
    yield node


def size(node: Node) -> int:
    """Number of nodes."""
    return 1 + sum(size(child) for child in children(node))


def depth(node: Node) -> int:
    """Longest path from the root, in nodes."""
    return 1 + max((depth(child) for child in children(node)), default=0)
