"""A signal in words: a sentence for the whole, and a lettered line for each part that would make it hard to read."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from types import MappingProxyType

from modules.signal.nodes import Call, Field, Node, Number, size, walk
from modules.signal.operators import Operator, find
from modules.signal.operators.phrases import PHRASES
from modules.signal.printer import format_number, format_signal

PLAIN_SIZE = 7
"""Arithmetic on fields and numbers up to this many parts is clearer as it is written."""
INLINE_DEPTH = 4
"""Operators that one line may hold inside each other."""

OUTLINE_SIZE = 9
"""Arithmetic on lettered parts is written as one formula up to this many."""

_SIGNS = frozenset({"add", "sub", "mul", "div", "neg", "power"})
_COMPARISONS = frozenset({"gt", "lt", "ge", "le", "eq", "ne"})
_ARITHMETIC = _SIGNS | _COMPARISONS
_TRUE = frozenset({"count_true", "days_since", "not", "nan_if", "ts_mean"})
"""Operators whose phrase can take a condition in; in others it has a letter."""
_BARE = frozenset({"where", "and", "or", "not", "nan_if", "count_true", "days_since"}) | _ARITHMETIC - _SIGNS
"""Operators whose phrase needs no parentheses around a formula."""
_WHETHER = "whether "
_SHARE = "the share of {window:bars} on which it holds that {x}"
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
        if _is_formula(node):
            return format_signal(self.outline(node, _outline_size(node) <= OUTLINE_SIZE))
        compound = [i for i in node.inputs if isinstance(i, Call) and not _is_plain(i)]
        one_end = compound[:1] == [node.inputs[-1]] or node.operator in _COMPARISONS or _is_open(node)
        alone = len(compound) == 1 and one_end
        values = {}
        for name, part in zip(row.inputs, node.inputs, strict=False):
            if part in compound and not (alone and room > 1 and self.fits(part, node)):
                values[name] = self.letter(part)
            else:
                text = self.text(part, room - 1)
                values[name] = f"({text})" if _is_sum(part) and node.operator not in _BARE else text
        implied = {n for n, i in zip(row.inputs, node.inputs, strict=False) if i == Field(n)}
        phrase = _SHARE if node.operator == "ts_mean" and _is_condition(node.inputs[0]) else PHRASES.get(row.name)
        return _fill(row, phrase, values, node.numbers, implied)

    @staticmethod
    def fits(part: Node, inside: Call) -> bool:
        """Whether the words of a part may stand in the phrase around it."""
        return inside.operator in _TRUE if _is_condition(part) else not _is_open(part)

    def outline(self, node: Call, whole: bool) -> Call:
        """Arithmetic with letters for what is none; with letters for all but the plain if it is not to be `whole`."""
        inputs: list[Node] = []
        for part in node.inputs:
            if not isinstance(part, Call) or _is_plain(part):
                inputs.append(part)
            elif whole and part.operator in _SIGNS:
                inputs.append(self.outline(part, whole))
            else:
                inputs.append(Field(self.letter(part)))
        return replace(node, inputs=tuple(inputs))

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


def _is_formula(node: Node) -> bool:
    """Whether it is written with signs: arithmetic, unless the only thing it is done to is better said in words."""
    if not isinstance(node, Call) or _is_plain(node):
        return isinstance(node, Call)
    if node.operator not in _SIGNS:
        return False
    last = node.inputs[-1]
    said = node.operator != "power" and not (_is_formula(last) or _is_condition(last) or _is_open(last))
    return not (said and all(isinstance(i, Number) for i in node.inputs[:-1]))


def _is_sum(node: Node) -> bool:
    """Whether a sign stands between what it is made of, so that it may need parentheses."""
    return _is_formula(node) or (isinstance(node, Call) and node.operator in _SIGNS - {"neg"})


def _is_condition(node: Node) -> bool:
    """Whether its words begin with `whether`."""
    return isinstance(node, Call) and not _is_plain(node) and PHRASES.get(node.operator, "").startswith(_WHETHER)


def _is_open(node: Node) -> bool:
    """Whether its words go on after what it is done to, so that one cannot tell how far they reach. Of an earlier bar
    it does not matter: what is done to each bar alike may be done before or after."""
    if not isinstance(node, Call) or node.operator == "delay" or node.operator in _SIGNS:
        return False
    return PHRASES.get(node.operator, "").startswith("{x}")


def _outline_size(node: Node) -> int:
    """Parts of a formula, each thing that has a letter counted as one."""
    if not isinstance(node, Call) or not (node.operator in _SIGNS or _is_plain(node)):
        return 1
    return 1 + sum(map(_outline_size, node.inputs))


def _fill(
    row: Operator, phrase: str | None, inputs: Mapping[str, str], numbers: tuple[float, ...], implied: AbstractSet[str]
) -> str:
    """The operator's phrase with its places filled; one without a phrase is shown as it is written.

    A phrase may pass over inputs that are fields of the same name, such as the high, low and close of an average true
    range; where it was given others, they are said behind it.
    """
    if phrase is None:
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

    unsaid = [f"{name}: {text}" for name, text in inputs.items() if name not in places(phrase) | implied]
    text = _PLACE.sub(put, _OPTION.sub(keep, phrase)).replace(f"that {_WHETHER}", "that ")
    return text + (f" ({', '.join(unsaid)})" if unsaid else "")


def places(phrase: str) -> set[str]:
    """The names that a phrase fills in."""
    return {name for name, _ in _PLACE.findall(phrase)}


def _capital(text: str) -> str:
    return text if re.match(r"\w*\(|[a-z_]+ ?[-+*/<>=]", text) else text[:1].upper() + text[1:]
