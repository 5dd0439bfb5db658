"""Which end of a measure is meant: the words for it (`ends.yaml`), before the measure or behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from harness.drafters.offline.lexicon import UNITS, Mark
from harness.drafters.offline.words import Token, stem

_TABLE: dict[str, str] = yaml.safe_load((Path(__file__).parent / "ends.yaml").read_text(encoding="utf-8"))


def stems(name: str) -> frozenset[str]:
    return frozenset(stem(word)[0] for word in _TABLE[name].split())


_HIGH, _LOW = stems("high"), stems("low")
_UP, _DOWN = stems("up"), stems("down")
_ABOVE, _BELOW = stems("above"), stems("below")
_TOP, _BOTTOM = stems("top"), stems("bottom")
_QUANTILES = stems("quantiles")
_USUAL = stems("usual")
_LINKS, DEGREES = stems("links"), stems("degrees")
_BY = stems("by")
PAST, FUTURE = stems("past"), stems("future")
_GROUPS = stems("groups")
_ARTICLES = frozenset({"a", "an", "the"})
_AMOUNTS = stems("amounts")
ADJECTIVES = frozenset(
    {"daily", "weekly", "monthly", "quarterly", "yearly", "annual", "yesterday", "shortterm", "longterm"}
)
REACH = 9


@dataclass(frozen=True)
class End:
    """Where the end of a measure is said: at tokens `start <= i < end`, and which one."""

    start: int
    end: int
    high: bool


def end_before(tokens: Sequence[Token], marks: Sequence[Mark], head: Mark) -> End | None:
    """ "low volatility", "the bottom tenth of stocks by weekly return", "a jump in turnover"."""
    by = False
    for i in range(head.start - 1, max(-1, head.start - 1 - REACH), -1):
        word = tokens[i]
        if (by or word.stem in _QUANTILES) and (found := quantile(tokens, i)) is not None:
            return found
        if word.stem in _USUAL and i and tokens[i - 1].stem in _ABOVE | _BELOW:
            return End(i - 1, i + 1, tokens[i - 1].stem in _ABOVE)
        if word.stem in _BY:
            by = True
        elif by and word.stem in _UP | _DOWN and word.tense == "base":
            return End(i, i + 1, word.stem in _UP)
        elif _says_an_end(word) and not by:
            return End(i, i + 1, word.stem in _HIGH)
        elif by and word.stem in _GROUPS:
            continue
        elif word.stem in _UP | _DOWN and word.tense == "ing" and not by:
            return End(i, i + 1, word.stem in _UP)
        elif not (_in_phrase(word) and word.stem not in _BY):
            return None
    return None


def _says_an_end(word: Token) -> bool:
    return word.stem in _HIGH | _LOW and not word.text.endswith("ly")  # "unusually low" is low


def end_after(tokens: Sequence[Token], marks: Sequence[Mark], head: Mark) -> End | None:
    """ "volatility that has been subdued", "a beta well above one", "volume at twice its average"."""
    linked, start = False, head.end
    for i in range(head.end, min(len(tokens), head.end + REACH + 3)):
        word = tokens[i]
        if word.is_stop:
            return None
        if (found := quantile(tokens, i)) is not None and linked:
            return End(start, found.end, found.high)
        if word.stem in _ABOVE | _BELOW and (over := _comparison(tokens, i + 1)) is not None:
            return End(start, over, word.stem in _ABOVE)
        if word.number is not None and i + 1 < len(tokens) and tokens[i + 1].stem == "tim":
            if _bounds(tokens, i) == (word.number > 1.0):
                return None  # "at most twice", "at least half": neither end
            over = _comparison(tokens, i + 2)
            return End(start, over or i + 2, word.number > 1.0)
        if (linked or i == head.end) and _says_an_end(word):
            return End(start, i + 1, word.stem in _HIGH)
        if word.stem in _UP | _DOWN and (i - head.end <= 3 or linked) and tokens[i - 1].text not in _ARTICLES:
            return None if _will(tokens, i) else End(start, i + 1, word.stem in _UP)
        if word.stem in _LINKS:
            linked = True
        elif not _in_phrase(word):
            return None
    return None


def _bounds(tokens: Sequence[Token], i: int) -> bool | None:
    """Whether the number at `i` is a bound from above ("at most 2"), from below ("at least 0.5"), or none (None)."""
    near = {t.text for t in tokens[max(0, i - 2) : i]}
    return True if near & _AT_MOST else False if near & _AT_LEAST else None


_AT_MOST = frozenset({"most", "less", "fewer", "below", "under"})
_AT_LEAST = frozenset({"least", "more", "above", "over", "exceeds"})


def _in_phrase(word: Token) -> bool:
    return word.number is not None or word.stem in UNITS or word.stem in PAST | DEGREES | _BY or word.text in ADJECTIVES


def _will(tokens: Sequence[Token], i: int) -> bool:
    return any(t.stem in ("will", "would", "then", "tend", "should") for t in tokens[max(0, i - 3) : i])


def _comparison(tokens: Sequence[Token], start: int) -> int | None:
    """Where "(its own 20 day) average" or a plain number ends, looked for from `start`; None where none stands."""
    for i in range(start, min(len(tokens), start + 7)):
        word = tokens[i]
        if word.stem in _USUAL:
            return i + 2 if i + 1 < len(tokens) and tokens[i + 1].stem in _AMOUNTS else i + 1
        if word.number is not None and (i + 1 == len(tokens) or tokens[i + 1].stem not in {*UNITS, "tim"}):
            return i + 1
        if not (_in_phrase(word) or word.stem == "tim"):
            return None
    return None


def quantile(tokens: Sequence[Token], i: int) -> End | None:
    """ "top fifth", "bottom 10 percent", "highest decile" ending or beginning at token `i`."""
    for start in (i, i - 1, i - 2):
        if start < 0 or tokens[start].stem not in _TOP | _BOTTOM:
            continue
        after = [t.stem for t in tokens[start + 1 : start + 3]]
        if after[:1] and after[0] in _QUANTILES:
            return End(start, start + 2, tokens[start].stem in _TOP)
        if len(after) == 2 and after[1] == "percent":
            return End(start, start + 3, tokens[start].stem in _TOP)
    return None
