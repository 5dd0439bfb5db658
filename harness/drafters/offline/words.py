"""From text to tokens: normalised, stemmed lightly, with the tense kept because it tells cause from effect."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml

Tense = Literal["base", "past", "ing"]

_TABLES = yaml.safe_load((Path(__file__).parent / "words.yaml").read_text(encoding="utf-8"))
_NUMBERS: dict[str, int] = _TABLES["numbers"]
_FORMS: dict[str, tuple[str, Tense]] = {word: (word, "base") for word in _TABLES["same"]} | {
    word: (base, tense) for tense, forms in _TABLES["forms"].items() for word, base in forms.items()
}
_SPELLING: list[list[str]] = _TABLES["spelling"]
_PATTERNS = [(re.compile(pattern), new) for pattern, new in _TABLES["patterns"]]
_TOKEN = re.compile(r"\d+(?:\.\d+)?|[a-z]+|[,;:.!?()]")


@dataclass(frozen=True)
class Token:
    """A word: as written, its stem, its tense, and where it stands in the normalised text."""

    text: str
    stem: str
    tense: Tense
    number: float | None = None

    @property
    def is_stop(self) -> bool:
        """Punctuation that ends or splits a clause."""
        return self.text in ",;:.!?()"


def normalise(text: str) -> str:
    """Lower case, one spelling of quotes, dashes, numbers and contractions, one space between words."""
    out = unicodedata.normalize("NFKC", text).lower()
    for old, new in _SPELLING:
        out = out.replace(old, new)
    for pattern, new in _PATTERNS:
        out = pattern.sub(new, out)
    out = re.sub(r"(?<=[a-z0-9])-(?=[a-z0-9])", " ", out)
    out = re.sub(r"(?<=\d),(?=\d{3}\b)", "", out)
    out = re.sub(
        r"(\d)(d|w|m|y)\b", lambda m: m[1] + {"d": " day", "w": " week", "m": " month", "y": " year"}[m[2]], out
    )
    return re.sub(r"\s+", " ", out).strip()


def tokens(text: str) -> tuple[Token, ...]:
    """The tokens of a text, normalised first; number words become numbers ("twenty five" = 25)."""
    words: list[Token] = []
    for raw in _TOKEN.findall(normalise(text)):
        number = float(raw) if raw[0].isdigit() else float(_NUMBERS[raw]) if raw in _NUMBERS else None
        if number is None:
            stem_, tense = stem(raw)
            words.append(Token(raw, stem_, tense))
            continue
        last = words[-1] if words else None
        if (
            last
            and last.number is not None
            and not raw[0].isdigit()
            and last.number in (20, 30, 40, 50, 60, 90)
            and number < 10
        ):
            number += last.number
            words.pop()
        words.append(Token(f"{number:g}", f"{number:g}", "base", number))
    return tuple(words)


def stem(word: str) -> tuple[str, Tense]:
    """A light stem and the tense: plurals, -ing, -ed and -est off, doubled letters and the silent e with them.

    Lexicon phrases pass through the same function, so it need only be consistent, not pretty.
    """
    if word in _FORMS:
        base, tense = _FORMS[word]
        return _bare(base), tense
    if len(word) > 5 and word.endswith("ing"):
        return _bare(_undouble(word[:-3])), "ing"
    if len(word) > 4 and word.endswith("ied"):
        return word[:-3] + "y", "past"
    if len(word) > 4 and word.endswith("ed") and not word.endswith("eed"):
        return _bare(_undouble(word[:-2])), "past"
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y", "base"
    if len(word) > 4 and word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2], "base"
    if len(word) > 2 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return _bare(word[:-1]), "base"
    if len(word) > 5 and word.endswith("est"):
        return _bare(_undouble(word[:-3])), "base"
    if len(word) > 5 and word.endswith("ly"):
        return _bare(word[:-2]), "base"
    return _bare(word), "base"


def _undouble(base: str) -> str:
    return base[:-1] if len(base) > 3 and base[-1] == base[-2] and base[-1] not in "lsz" else base


def _bare(base: str) -> str:
    return (
        base[:-1] if len(base) > 3 and base.endswith("e") and base not in ("the", "these", "those", "before") else base
    )
