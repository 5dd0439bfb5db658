"""Phrases and where they stand in a text: the general words of lexicon.yaml and the events of the skills."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

from harness.drafters.offline.words import Token, stem
from skills.registry import Skill, drafting_skills

Kind = Literal[
    "event", "effect", "move_up", "move_down", "winners", "losers", "perform_up", "perform_down", "turn_up",
    "turn_down", "turn", "go_on", "buy", "sell", "neg", "not_neg", "works", "weak", "split", "split_back", "when",
    "rel", "gate", "ahead", "tomorrow", "soon", "will", "peers", "own", "lookback_word", "skip_word", "vague",
    "subject", "outside", "calendar", "lookback", "ago_range", "percent", "several", "denial", "relates_up",
    "relates_down", "target",
]  # fmt: skip
_PRIORITY: tuple[Kind, ...] = (
    "outside", "denial", "event", "effect", "calendar", "ago_range", "ahead", "lookback", "several", "lookback_word",
    "tomorrow", "not_neg", "relates_up", "relates_down", "target", "winners",
    "losers", "turn_up", "turn_down", "turn", "perform_up", "perform_down",
    "move_up", "move_down", "go_on", "split", "split_back", "percent", "neg", "buy", "sell", "works", "weak",
    "skip_word", "peers", "own", "rel", "when", "will", "soon", "gate", "vague", "subject",
)  # fmt: skip
UNITS = {"day": 1, "session": 1, "bar": 1, "week": 5, "month": 21, "quarter": 63, "year": 252, "hour": 0, "minut": 0}
INTRADAY_UNITS = frozenset(unit for unit, bars in UNITS.items() if bars == 0)
_LITTLE_WORDS = """
the a an their its his own very most so quite really is have about roughly more than at least some
of relatively exceptionally unusually extremely particularly much somewhat these those any all such
rather highly over only far way currently of realised realized trading expected future subsequent
"""
_LITTLE = frozenset(stem(word)[0] for word in _LITTLE_WORDS.split())
_MAX_LITTLE = 4
_ING = "~ing"


@dataclass(frozen=True)
class Mark:
    """A phrase found at tokens `start <= i < end`. `n` and `unit` are what {n} and {unit} (or {x}) held."""

    kind: Kind
    start: int
    end: int
    event: str = ""
    value: str = ""
    n: float | None = None
    unit: str | None = None
    factor: float | None = None
    first_n: float | None = None
    first_unit: str | None = None

    @property
    def bars(self) -> int | None:
        """`{n} {unit}` in bars; 52 weeks and 12 months are one year of 252."""
        return None if self.unit is None else _bars(1.0 if self.n is None else self.n, self.unit)

    @property
    def first_bars(self) -> int | None:
        """The earlier end of "12 to 2 months ago", in bars."""
        unit = self.first_unit or self.unit
        return None if self.first_n is None or unit is None else _bars(self.first_n, unit)


def _bars(n: float, unit: str) -> int | None:
    if UNITS[unit] == 0:
        return None
    if unit == "week" and n >= 52:
        return round(n / 52 * 252)
    return max(1, round(n * UNITS[unit]))


@dataclass(frozen=True)
class _Pattern:
    kind: Kind
    parts: tuple[frozenset[str] | str, ...]
    event: str = ""
    value: str = ""


@dataclass
class _Captured:
    n: float | None = None
    unit: str | None = None
    factor: float | None = None
    first_n: float | None = None
    first_unit: str | None = None


@dataclass(frozen=True)
class Lexicon:
    """Patterns by the stem they begin with. `fillers` are words that carry no claim, `meaningful` always carry one."""

    patterns: dict[str, tuple[_Pattern, ...]] = field(default_factory=dict)
    fillers: frozenset[str] = frozenset()
    meaningful: frozenset[str] = frozenset()

    def scan(self, tokens: Sequence[Token]) -> tuple[Mark, ...]:
        """The phrases of a text, left to right, longest first, none overlapping."""
        marks: list[Mark] = []
        i = 0
        while i < len(tokens):
            best = self._best_at(tokens, i)
            if best is None:
                i += 1
            else:
                marks.append(best)
                i = best.end
        return tuple(marks)

    def _best_at(self, tokens: Sequence[Token], i: int) -> Mark | None:
        found = [m for p in self._starting(tokens[i]) if (m := _match(p, tokens, i)) is not None]
        return min(
            found, key=lambda m: (-m.end, _PRIORITY.index(m.kind), m.n is not None, m.event, m.value), default=None
        )

    def _starting(self, token: Token) -> Iterator[_Pattern]:
        yield from self.patterns.get(token.stem, ())
        if token.number is not None:
            yield from self.patterns.get("{n}", ())
            yield from self.patterns.get("{x}", ())
        if token.stem in UNITS:
            yield from self.patterns.get("{unit}", ())


def _match(pattern: _Pattern, tokens: Sequence[Token], start: int) -> Mark | None:
    captured = _Captured()
    i, little = start, 0
    for k, part in enumerate(pattern.parts):
        while i < len(tokens) and not _fits(part, tokens[i]):
            if k == 0 or little == _MAX_LITTLE or tokens[i].stem not in _LITTLE:
                return None
            i, little = i + 1, little + 1
        if i == len(tokens):
            return None
        if part == "{n}":
            captured.first_n, captured.n = captured.n, tokens[i].number
        elif part == "{x}":
            captured.factor = tokens[i].number
        elif part == "{unit}":
            captured.first_unit, captured.unit = captured.unit, tokens[i].stem
        i += 1
    return Mark(
        pattern.kind,
        start,
        i,
        pattern.event,
        pattern.value,
        captured.n,
        captured.unit,
        captured.factor,
        captured.first_n,
        captured.first_unit,
    )


def _fits(part: frozenset[str] | str, token: Token) -> bool:
    if isinstance(part, frozenset):
        return token.stem in part or (token.tense == "ing" and token.stem + _ING in part)
    if part == "{unit}":
        return token.stem in UNITS
    return token.number is not None


def _compile(kind: Kind, phrase: str, event: str = "", value: str = "") -> _Pattern:
    words = [word for word in _numbers(phrase).split() if word not in ("the", "a", "an")]
    parts = tuple(
        word
        if word in ("{n}", "{unit}", "{x}")
        else frozenset(
            _fitting(alternative, kind == "event" and k == 0 < len(words) - 1) for alternative in word.split("/")
        )
        for k, word in enumerate(words)
    )
    return _Pattern(kind, parts, event, value)


def _fitting(word: str, adjective: bool) -> str:
    """What a word of a phrase must be in a text: a "lagging sector" is not one that was lagged."""
    base, tense = stem(word)
    return base + _ING if adjective and tense == "ing" else base


def _numbers(phrase: str) -> str:
    return " ".join({"one": "1", "two": "2", "times": "times"}.get(w, w) for w in phrase.split())


def _general() -> tuple[list[_Pattern], frozenset[str], frozenset[str]]:
    table = yaml.safe_load((Path(__file__).parent / "lexicon.yaml").read_text(encoding="utf-8"))
    fillers, meaningful = (
        frozenset(stem(word)[0] for line in table.pop(kind) for word in line.split("/"))
        for kind in ("filler", "meaningful")
    )
    patterns: list[_Pattern] = []
    for kind, entries in table.items():
        if kind == "lookback_word":
            patterns += [_compile(kind, phrase, value=str(bars)) for phrase, bars in entries.items()]
        elif kind in ("outside", "calendar"):
            patterns += [_compile(kind, phrase, value=what) for what, phrases in entries.items() for phrase in phrases]
        else:
            patterns += [_compile(kind, phrase, value=phrase) for phrase in entries]
    patterns += [
        _compile("lookback", "{n} {unit}"),
        _compile("lookback", "{n} trading/calendar/business {unit}"),
        _compile("lookback", "{n} {unit} ago"),
        _compile("ago_range", "{n} {unit} ago to/and/until/through {n} {unit} ago"),
        _compile("ago_range", "{n} to/and/until/through {n} {unit} ago"),
        _compile("ago_range", "{n} {unit} to/and/until/through {n} {unit} ago"),
        _compile("several", "few/several/many/recent/past/last/previous {unit}"),
        _compile("several", "few/several/many {unit}"),
        _compile("several", "last/past/previous few/several {unit}"),
        _compile("percent", "{n} percent"),
    ]
    return patterns, fillers, meaningful


@cache
def lexicon(skills: tuple[Skill, ...]) -> Lexicon:
    """The lexicon of these skills. Raises ValueError where two skills give one phrase two meanings."""
    patterns, fillers, meaningful = _general()
    for skill, drafting in drafting_skills(skills):
        for pole, phrases in (
            ("high", drafting.words.high),
            ("low", drafting.words.low),
            ("bare", drafting.words.bare),
        ):
            patterns += [_compile("event", phrase, drafting.event, pole) for phrase in phrases]
        patterns += [
            _compile("effect", phrase, drafting.event, f"{skill.name}:{claim}")
            for phrase, claim in drafting.effects.items()
        ]
    _no_double_meaning(patterns)
    by_first: dict[str, list[_Pattern]] = {}
    for pattern in patterns:
        first = pattern.parts[0]
        for key in sorted({s.removesuffix(_ING) for s in first}) if isinstance(first, frozenset) else (first,):
            by_first.setdefault(key, []).append(pattern)
    return Lexicon({key: tuple(value) for key, value in by_first.items()}, fillers, meaningful)


def _no_double_meaning(patterns: Sequence[_Pattern]) -> None:
    seen: dict[tuple[frozenset[str] | str, ...], _Pattern] = {}
    for pattern in patterns:
        if pattern.kind not in ("event", "effect"):
            continue
        other = seen.setdefault(pattern.parts, pattern)
        if (other.event, other.value) != (pattern.event, pattern.value):
            words = " ".join("/".join(sorted(p)) if isinstance(p, frozenset) else p for p in pattern.parts)
            raise ValueError(
                f"the phrase {words!r} means {other.event} {other.value} in one skill and "
                f"{pattern.event} {pattern.value} in another; keep it in one"
            )
