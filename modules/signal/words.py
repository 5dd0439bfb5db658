"""A signal in words: a sentence for the whole, and a lettered line for each part that would make it hard to read."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from types import MappingProxyType

from modules.signal.calendar import CALENDAR_FIELDS
from modules.signal.nodes import Call, Field, Node, Number, size, walk
from modules.signal.operators import Operator, find
from modules.signal.operators.phrases import PHRASES
from modules.signal.printer import format_number, format_signal

PLAIN_SIZE = 7
"""Arithmetic on fields and numbers up to this many parts is clearer as it is written."""
INLINE_DEPTH = 4
"""Operators that one line may hold inside each other."""

_ARITHMETIC = frozenset({"add", "sub", "mul", "div", "neg", "power", "gt", "lt", "ge", "le", "eq", "ne"})
_INFIX = _ARITHMETIC - {"neg"}
_FIELD_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "open": "the open",
        "high": "the high",
        "low": "the low",
        "close": "the close",
        "volume": "volume",
        "raw_open": "the open as traded",
        "raw_close": "the close as traded",
        "dividend": "the dividend going off the price",
        "split": "the new shares for one old",
        "member": "membership (1 = in the universe)",
        "vwap": "the volume-weighted price",
        "sector": "sector",
        "day_of_week": "the day of the week (0 = Monday)",
        "day_of_month": "the day of the month",
        "month": "the month (1 = January)",
        "hour": "the hour",
    }
)
_PLACE = re.compile(r"\{(\w+)(:bars)?\}")
_OPTION = re.compile(r"\[([^\]]*)\]")


@dataclass(frozen=True)
class Words:
    """`sentence` says the whole; `parts` are the letters in it, in order, each with its own sentence."""

    sentence: str
    parts: tuple[tuple[str, str], ...]

    def lines(self) -> Iterator[str]:
        """The sentence, then `A: ...` for each part."""
        yield self.sentence
        yield from (f"{letter}: {text}" for letter, text in self.parts)


def in_words(node: Node) -> Words:
    """What a signal says, from the phrases of its operators."""
    return _Writer().write(node)


class _Writer:
    def __init__(self) -> None:
        self.letters: dict[Node, str] = {}
        self.parts: list[tuple[str, str]] = []

    def write(self, node: Node) -> Words:
        sentence = self.text(node, INLINE_DEPTH)
        return Words(_capital(sentence), tuple(self.parts))

    def text(self, node: Node, room: int) -> str:
        """The words of a node, with at most `room` more operators inside this line."""
        match node:
            case Number():
                return format_number(node.value)
            case Field():
                return _FIELD_WORDS.get(node.name, node.name)
            case Call():
                return self.call(node, room)

    def call(self, node: Call, room: int) -> str:
        if _is_plain(node):
            return format_signal(node)
        row = find(node.operator)
        if row is None:
            return format_signal(node)
        compound = [i for i in node.inputs if isinstance(i, Call) and not _is_plain(i)]
        infix = node.operator in _INFIX
        beside_a_number = len(node.inputs) == 2 and any(isinstance(i, Number) for i in node.inputs)
        inner = room - 1 if len(compound) == 1 and (not infix or beside_a_number) else 0
        values = {}
        for name, part in zip(row.inputs, node.inputs, strict=False):
            if part in compound:
                values[name] = self.text(part, inner) if inner > 0 else self.letter(part)
            else:
                values[name] = format_signal(part) if infix else self.text(part, 0)
        implied = {n for n, i in zip(row.inputs, node.inputs, strict=False) if i == Field(n)}
        return _fill(row, values, node.numbers, implied)

    def letter(self, node: Node) -> str:
        """The letter that stands for a part; the same part has the same letter."""
        if node not in self.letters:
            place = len(self.letters)
            alphabet = string.ascii_uppercase
            name = alphabet[place % 26] + (str(place // 26) if place >= 26 else "")
            self.letters[node] = name
            self.parts.append((name, ""))
            self.parts[place] = (name, self.text(node, INLINE_DEPTH))
        return self.letters[node]


def _is_plain(node: Node) -> bool:
    """Small arithmetic on fields and numbers."""
    return size(node) <= PLAIN_SIZE and all(not isinstance(n, Call) or n.operator in _ARITHMETIC for n in walk(node))


def _fill(row: Operator, inputs: Mapping[str, str], numbers: tuple[float, ...], implied: AbstractSet[str]) -> str:
    """The operator's phrase with its places filled; one without a phrase is shown as it is written.

    A phrase may pass over inputs that are fields of the same name, such as the high, low and close of an average true
    range; where it was given others, they are said behind it.
    """
    if row.name not in PHRASES:
        return f"{row.name}({', '.join([*inputs.values(), *map(format_number, numbers)])})"
    named = dict(zip((p.name for p in row.parameters), numbers, strict=True))

    def keep(match: re.Match[str]) -> str:
        return match[1] if places(match[1]) <= {*inputs, *named} else ""

    def put(match: re.Match[str]) -> str:
        name, bars = match.groups()
        if name in inputs:
            return inputs[name]
        value = format_number(named[name])
        return value if bars is None else f"{value} bar" if value == "1" else f"{value} bars"

    phrase = PHRASES[row.name]
    unsaid = [f"{name}: {text}" for name, text in inputs.items() if name not in places(phrase) | implied]
    return _PLACE.sub(put, _OPTION.sub(keep, phrase)) + (f" ({', '.join(unsaid)})" if unsaid else "")


def places(phrase: str) -> set[str]:
    """The names that a phrase fills in."""
    return {name for name, _ in _PLACE.findall(phrase)}


def _capital(text: str) -> str:
    return text if re.match(r"\w*\(|[a-z_]+ ?[-+*/<>=]", text) else text[:1].upper() + text[1:]


def field_meaning(name: str) -> str:
    """What a field is, for lists of what a signal reads."""
    return CALENDAR_FIELDS.get(name, _FIELD_WORDS.get(name, "a field of the data"))
