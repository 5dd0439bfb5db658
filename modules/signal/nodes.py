"""The tree of a signal: numbers, fields and calls. Immutable, comparable, hashable; positions do not count."""

from __future__ import annotations

from collections.abc import Container, Iterator
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
    """Every node, children before parents, left to right. Trees made by code may be deeper than Python recurses."""
    open_nodes = [(node, iter(children(node)))]
    while open_nodes:
        parent, rest = open_nodes[-1]
        child = next(rest, None)
        if child is None:
            open_nodes.pop()
            yield parent
        else:
            open_nodes.append((child, iter(children(child))))


def distinct(node: Node, known: Container[int] = ()) -> Iterator[Node]:
    """As `walk`, but each object once, and without those whose `id` is in `known` and all that they read.

    A tree that code has put together may hold one object in many places.
    """
    seen: set[int] = set()
    open_nodes = [] if id(node) in known else [(node, iter(children(node)))]
    while open_nodes:
        parent, rest = open_nodes[-1]
        child = next(rest, None)
        if child is None:
            open_nodes.pop()
            yield parent
        elif id(child) not in seen and id(child) not in known:
            seen.add(id(child))
            open_nodes.append((child, iter(children(child))))


def size(node: Node) -> int:
    """Number of nodes."""
    return sum(1 for _ in walk(node))


def depth(node: Node) -> int:
    """Longest path from the root, in nodes."""
    found: dict[int, int] = {}
    for part in distinct(node):
        found[id(part)] = 1 + max((found[id(child)] for child in children(part)), default=0)
    return found[id(node)]
