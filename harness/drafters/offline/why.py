"""Why these skills: what was read of a text, which skills answer it in which order, and what speaks for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.drafters.offline.candidates import matching_skills
from harness.drafters.offline.drafter import OfflineDrafter
from harness.drafters.offline.reading import MAX_CHARACTERS, parts_of
from harness.drafters.port import Question, Reading
from harness.retrieval import Retriever
from skills.drafting import Drafting
from skills.registry import Skill

NEAREST = 5


@dataclass(frozen=True)
class ReadAs:
    """A phrase of the text: what kind of word it is, its part in the claim, and the event that it names."""

    phrase: str
    kind: str
    role: Literal["event", "outcome"] | None
    event: str | None


@dataclass(frozen=True)
class Fit:
    """A skill that answers the text, with what speaks for it."""

    skill: str
    description: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Why:
    """`fits` in the order in which their recipes are tried; empty where the text was not read, with the reason in
    `open` and the skills nearest in words in `near`."""

    text: str
    phrases: tuple[ReadAs, ...]
    fits: tuple[Fit, ...]
    open: str | None
    near: tuple[Fit, ...]


def why(text: str, skills: tuple[Skill, ...]) -> Why:
    """What `text` leads to among `skills`. A longer one than a hypothesis may be is refused unread."""
    drafter = OfflineDrafter(skills)
    short = text if len(text) <= MAX_CHARACTERS else ""
    phrases = tuple(
        ReadAs(phrase, part.mark.kind, part.role, part.mark.event or None) for phrase, part in parts_of(short, skills)
    )
    answer = drafter.read(text)
    if isinstance(answer, Reading):
        fits = tuple(
            Fit(skill.name, skill.description, tuple(_reasons(answer, skill, block)))
            for skill, block in matching_skills(answer, skills)
        )
        return Why(text, phrases, fits, None, ())
    left_open = answer.question if isinstance(answer, Question) else answer.message
    return Why(text, phrases, (), left_open, _near(text, skills))


def _reasons(reading: Reading, skill: Skill, block: Drafting) -> list[str]:
    reasons = []
    if skill.name == reading.effect_of:
        reasons.append("the text names its effect")
    if block.event == reading.event:
        reasons.append(f"measures {block.about}")
    elif block.serves is not None:
        reasons.append(f"measures {block.about}: {block.serves.event} together with {block.serves.condition}")
    else:
        reasons.append(f"measures {block.about}, which the text compares with")
    wanted = ("continues", "high") if reading.sign > 0 else ("reverts", "low")
    if block.claim in wanted:
        reasons.append(f"its sources claim the same ({block.claim})")
    elif block.claim == "any":
        reasons.append("its sources claim neither side")
    else:
        reasons.append(f"its sources claim the opposite ({block.claim})")
    span = block.horizon_bars
    if reading.horizon_bars is None:
        reasons.append(f"no window said: its own is {span.default} bars")
    else:
        inside = span.low <= reading.horizon_bars <= span.high
        where = "lies in" if inside else "lies outside"
        reasons.append(f"the window of {reading.horizon_bars} bars {where} its {span.low} to {span.high}")
    return reasons


def _near(text: str, skills: tuple[Skill, ...]) -> tuple[Fit, ...]:
    if not skills:
        return ()
    found = Retriever([" ".join((s.name, s.description, *s.phrases)) for s in skills]).best(text, NEAREST)
    return tuple(Fit(skills[h.place].name, skills[h.place].description, ("shares words with the text",)) for h in found)
