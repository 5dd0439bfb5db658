"""From tree to text. `parse(format_signal(node)) == node` for every tree that the parser makes."""

from __future__ import annotations

from modules.signal.nodes import Call, Field, Node, Number, distinct
from modules.signal.operators import Slot, find

_OR, _AND, _NOT, _COMPARE, _SUM, _PRODUCT, _UNARY, _POWER, _ATOM = range(1, 10)
_LEVEL = {
    "or": _OR, "and": _AND, "not": _NOT, "gt": _COMPARE, "lt": _COMPARE, "ge": _COMPARE, "le": _COMPARE,
    "eq": _COMPARE, "ne": _COMPARE, "add": _SUM, "sub": _SUM, "mul": _PRODUCT, "div": _PRODUCT, "neg": _UNARY,
    "power": _POWER,
}  # fmt: skip


def format_number(value: float) -> str:
    """The shortest text that reads back as the same number; whole numbers without a point."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))


def format_signal(node: Node) -> str:
    """The tree as text, with no more parentheses than needed; arguments with their defaults written out."""
    return Texts().of(node)


class Texts:
    """Texts of nodes, each node written once however many trees it is part of."""

    def __init__(self) -> None:
        # by identity; the node is kept, for an identity is free again when its object is gone
        self._written: dict[int, tuple[Node, str, int]] = {}

    def of(self, node: Node) -> str:
        """As `format_signal`."""
        for part in distinct(node, self._written):
            self._written[id(part)] = (part, *self._text(part))
        return self._written[id(node)][1]

    def _text(self, node: Node) -> tuple[str, int]:
        """Text and the level at which it binds; what the node reads is written already."""
        match node:
            case Number():
                return format_number(node.value), _UNARY if node.value < 0 else _ATOM
            case Field():
                return node.name, _ATOM
            case Call():
                return self._call(node)

    def _call(self, node: Call) -> tuple[str, int]:
        row = find(node.operator)
        if row is None:
            raise ValueError(f"operator {node.operator} is not in the table")
        numbers = [
            format_number(v if p.slot is Slot.NUMBER else int(v))
            for v, p in zip(node.numbers, row.parameters, strict=True)
        ]
        if row.symbol is None:
            inputs = (self._within(i, _OR) for i in node.inputs)
            return f"{node.operator}({', '.join([*inputs, *numbers])})", _ATOM
        level = _LEVEL[node.operator]
        if node.operator == "power":
            return f"{self._within(node.inputs[0], _ATOM)} ** {numbers[0]}", level
        if len(node.inputs) == 1:
            space = " " if row.symbol.isalpha() else ""
            return f"{row.symbol}{space}{self._within(node.inputs[0], level)}", level
        left, right = node.inputs
        # a chain of comparisons means something else, so both sides of one must bind tighter
        lowest_left = level + 1 if level == _COMPARE else level
        return f"{self._within(left, lowest_left)} {row.symbol} {self._within(right, level + 1)}", level

    def _within(self, node: Node, lowest: int) -> str:
        _, text, level = self._written[id(node)]
        return text if level >= lowest else f"({text})"
