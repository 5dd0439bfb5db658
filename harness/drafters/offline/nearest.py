"""What comes nearest to a text that was not understood: skills found by words, each with a sentence that can be read.

Nothing found here is ever taken for the claim. It is offered, and the researcher chooses.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from harness.drafters.offline.candidates import matching_skills
from harness.drafters.offline.reading import read
from harness.drafters.port import Question, Reading
from harness.literature.index import load_index
from harness.retrieval import Retriever
from skills.drafting import Drafting
from skills.registry import Skill, drafting_skills

OFFERED = 3
_LOOKED_AT = 12
_PHRASES_TRIED = 6


def with_nearest(question: Question, text: str, skills: tuple[Skill, ...]) -> Question:
    """`question` offering the claims nearest to `text` that can be read; as it was where no word is shared."""
    known = drafting_skills(skills)
    hits = _retriever(skills).best(text, _LOOKED_AT)
    named = [known[hit.place] for hit in hits]
    offered = [(drafting.about, said) for skill, drafting in named if (said := example_of(skill, skills)) is not None]
    if not offered:
        return question
    about = "; ".join(dict.fromkeys(a for a, _ in offered[:OFFERED]))
    sentences = tuple(dict.fromkeys(s for _, s in offered[:OFFERED]))
    return question.model_copy(
        update={
            "question": f"{question.question} The nearest that I can measure: {about}.",
            "defaults": sentences,
            "rewordings": sentences,
        }
    )


@cache
def example_of(skill: Skill, skills: tuple[Skill, ...]) -> str | None:
    """A claim in plain words that is read as this skill's event with the sign that its sources found."""
    assert skill.drafting is not None, "only drafting skills are offered"
    return next((s for s in _sentences(skill.drafting) if _is_read(s, skill, skill.drafting, skills)), None)


def _is_read(sentence: str, skill: Skill, drafting: Drafting, skills: tuple[Skill, ...]) -> bool:
    reading = read(sentence, skills)
    if not isinstance(reading, Reading) or reading.event != drafting.event or reading.conditions or reading.unread:
        return False
    wanted = {"continues": 1, "high": 1, "reverts": -1, "low": -1}.get(drafting.claim, reading.sign)
    matched = matching_skills(reading, skills)
    return reading.sign == wanted and bool(matched) and matched[0][0].name == skill.name


def _sentences(drafting: Drafting) -> Iterator[str]:
    high, low = [_plain(p, drafting) for p in drafting.words.high], [_plain(p, drafting) for p in drafting.words.low]
    if drafting.moves:
        up, down = ("keep rising", "keep falling") if drafting.claim != "reverts" else ("fall back", "rebound")
    else:
        up, down = ("outperform", "underperform") if drafting.claim != "low" else ("underperform", "outperform")
    for phrases, follows in (
        ((low, down), (high, up)) if drafting.claim in ("low", "reverts") else ((high, up), (low, down))
    ):
        for phrase in phrases[:_PHRASES_TRIED]:
            for said in _with_stocks(phrase):
                yield f"{said} {follows}"
    yield from (_plain(effect, drafting) for effect in drafting.effects)


def _with_stocks(phrase: str) -> tuple[str, ...]:
    """Ways to say a phrase of stocks, the likeliest to be English first."""
    with_it, before, that = f"stocks with {phrase}", f"{phrase} stocks", f"stocks that {phrase}"
    first = phrase.split()[0]
    if first in _PREPOSITIONS:
        return (f"stocks {phrase}", with_it)
    if first in _VERBS:
        return (that, with_it, before)
    return (before, that, with_it) if " " not in phrase else (with_it, before, that)


_PREPOSITIONS = frozenset({"above", "below", "near", "over", "under", "far", "close", "ahead", "behind", "at"})
_VERBS = frozenset(
    {"break", "gap", "accelerate", "decelerate", "make", "hit", "rise", "fall", "open", "touch", "do", "cross", "keep"}
    | {
        "outperform",
        "underperform",
        "drop",
        "gain",
        "lose",
        "jump",
        "follow",
        "react",
        "stay",
        "move",
        "clear",
        "reach",
    }
)


def _plain(phrase: str, drafting: Drafting) -> str:
    """A phrase as one would say it: the first of each word's alternatives, the usual window."""
    words = (word.split("/")[0] if "{" not in word else word for word in phrase.split())
    return " ".join(words).format(n=drafting.horizon_bars.default, unit="day", x=2)


@cache
def _retriever(skills: tuple[Skill, ...]) -> Retriever:
    findings: dict[str, list[str]] = {}
    for source in load_index():
        for name in source.skills:
            findings.setdefault(name, []).append(f"{source.title} {source.claim}")
    return Retriever([_document(skill, drafting, findings) for skill, drafting in drafting_skills(skills)])


def _document(skill: Skill, drafting: Drafting, findings: dict[str, list[str]]) -> str:
    words = " ".join(drafting.phrases).replace("/", " ")
    return " ".join((skill.name, skill.description, drafting.about, words, *findings.get(skill.name, ())))
