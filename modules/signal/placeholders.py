"""Placeholders: names in braces, as in `ts_mean(close, {days})`, that take a number before the text is parsed.

A name has small letters, digits and underscores. A brace that belongs to none is refused: the language has no braces.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from numbers import Integral
from typing import Final

from modules.signal.errors import SignalError

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_PLACEHOLDER: Final = re.compile(rf"\{{({_NAME.pattern})\}}")
_RAISED: Final = re.compile(r"\s*\*\*")
_STAND_IN: Final = "placeholder_"


def is_name(text: str) -> bool:
    """Whether a placeholder may be called so."""
    return _NAME.fullmatch(text) is not None


def names_in(template: str) -> tuple[str, ...]:
    """Each name once, in order. Raises SignalError for a brace that belongs to no placeholder."""
    left = _PLACEHOLDER.sub(lambda m: " " * len(m[0]), template)
    stray = re.search(r"[{}]", left)
    if stray:
        raise SignalError(
            "a brace that belongs to no placeholder; write each place as {name}, in small letters, digits and _",
            template,
            stray.start() + 1,
        )
    return tuple(dict.fromkeys(_PLACEHOLDER.findall(template)))


@dataclass(frozen=True)
class Unmatched:
    """Names that only one side knows, sorted, and as words where there are none."""

    missing: str
    idle: str


def unmatched(template: str, given: Collection[str]) -> Unmatched | None:
    """What the template asks for and is not `given`, and the other way round; None where they agree."""
    wanted = set(names_in(template))
    if wanted == set(given):
        return None
    missing, idle = sorted(wanted - set(given)), sorted(set(given) - wanted)
    return Unmatched(", ".join(missing) or "none", ", ".join(idle) or "none")


def fill(template: str, values: Mapping[str, float]) -> str:
    """The text with a number for each name: whole numbers as such, others as Python writes them, to the last digit.

    A negative number that is raised to a power stands in parentheses: it is the number that is raised. Raises KeyError
    for a name without a value; `unmatched` tells before.
    """

    def number(found: re.Match[str]) -> str:
        value = values[found[1]]
        text = str(int(value)) if isinstance(value, Integral) else repr(float(value))
        return f"({text})" if text.startswith("-") and _RAISED.match(template, found.end()) else text

    return _PLACEHOLDER.sub(number, template)


@dataclass(frozen=True)
class Comparison:
    """`left operator right`, both sides with their placeholders."""

    left: str
    operator: type[ast.cmpop]
    right: str


def comparison(template: str) -> Comparison | None:
    """The template as one comparison of two sides; None for anything else, and for what does not parse."""
    named = _PLACEHOLDER.sub(lambda m: _STAND_IN + m[1], template.strip())
    try:
        body = ast.parse(named, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # the language says what is wrong with it
        return None
    if not isinstance(body, ast.Compare) or len(body.ops) != 1:
        return None

    def text(node: ast.expr) -> str:
        return re.sub(rf"\b{_STAND_IN}(\w+)", r"{\1}", ast.get_source_segment(named, node) or "")

    return Comparison(text(body.left), type(body.ops[0]), text(body.comparators[0]))
