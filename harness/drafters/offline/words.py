"""From text to tokens: normalised, stemmed lightly, with the tense kept because it tells cause from effect."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

Tense = Literal["base", "past", "ing"]

_NUMBERS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "eighteen": 18, "twenty": 20, "thirty": 30,
    "forty": 40, "fifty": 50, "sixty": 60, "ninety": 90, "hundred": 100,
}  # fmt: skip
_IRREGULAR: dict[str, tuple[str, Tense]] = {
    "fell": ("fall", "past"), "fallen": ("fall", "past"), "rose": ("rise", "past"), "risen": ("rise", "past"),
    "lost": ("lose", "past"), "losing": ("lose", "ing"), "won": ("win", "past"), "sank": ("sink", "past"), "sunk": ("sink", "past"),
    "grew": ("grow", "past"), "grown": ("grow", "past"), "went": ("go", "past"), "gone": ("go", "past"), "did": ("do", "past"),
    "done": ("do", "past"), "slid": ("slide", "past"), "sold": ("sell", "past"), "bought": ("buy", "past"), "beat": ("beat", "base"),
    "beaten": ("beat", "past"), "broke": ("break", "past"), "broken": ("break", "past"), "hit": ("hit", "base"), "came": ("come", "past"),
    "gave": ("give", "past"), "given": ("give", "past"), "kept": ("keep", "past"), "led": ("lead", "past"), "sprang": ("spring", "past"),
    "took": ("take", "past"), "taken": ("take", "past"), "made": ("make", "past"), "was": ("be", "past"), "were": ("be", "past"),
    "is": ("be", "base"), "are": ("be", "base"), "been": ("be", "past"), "being": ("be", "ing"), "has": ("have", "base"), "had": ("have", "past"),
    "outdid": ("outperform", "past"), "underwent": ("undergo", "past"), "saw": ("see", "past"), "seen": ("see", "past"), "tanked": ("tank", "past"),
    "worst": ("worst", "base"), "best": ("best", "base"), "most": ("most", "base"), "does": ("do", "base"), "doing": ("do", "ing"),
    "goes": ("go", "base"), "going": ("go", "ing"), "losses": ("loss", "base"), "indices": ("index", "base"), "indexes": ("index", "base"),
    "highs": ("high", "base"), "lows": ("low", "base"), "shares": ("share", "base"), "prices": ("price", "base"), "priced": ("price", "past"),
    "moves": ("move", "base"), "moved": ("move", "past"), "moving": ("moving", "base"), "closes": ("close", "base"), "closed": ("close", "past"),
    "closing": ("close", "ing"), "volumes": ("volume", "base"), "gains": ("gain", "base"), "averages": ("average", "base"), "hits": ("hit", "base"),
    "trading": ("trading", "base"), "opening": ("open", "ing"), "paid": ("pay", "past"), "continuing": ("continue", "ing"), "less": ("less", "base"),
    "ran": ("run", "past"), "drew": ("draw", "past"), "shrank": ("shrink", "past"), "shrunk": ("shrink", "past"), "stood": ("stand", "past"),
    "interest": ("interest", "base"), "interesting": ("interesting", "base"), "modest": ("modest", "base"), "honest": ("honest", "base"),
    "latest": ("latest", "base"), "invest": ("invest", "base"), "suggest": ("suggest", "base"), "forest": ("forest", "base"), "request": ("request", "base"),
    "its": ("its", "base"), "yes": ("yes", "base"), "as": ("as", "base"), "this": ("this", "base"), "plus": ("plus", "base"), "always": ("always", "base"), "across": ("across", "base"), "minus": ("minus", "base"),
    "during": ("during", "base"), "nothing": ("nothing", "base"), "something": ("something", "base"), "everything": ("everything", "base"),
    "anything": ("anything", "base"), "spring": ("spring", "base"), "evening": ("evening", "base"), "morning": ("morning", "base"),
    "speed": ("speed", "base"), "need": ("need", "base"), "exceed": ("exceed", "base"), "exceeds": ("exceed", "base"), "hundred": ("hundred", "base"),
    "following": ("following", "base"), "overbought": ("overbought", "base"), "oversold": ("oversold", "base"), "unless": ("unless", "base"),
    "illiquid": ("illiquid", "base"), "higher": ("higher", "base"), "lower": ("lower", "base"), "bigger": ("big", "base"), "news": ("news", "base"),
    "bias": ("bias", "base"), "basis": ("basis", "base"), "business": ("business", "base"), "axis": ("axis", "base"), "gas": ("gas", "base"),
    "bring": ("bring", "base"), "king": ("king", "base"), "string": ("string", "base"), "thing": ("thing", "base"), "things": ("thing", "base"),
}  # fmt: skip
_UNITS = r"(day|week|month|quarter|year|session|bar|hour|minute)"
_SPELLING = (
    ("’", "'"), ("‘", "'"), ("“", '"'), ("”", '"'), ("–", "-"), ("—", ", "), ("−", "-"), ("…", "."), ("%", " percent "), ("&", " and "),
)  # fmt: skip
_CONTRACTIONS = (
    (r"\bcan't\b", "can not"), (r"\bwon't\b", "will not"), (r"n't\b", " not"), (r"\bcannot\b", "can not"), (r"'ve\b", " have"),
    (r"'re\b", " are"), (r"'ll\b", " will"), (r"'s\b", ""), (r"s'(?=\s|$)", "s"), (r"\be\.g\.", "such as"), (r"\bi\.e\.", "that is"),
    (r"\bvs\.?(?=\s)", "versus"), (r"\btwice\b", "2 times"), (r"\bdouble\b", "2 times"), (r"\bdoubles\b", "be 2 times"), (r"\btriple\b", "3 times"),
    (r"\bthrice\b", "3 times"), (r"(?<=\d)x\b", " times"), (r"\b(\d+)-(\d+)\s+momentum\b", r"\1 month momentum skipping the last \2 month"),
    (r"\bfortnight\b", "10 days"), (r"\bhalf a year\b|\bhalf-year\b|\bhalf year\b", "6 months"), (r"\bcouple of\b", "2"),
    (r"\b1/2 year\b", "6 months"), (r"\bpct\b", "percent"),
    (r"\bthe (?:more|further|harder|deeper|larger|bigger|worse|faster) ([^,;.]{3,80})[,;]? the (?:more|further|harder|deeper|larger|bigger|stronger|faster|better)\b", r"when \1, then"), (r"\bper cent\b", "percent"), (r"\bmid-|\bmega-|\bex-", " "), (r"\bshort-term\b|\bshort term\b", "shortterm"),
    (r"\blong-term\b|\blong term\b|\blong-run\b|\blong run\b", "longterm"), (r"\bmedium-term\b|\bmedium term\b", "mediumterm"),
)  # fmt: skip
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
    for pattern, new in _CONTRACTIONS:
        out = re.sub(pattern, new, out)
    out = re.sub(r"(?<=[a-z0-9])-(?=[a-z0-9])", " ", out)
    out = re.sub(r"(?<=\d),(?=\d{3}\b)", "", out)
    out = re.sub(r"(\d)(d|w|m|y)\b", lambda m: m[1] + {"d": " day", "w": " week", "m": " month", "y": " year"}[m[2]], out)
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
        if last and last.number is not None and not raw[0].isdigit() and last.number in (20, 30, 40, 50, 60, 90) and number < 10:
            number += last.number
            words.pop()
        words.append(Token(f"{number:g}", f"{number:g}", "base", number))
    return tuple(words)


def stem(word: str) -> tuple[str, Tense]:
    """A light stem and the tense: plurals, -ing, -ed and -est off, doubled letters and the silent e with them.

    Lexicon phrases pass through the same function, so it need only be consistent, not pretty.
    """
    if word in _IRREGULAR:
        base, tense = _IRREGULAR[word]
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
    return base[:-1] if len(base) > 3 and base.endswith("e") and base not in ("the", "these", "those", "before") else base
